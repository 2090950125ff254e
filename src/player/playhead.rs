//! Reading the host's transport: where it is, whether it went on from there, jumped or looped.

use std::ops::{Range, RangeInclusive};

use crate::ticks::{nearest_tick, quarters, tick_from};

/// How far a position may be from where the last block led, in quarter notes, without being a jump. Less, and a host
/// that rounds its positions would cut notes off; more, and a short jump would go unnoticed.
const DRIFT: f64 = 0.01;

/// The shortest loop that is followed inside a block, in quarter notes. Hosts make no shorter ones, and following one
/// of no length would never end.
const SHORTEST_LOOP: f64 = 1.0 / 16.0;

/// How exactly a host's time has to follow from the block before, in seconds. Less, and hosts that round it would jump all
/// the time; more, and short jumps would be taken for ramps of the tempo.
const SAME_TIME: f64 = 1e-3;

/// How much faster or slower than at its first sample a host may go in a block in which it turns back, where its tempo
/// changes in what it repeats. Less, and some notes would be lost; more, and a jump would be taken for a turn.
const UNEVEN: f64 = 2.0;

/// Added before rounding to samples, so that a time exactly between two falls on the later one, even if the host's
/// positions are a little off in some block.
const TIE: f64 = 1e-4;

/// Where a host can be, in quarter notes: more than a year of fast music in each direction.
const PLACES: RangeInclusive<f64> = -1e7..=1e7;

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
        self.rolls().then(|| tick_from(quarters))
    }

    /// Whether the transport is rolling, in a way that makes sense.
    pub(super) fn rolls(&self) -> bool {
        self.playing && self.samples > 0 && self.is_sensible()
    }

    /// Whether there can be such a host.
    pub(crate) fn is_sensible(&self) -> bool {
        (1.0..=10_000.0).contains(&self.tempo)
            && (100.0..=1e8).contains(&self.sample_rate)
            && PLACES.contains(&self.position)
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
            PLACES.contains(&repeat.start)
                && repeat.end - repeat.start >= SHORTEST_LOOP
                && position < repeat.end
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
    /// The first tick that was not played, `turns` turns of the repeat after the block's first sample.
    next: i64,
    turns: i64,
    /// Where the block began, in quarter notes, and its length in samples.
    origin: f64,
    samples: f64,
    quarters_per_sample: f64,
    /// What the host repeated, and whether its tempo changed since then.
    repeat: Option<Range<f64>>,
    uneven: bool,
    /// The host's time at its first sample, in seconds, if it is known.
    time: Option<f64>,
    time_is_of_tempo: bool,
    /// Length in seconds.
    seconds: f64,
}

/// Where playing goes on.
struct Entry {
    /// Whether the host came here from elsewhere, or started.
    entered: bool,
    /// The first tick to play.
    next: i64,
    /// How often the host still has to turn back until it is there.
    ahead: i64,
    /// See [`Heading`].
    uneven: bool,
}

impl Playhead {
    /// Forgets where the host was.
    pub(super) fn stop(&mut self) {
        self.last = None;
    }

    /// Splits a block that [rolls](Block::rolls) where the host repeats, and passes each part to `visit`, in order.
    /// While the host goes straight on or turns back where it repeats, each tick is part of exactly one span, whatever the
    /// sizes of blocks. Where the tempo changes inside a block, the host turns earlier or later than could be known: what
    /// was left out is caught up with at the next block's first sample, and what was played already is not played again.
    pub(super) fn follow(&mut self, block: &Block, mut visit: impl FnMut(&Span)) {
        let block = &self.turned(block);
        let mut clock =
            Clock { origin: block.position, at: 0.0, quarters_per_sample: block.quarters_per_sample() };
        let Entry { mut entered, mut next, mut ahead, uneven } = self.enter(block, clock, &mut visit);
        let samples = f64::from(block.samples);
        let (mut first, mut turns) = (0, 0);
        loop {
            let repeat = block.repeat_around(clock.origin);
            let turn = repeat.clone().filter(|repeat| clock.sample(repeat.end) < samples);
            let after =
                turn.as_ref().map_or(samples, |repeat| clock.sample(repeat.end)).max(f64::from(first));
            let last = (after as u32).saturating_sub(1).max(first);
            let end = if ahead > 0 { next } else { clock.end(samples, repeat.as_ref()).max(next) };
            visit(&Span { entered, first, ticks: next..end, last, clock });
            next = end;
            let Some(repeat) = turn else { break };
            clock = Clock { at: clock.exact_sample(repeat.end), origin: repeat.start, ..clock };
            first = after as u32;
            turns += 1;
            entered = ahead == 0;
            if entered {
                next = nearest_tick(repeat.start);
            } else {
                ahead -= 1;
            }
        }
        self.last = Some(Heading {
            next,
            turns: turns + ahead,
            origin: block.position,
            samples,
            quarters_per_sample: clock.quarters_per_sample,
            repeat: block.repeat_around(block.position),
            uneven,
            time: block.time,
            time_is_of_tempo: block.time_is_of_tempo(),
            seconds: samples / block.sample_rate,
        });
    }

