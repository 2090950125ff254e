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
    /// See `origin`; not before the first sample, and less than one after it.
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

    fn quarters_per_sample(&self, sample_rate: f64) -> f64 {
        if self.playing { self.tempo / 60.0 / sample_rate } else { 0.0 }
    }

    /// What is repeated, if the stretch begins before the repeat's end and so will come to it.
    fn loops(&self) -> Option<Range<f64>> {
        self.repeat.clone().filter(|repeat| self.playing && self.position < repeat.end)
    }

    /// Where the host is after so many samples.
    fn position_at(&self, sample: u64, sample_rate: f64) -> f64 {
        let straight = self.position + sample as f64 * self.quarters_per_sample(sample_rate);
        match self.loops() {
            Some(repeat) if straight >= repeat.end => {
                repeat.start + (straight - repeat.start) % (repeat.end - repeat.start)
            }
            _ => straight,
        }
    }

    fn transport(&self, position: f64) -> Transport {
        let (numerator, denominator) = self.time_signature;
        let bar = 4.0 * f64::from(numerator) / f64::from(denominator);
        Transport {
            playing: self.playing,
            tempo: self.tempo,
            position,
            bar: (position / bar).floor() * bar,
            time_signature: self.time_signature,
            repeat: self.repeat.clone(),
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
        let mut sizes = sizes.iter().cycle();
        let mut blocks = Vec::new();
        for stretch in &self.stretches {
            let mut done = 0;
            while done < stretch.samples {
                let rest = stretch.samples - done;
                let samples = sizes.next().map_or(rest, |size| rest.min(u64::from(*size)));
                let transport = stretch.transport(stretch.position_at(done, self.sample_rate));
                blocks.push(Block {
                    samples: samples as u32,
                    transport: Some(transport),
                    ..Block::default()
                });
                done += samples;
            }
        }
        if let Some(last) = self.stretches.last() {
            let transport = Some(last.clone().stopped().transport(self.end()));
            blocks.push(Block { samples: 1, transport, ..Block::default() });
        }
        blocks
    }

    /// Its parts in which time goes on evenly.
    pub fn spans(&self) -> Vec<Span> {
        let mut spans: Vec<Span> = Vec::new();
        let mut start = 0;
        // Where the transport leads, if it rolls.
        let mut heading: Option<f64> = None;
        for stretch in &self.stretches {
            let end = start + stretch.samples;
            let quarters_per_sample = stretch.quarters_per_sample(self.sample_rate);
            let goes_on = heading.is_some_and(|heading| (heading - stretch.position).abs() < SAME);
            let mut span = Span {
                playing: stretch.playing,
                entered: !goes_on,
                samples: start..end,
                origin: stretch.position,
                at: start as f64,
                quarters_per_sample,
                turns_at: None,
            };
            if let Some(repeat) = stretch.loops() {
                while let turn = span.exact_sample(repeat.end)
                    && nearest(turn) < end
                {
                    let sample = nearest(turn);
                    let next = Span {
                        entered: true,
                        samples: sample..end,
                        origin: repeat.start,
                        at: turn,
                        ..span.clone()
                    };
                    spans.push(Span {
                        samples: span.samples.start..sample,
                        turns_at: Some(repeat.end),
                        ..span
                    });
                    span = next;
                }
            }
            // A turn nearest to the first sample of what follows is a jump there.
            heading = stretch.playing.then(|| span.position(end as f64));
            spans.push(span);
            start = end;
        }
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
