//! What a host's transport does, from stretch to stretch, and the blocks in which it tells a plugin.

use std::ops::Range;

use crate::plugin::{Block, Transport};

/// How far a host may be from where it led without having jumped, in quarter notes: some round their positions, and no
/// plugin can tell that from a shorter jump.
const SAME: f64 = 0.01;

/// Half a sample, and what positions lose in numbers: a time exactly between two samples falls on the later one.
pub const HALF: f64 = 0.5 + 1e-4;

/// What a transport does for some time.
#[derive(Debug, Clone, PartialEq)]
pub struct Stretch {
    /// How long.
    pub samples: u64,
    /// Whether it rolls.
    pub playing: bool,
    /// Quarter notes per minute.
    pub tempo: f64,
    /// Quarter notes from the project's start to the first sample.
    pub position: f64,
    /// What the host repeats, without a seam between blocks.
    pub repeat: Option<Range<f64>>,
    /// Beats in a bar, and which note a beat is.
    pub time_signature: (u16, u16),
}

/// What a transport does.
#[derive(Debug, Clone, PartialEq)]
pub struct Script {
    /// Samples in a second.
    pub sample_rate: f64,
    /// One after another; where one begins elsewhere than the one before led, the host jumps.
    pub stretches: Vec<Stretch>,
}

/// A part of a script in which time goes on evenly.
#[derive(Debug, Clone, PartialEq)]
pub struct Span {
    /// Whether the host rolls.
    pub playing: bool,
    /// Whether it came here from elsewhere, or started.
    pub entered: bool,
    /// Its samples.
    pub samples: Range<u64>,
    /// Where the host is, in quarter notes, at `at` samples.
    pub origin: f64,
    /// See `origin`; the first sample is the nearest one.
    pub at: f64,
    /// How fast it goes.
    pub quarters_per_sample: f64,
    /// The position where a repeat sends it back, in quarter notes.
    pub turns_at: Option<f64>,
}

impl Stretch {
    /// Rolling from `position` on, in 4/4.
    pub fn roll(samples: u64, tempo: f64, position: f64) -> Stretch {
        Stretch { samples, playing: true, tempo, position, repeat: None, time_signature: (4, 4) }
    }

    /// The same, but standing still.
    pub fn stopped(self) -> Stretch {
        Stretch { playing: false, ..self }
    }

    /// The same, with the host repeating `range`.
    pub fn repeating(self, range: Range<f64>) -> Stretch {
        Stretch { repeat: Some(range), ..self }
    }

    /// The same in another time signature: how many beats a bar has, and which note a beat is.
    pub fn in_time(self, beats: u16, beat: u16) -> Stretch {
        Stretch { time_signature: (beats, beat), ..self }
    }

    fn quarters_per_sample(&self, sample_rate: f64) -> f64 {
        if self.playing { self.tempo / 60.0 / sample_rate } else { 0.0 }
    }

    /// What is repeated, if the stretch begins before the repeat's end and so will come to it.
    fn loops(&self) -> Option<Range<f64>> {
        self.repeat.clone().filter(|repeat| self.playing && self.position < repeat.end)
    }

    /// Where the host is `sample` samples after the stretch begins.
    fn position_at(&self, sample: u64, sample_rate: f64) -> f64 {
        let straight = self.position + sample as f64 * self.quarters_per_sample(sample_rate);
        match self.loops() {
            Some(repeat) if straight >= repeat.end => {
                repeat.start + (straight - repeat.start) % (repeat.end - repeat.start)
            }
            _ => straight,
        }
    }
}

impl Script {
    /// A script of one stretch after another.
    pub fn new(sample_rate: f64, stretches: impl Into<Vec<Stretch>>) -> Script {
        Script { sample_rate, stretches: stretches.into() }
    }

    /// The whole length in samples.
    pub fn samples(&self) -> u64 {
        self.stretches.iter().map(|stretch| stretch.samples).sum()
    }

    /// Where it leads, in quarter notes.
    pub fn end(&self) -> f64 {
        self.stretches.last().map_or(0.0, |last| last.position_at(last.samples, self.sample_rate))
    }

    /// The blocks in which the plugin hears of it, their sizes taken from `sizes` in turn. A block never goes beyond a
    /// stretch, and the last one is followed by one in which the host stands still.
    pub fn blocks(&self, sizes: &[u32]) -> Vec<Block> {
        self.cut(sizes, |scene| scene.samples.end)
    }

    /// The same, but blocks go on where stretches end: what is another from there on, the host says in the next block.
    pub fn blocks_across(&self, sizes: &[u32]) -> Vec<Block> {
        let end = self.samples();
        self.cut(sizes, |_| end)
    }

    /// The same, and the host says in the midst of a block what is another from there on.
    pub fn blocks_told(&self, sizes: &[u32]) -> Vec<Block> {
        let (scenes, mut blocks) = (self.scenes(), self.blocks_across(sizes));
        let mut start = 0;
        for block in &mut blocks {
            let inside = start + 1..start + u64::from(block.samples);
            let begun = scenes.iter().filter(|scene| inside.contains(&scene.samples.start));
            let change =
                |scene: &Scene| ((scene.samples.start - start) as u32, scene.transport(0, self.sample_rate));
            block.changes = begun.map(change).collect();
            start += u64::from(block.samples);
        }
        blocks
    }