    /// The block, at the start of what the host repeats where it names the end of that instead: some round up.
    fn turned(&self, block: &Block) -> Block {
        let repeat = self.last.as_ref().and_then(|last| last.repeat.as_ref());
        let repeat = repeat.filter(|repeat| block.repeat.as_ref() == Some(repeat));
        let beyond = |repeat: &Range<f64>| block.position - repeat.end;
        match repeat.filter(|repeat| (0.0..block.quarters_per_sample()).contains(&beyond(repeat))) {
            Some(repeat) => Block { position: repeat.start + beyond(repeat), ..block.clone() },
            None => block.clone(),
        }
    }

    /// How a block begins. What should have been played before it is passed to `visit`, at its first sample.
    fn enter(&mut self, block: &Block, clock: Clock, visit: &mut impl FnMut(&Span)) -> Entry {
        let went_on = self.last.take().and_then(|last| Some((last.turns_to(block)?, last)));
        let Some((turns, last)) = went_on else {
            // A tick just before the block may fall on its first sample.
            let next = clock.first_tick(0.0).min(nearest_tick(block.position));
            return Entry { entered: true, next, ahead: 0, uneven: false };
        };
        let uneven = last.is_uneven(block);
        let Heading { mut next, turns: played, repeat, .. } = last;
        let mut entered = false;
        for repeat in (played..turns).filter_map(|_| repeat.as_ref()) {
            let end = nearest_tick(repeat.end).max(next);
            visit(&Span { entered, first: 0, ticks: next..end, last: 0, clock });
            (entered, next) = (true, nearest_tick(repeat.start));
        }
        Entry { entered, next, ahead: (played - turns).max(0), uneven }
    }
}

impl Heading {
    /// How often the host turned back on its way to `block`, if it went there from here, straight or with a change of
    /// tempo somewhere in between; `None` if it jumped there.
    fn turns_to(&self, block: &Block) -> Option<i64> {
        let length = self.repeat.as_ref().map_or(f64::INFINITY, |repeat| repeat.end - repeat.start);
        if length.is_infinite() {
            return self.leads_to(block, 0, 0.0).then_some(0);
        }
        let missing = self.samples * self.quarters_per_sample - (block.position - self.origin);
        let likely = (missing / length).round() as i64;
        let turns = [likely, likely - 1, likely + 1].into_iter();
        turns.filter(|turns| *turns >= 0).find(|turns| self.leads_to(block, *turns, *turns as f64 * length))
    }

    /// Whether `block` goes on from here, after so many turns, which make up for `back` quarter notes.
    fn leads_to(&self, block: &Block, turns: i64, back: f64) -> bool {
        let gone = block.position - self.origin + back;
        let straight = self.samples * self.quarters_per_sample;
        let other = self.samples * block.quarters_per_sample();
        let between =
            |one: f64, other: f64| (one.min(other) - DRIFT..=one.max(other) + DRIFT).contains(&gone);
        let repeats = self.repeats_in(block);
        if turns == 0 {
            // What was played ahead is only skipped where the host will turn back.
            return (self.turns == 0 || repeats)
                && (between(straight, straight) || (between(straight, other) && self.time_leads_to(block)));
        }
        // Or at its end: what the host repeats may be another stretch now.
        let inside =
            |repeat: &Range<f64>| (repeat.start - DRIFT..repeat.end + DRIFT).contains(&block.position);
        self.repeat.as_ref().is_some_and(inside)
            && ((turns >= self.turns && between(straight, straight))
                || (repeats && between(straight, other))
                || (self.is_uneven(block) && between(straight / UNEVEN, straight * UNEVEN)))
    }

    /// Whether the host still repeats the same in `block`.
    fn repeats_in(&self, block: &Block) -> bool {
        block.repeat_around(block.position) == self.repeat
    }

    /// Whether the host still repeats the same in `block`, and its tempo changes in that: then it changes back where the host
    /// turns, and may be the same in both blocks.
    fn is_uneven(&self, block: &Block) -> bool {
        let changes = self.uneven || self.quarters_per_sample != block.quarters_per_sample();
        self.repeats_in(block) && changes
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

    /// The first tick that does not fall on the `samples` of a block in which the host comes to the end of `repeat`, if
    /// there is one.
    fn end(&self, samples: f64, repeat: Option<&Range<f64>>) -> i64 {
        let end = self.first_tick(samples);
        match repeat {
            // Also where the turn is nearest to the next block's first sample: no tick before it is left for that.
            Some(repeat) if self.exact_sample(repeat.end) < samples => nearest_tick(repeat.end),
            Some(repeat) => end.min(nearest_tick(repeat.end)),
            None => end,
        }
    }

    /// The first tick that falls on `sample` or later.
    fn first_tick(&self, sample: f64) -> i64 {
        tick_from(self.origin + (sample - self.at - 0.5 - TIE) * self.quarters_per_sample)
    }
}
