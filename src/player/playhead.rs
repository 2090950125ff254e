//! Reading the host's transport: where it is, whether it went on from there, jumped or looped.

use std::ops::Range;

use etude_pianist::midi::TICKS_PER_QUARTER;

/// How far a position may be from where the last block led, in quarter notes, without being a jump. Less, and a host
/// that rounds its positions would cut notes off; more, and a short jump would go unnoticed.
const DRIFT: f64 = 0.01;

/// The shortest loop that is followed inside a block, in quarter notes. Hosts make no shorter ones, and following one
/// of no length would never end.
const SHORTEST_LOOP: f64 = 1.0 / 16.0;

/// How exactly a host's time has to follow from the block before, in seconds. Less, and hosts that round it would jump all
/// the time; more, and short jumps would be taken for ramps of the tempo.
const SAME_TIME: f64 = 1e-3;

/// Added before rounding to samples, so that a time exactly between two falls on the later one, even if the host's
/// positions are a little off in some block.
const TIE: f64 = 1e-4;

/// A block of host time.
#[derive(Debug, Clone, PartialEq)]
pub struct Block {
    /// Samples in a second.
    pub sample_rate: f64,
    /// Length in samples.
    pub samples: u32,
    /// Whether the transport is rolling (and the plugin is not bypassed).
    pub playing: bool,
    /// Quarter notes per minute at the first sample.
    pub tempo: f64,
    /// Quarter notes from the project's start to the first sample.
    pub position: f64,
    /// Seconds from the project's start to the first sample, if the host says so. They tell a jump from a change of tempo
    /// inside a block.
    pub time: Option<f64>,
    /// What the host repeats, in quarter notes, if it does and says so.
    pub repeat: Option<Range<f64>>,
}

impl Block {
    /// The tick after the last one of the block, or `None` if it does not roll.
    pub(crate) fn end(&self) -> Option<i64> {
        let quarters = self.position + f64::from(self.samples) * self.quarters_per_sample();
        self.rolls().then(|| (quarters * f64::from(TICKS_PER_QUARTER)).ceil() as i64)
    }

    /// Whether the transport is rolling, in a way that makes sense.
    pub(super) fn rolls(&self) -> bool {
        let sensible = (1.0..=10_000.0).contains(&self.tempo)
            && (100.0..=1e8).contains(&self.sample_rate)
            && (-1e7..=1e7).contains(&self.position);
        self.playing && self.samples > 0 && sensible
    }

    pub(crate) fn quarters_per_sample(&self) -> f64 {
        self.tempo / 60.0 / self.sample_rate
    }

    /// Whether its time is its position at its tempo, as if there had never been another one.
    fn time_is_of_tempo(&self) -> bool {
        self.time.is_some_and(|time| (time - self.position * 60.0 / self.tempo).abs() < SAME_TIME)
    }

    /// What the host repeats, if it is inside and will come to its end.
    fn repeat_around(&self, position: f64) -> Option<Range<f64>> {
        let around = |repeat: &Range<f64>| {
            repeat.start.is_finite() && repeat.end - repeat.start >= SHORTEST_LOOP && position < repeat.end
        };
        self.repeat.clone().filter(around)
    }
}

/// A stretch of a block in which time goes on evenly.
pub(super) struct Span {
    /// Whether the host came here from elsewhere, or started.
    pub(super) entered: bool,
    /// Its first sample.
    pub(super) first: u32,
    /// The host's ticks that fall in it.
    pub(super) ticks: Range<i64>,
    last: u32,
    clock: Clock,
}

impl Span {
    /// The sample of one of its ticks.
    pub(super) fn sample(&self, tick: i64) -> u32 {
        self.clock.sample(quarters(tick)).clamp(f64::from(self.first), f64::from(self.last)) as u32
    }
}

/// Follows the host from block to block.
#[derive(Default)]
pub(super) struct Playhead {
    last: Option<Heading>,
}

/// Where a block led.
struct Heading {
    /// The first tick that was not played.
    next: i64,
    /// Where the block was at its last straight stretch, in quarter notes, and how many samples that was long.
    origin: f64,
    samples: f64,
    quarters_per_sample: f64,
    /// The host's time at its first sample, in seconds, if it is known.
    time: Option<f64>,
    time_is_of_tempo: bool,
    /// Length in seconds.
    seconds: f64,
}