    /// Blocks that end where `limit` says of the stretch that they begin in, at the latest.
    fn cut(&self, sizes: &[u32], limit: impl Fn(&Scene) -> u64) -> Vec<Block> {
        let mut sizes = sizes.iter().cycle();
        let (mut now, mut blocks) = (0, Vec::new());
        for scene in self.scenes() {
            while now < scene.samples.end {
                let rest = limit(&scene) - now;
                let samples = sizes.next().map_or(rest, |size| rest.min(u64::from(*size)));
                let transport = scene.transport(now - scene.samples.start, self.sample_rate);
                blocks.push(Block {
                    samples: samples as u32,
                    transport: Some(transport),
                    ..Block::default()
                });
                now += samples;
            }
        }
        if let Some(last) = self.scenes().last() {
            let end = last.transport(last.stretch.samples, self.sample_rate);
            let transport = Some(Transport { playing: false, ..end });
            blocks.push(Block { samples: 1, transport, ..Block::default() });
        }
        blocks
    }

    /// Its stretches, and where they begin.
    fn scenes(&self) -> Vec<Scene<'_>> {
        let mut scenes: Vec<Scene> = Vec::new();
        for stretch in &self.stretches {
            let last = scenes.last();
            let start = last.map_or(0, |last| last.samples.end);
            let left = last.map(|last| last.transport(last.stretch.samples, self.sample_rate).time);
            let entered = !last.is_some_and(|last| last.leads_to(stretch.position, self.sample_rate));
            let time = left.filter(|_| !entered).unwrap_or_else(|| elsewhere(stretch.position, left));
            scenes.push(Scene { stretch, entered, samples: start..start + stretch.samples, time });
        }
        scenes
    }

    /// Its parts in which time goes on evenly.
    pub fn spans(&self) -> Vec<Span> {
        self.scenes().iter().flat_map(|scene| scene.spans(self.sample_rate)).collect()
    }
}

/// A stretch in its place.
struct Scene<'a> {
    stretch: &'a Stretch,
    /// See [`Span::entered`].
    entered: bool,
    samples: Range<u64>,
    /// Seconds from the project's start to its first sample.
    time: f64,
}

impl Scene<'_> {
    /// Where the host is `sample` samples after the stretch begins.
    fn transport(&self, sample: u64, sample_rate: f64) -> Transport {
        let Stretch { playing, tempo, time_signature, ref repeat, .. } = *self.stretch;
        let position = self.stretch.position_at(sample, sample_rate);
        let (beats, beat) = time_signature;
        let bar = 4.0 * f64::from(beats) / f64::from(beat);
        Transport {
            playing,
            tempo,
            position,
            time: self.time + (position - self.stretch.position) * 60.0 / tempo,
            bar: (position / bar).floor() * bar,
            time_signature,
            repeat: repeat.clone(),
        }
    }

    /// Whether the host rolls straight on to a place where the next one begins.
    fn leads_to(&self, position: f64, sample_rate: f64) -> bool {
        let spans = self.spans(sample_rate);
        let heading = spans.last().map(|last| last.position(self.samples.end as f64));
        self.stretch.playing && heading.is_some_and(|heading| (heading - position).abs() < SAME)
    }

    fn spans(&self, sample_rate: f64) -> Vec<Span> {
        let end = self.samples.end;
        let mut span = Span {
            playing: self.stretch.playing,
            entered: self.entered,
            samples: self.samples.clone(),
            origin: self.stretch.position,
            at: self.samples.start as f64,
            quarters_per_sample: self.stretch.quarters_per_sample(sample_rate),
            turns_at: None,
        };
        let mut spans = Vec::new();
        if let Some(repeat) = self.stretch.loops() {
            // A turn nearest to the first sample of what follows leaves a span without samples.
            while let turn = span.exact_sample(repeat.end)
                && turn < end as f64
            {
                let sample = nearest(turn).min(end);
                let next = Span {
                    entered: true,
                    samples: sample..end,
                    origin: repeat.start,
                    at: turn,
                    ..span.clone()
                };
                spans.push(Span { samples: span.samples.start..sample, turns_at: Some(repeat.end), ..span });
                span = next;
            }
        }
        spans.push(span);
        spans
    }
}

impl Span {
    /// When the host is at a position, in samples.
    pub fn exact_sample(&self, quarters: f64) -> f64 {
        self.at + (quarters - self.origin) / self.quarters_per_sample
    }

    /// Where the host is at a sample.
    pub fn position(&self, sample: f64) -> f64 {
        self.origin + (sample - self.at) * self.quarters_per_sample
    }
}

/// The sample nearest to a time.
fn nearest(time: f64) -> u64 {
    (time + HALF).floor().max(0.0) as u64
}

/// When a host comes to a place that it jumps to, in seconds from the project's start: before it, there were other tempos.
/// Never about when it `left`, or nothing that it says would tell the jump from a change of tempo on the way.
fn elsewhere(quarters: f64, left: Option<f64>) -> f64 {
    let time = 1000.0 + quarters / 3.0;
    if left.is_some_and(|left| (time - left).abs() < 1.0) { time + 60.0 } else { time }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_tells_every_jump() {
        // A second later it would be as late at 3 quarter notes as it is.
        let script = Script::new(1000.0, [Stretch::roll(1000, 60.0, 0.0), Stretch::roll(1000, 240.0, 3.0)]);
        let times: Vec<f64> =
            script.blocks(&[]).iter().map(|block| block.transport.as_ref().unwrap().time).collect();
        assert!((times[1] - times[0] - 1.0).abs() > 1.0, "{times:?}");
    }
}
