//! The pace of a take: what keeps it to the density that is asked for, or, where nobody asks, within what people play.
//!
//! A wish for a density is an input of the network, which follows it only a little: what it hears of itself counts for
//! more. So waits also get a penalty, which is taken off their logits.

mod asked;
mod own;

use std::collections::VecDeque;

use asked::Asked;
use own::Own;

use super::Knobs;
use crate::note::Key;
use crate::time::{Ticks, TimeBase};

/// What keeps the pace of a take.
pub(super) enum Pace {
    /// To a density.
    Asked(Asked),
    /// To its own.
    Own(Own),
}

impl Pace {
    /// The pace of a take by a pianist of this time base.
    pub(super) fn new(base: TimeBase, knobs: &Knobs) -> Pace {
        match knobs.density {
            Some(density) => Pace::Asked(Asked::new(base, density)),
            // With few keys at once, few notes are no sign of sleep.
            None => Pace::Own(Own::new(base, knobs.locks.polyphony < Key::COUNT)),
        }
    }

    /// Follows a step that was taken at tick `now`.
    pub(super) fn follow(&mut self, now: Ticks, strikes: bool) {
        match self {
            Pace::Asked(asked) => asked.follow(now, strikes),
            Pace::Own(own) => own.follow(now, strikes),
        }
    }

    /// The penalty of a wait of this length in nats; below 0, a bonus.
    pub(super) fn penalty(&self, wait: Ticks) -> f32 {
        match self {
            Pace::Asked(asked) => asked.penalty(wait),
            Pace::Own(own) => own.penalty(wait),
        }
    }

    /// The density to ask the network for, if any.
    pub(super) fn wish(&self) -> Option<f32> {
        match self {
            Pace::Asked(asked) => Some(asked.wish()),
            Pace::Own(own) => own.wish(),
        }
    }
}

/// The onsets of the latest notes.
struct Onsets {
    /// Ticks per second or quarter note.
    unit: f64,
    /// How far back they are kept.
    span: Ticks,
    ticks: VecDeque<Ticks>,
}

impl Onsets {
    /// Those of the last `span` seconds or quarter notes.
    fn new(base: TimeBase, span: f64) -> Onsets {
        let unit = base.ticks_per_unit();
        Onsets { unit, span: (span * unit) as Ticks, ticks: VecDeque::new() }
    }

    fn follow(&mut self, now: Ticks, strikes: bool) {
        if strikes {
            self.ticks.push_back(now);
        }
        let left = self.ticks.partition_point(|onset| onset + self.span < now);
        self.ticks.drain(..left);
    }

    /// Notes per second or quarter note in the last `span` of them.
    fn density(&self, now: Ticks, span: f64) -> f64 {
        let ticks = (span * self.unit) as Ticks;
        let left = self.ticks.partition_point(|onset| onset + ticks < now);
        (self.ticks.len() - left) as f64 / span
    }
}