impl Playhead {
    /// Forgets where the host was.
    pub(super) fn stop(&mut self) {
        self.last = None;
    }

    /// Splits a block that [rolls](Block::rolls) where the host repeats, and passes each part to `visit`, in order.
    /// While the host goes straight on, each tick is part of exactly one span, whatever the sizes of blocks.
    pub(super) fn follow(&mut self, block: &Block, mut visit: impl FnMut(&Span)) {
        let last = self.last.take().filter(|last| last.leads_to(block));
        let mut entered = last.is_none();
        let mut clock =
            Clock { origin: block.position, at: 0.0, quarters_per_sample: block.quarters_per_sample() };
        // A tick just before the block may fall on its first sample.
        let first_tick = clock.first_tick(0.0).min(nearest_tick(block.position));
        let mut next = last.map_or(first_tick, |last| last.next);
        let samples = f64::from(block.samples);
        let mut first = 0;
        loop {
            let repeat = block.repeat_around(clock.origin);
            let wrap = repeat.clone().filter(|repeat| clock.sample(repeat.end) < samples);
            let mut end = clock.first_tick(samples);
            if let Some(repeat) = &repeat {
                let limit = nearest_tick(repeat.end);
                end = if wrap.is_some() { limit } else { end.min(limit) };
            }
            let after =
                wrap.as_ref().map_or(samples, |repeat| clock.sample(repeat.end)).max(f64::from(first));
            let last = (after as u32).saturating_sub(1).max(first);
            visit(&Span { entered, first, ticks: next..end.max(next), last, clock });
            next = end.max(next);
            let Some(repeat) = wrap else { break };
            clock = Clock { at: clock.exact_sample(repeat.end), origin: repeat.start, ..clock };
            next = nearest_tick(repeat.start);
            first = after as u32;
            entered = true;
        }
        let Clock { origin, at, quarters_per_sample } = clock;
        self.last = Some(Heading {
            next,
            origin,
            samples: samples - at,
            quarters_per_sample,
            // When a repeat begins, the host does not say.
            time: block.time.filter(|_| at == 0.0),
            time_is_of_tempo: block.time_is_of_tempo(),
            seconds: samples / block.sample_rate,
        });
    }
}

impl Heading {
    /// Whether `block` goes on from here, straight or with a change of tempo somewhere in between.
    fn leads_to(&self, block: &Block) -> bool {
        let (before, after) = (self.quarters_per_sample, block.quarters_per_sample());
        let gone = block.position - self.origin;
        let straight = self.samples * before;
        let (least, most) = (straight.min(self.samples * after), straight.max(self.samples * after));
        (gone - straight).abs() <= DRIFT
            || ((least - DRIFT..=most + DRIFT).contains(&gone) && self.time_leads_to(block))
    }

    /// Whether the time goes on, as far as the host knows it. Some leave it at nought; some know no tempo but the current
    /// one, and so have another time with each change of tempo: that means nothing.
    fn time_leads_to(&self, block: &Block) -> bool {
        let (Some(time), Some(now)) = (self.time, block.time) else { return true };
        let passed = now - time;
        let means_nothing = passed == 0.0 || (self.time_is_of_tempo && block.time_is_of_tempo());
        means_nothing || (passed - self.seconds).abs() < SAME_TIME
    }
}

/// Quarter notes to samples, from a sample `at` which the host is at `origin`.
#[derive(Clone, Copy)]
struct Clock {
    origin: f64,
    at: f64,
    quarters_per_sample: f64,
}

impl Clock {
    fn exact_sample(&self, quarters: f64) -> f64 {
        self.at + (quarters - self.origin) / self.quarters_per_sample
    }

    /// The nearest sample, 0 or later.
    fn sample(&self, quarters: f64) -> f64 {
        (self.exact_sample(quarters) + 0.5 + TIE).floor().max(0.0)
    }

    /// The first tick that falls on `sample` or later.
    fn first_tick(&self, sample: f64) -> i64 {
        let quarters = self.origin + (sample - self.at - 0.5 - TIE) * self.quarters_per_sample;
        (quarters * f64::from(TICKS_PER_QUARTER)).ceil() as i64
    }
}

fn quarters(tick: i64) -> f64 {
    tick as f64 / f64::from(TICKS_PER_QUARTER)
}

fn nearest_tick(quarters: f64) -> i64 {
    (quarters * f64::from(TICKS_PER_QUARTER)).round() as i64
}
