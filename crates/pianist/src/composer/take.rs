//! From decoded ticks to the finished take in quarter notes.

use super::Request;
use crate::locks::Locks;
use crate::midi::Clip;
use crate::note::{Note, PedalChange, Performance};
use crate::time::{Ticks, TimeBase, TimeSignature};

/// No key stays down longer, in seconds; a tenth of that is a long note on a piano.
const LONGEST_NOTE: f64 = 10.0;

/// One generated piece.
#[derive(Debug, Clone, PartialEq)]
pub struct Take {
    /// The seed that it was composed with.
    pub seed: u64,
    /// In quarter notes per minute.
    pub tempo: f64,
    /// The metre of every bar.
    pub time_signature: TimeSignature,
    /// Length in quarter notes: whole bars.
    pub quarters: f64,
    /// What is played, in quarter notes from the first bar. Everything ends within the length, and the pedal is up at
    /// the end.
    pub performance: Performance<f64>,
}

impl Take {
    /// The take as it goes into a MIDI file.
    pub fn clip(&self, name: &str) -> Clip {
        Clip {
            name: name.to_owned(),
            tempo: self.tempo,
            time_signature: self.time_signature,
            performance: self.performance.clone(),
        }
    }
}

/// How a request's bars lie on a pianist's ticks.
pub(super) struct Grid {
    pub(super) base: TimeBase,
    seed: u64,
    tempo: f64,
    time_signature: TimeSignature,
    quarters: f64,
}

impl Grid {
    pub(super) fn new(base: TimeBase, request: &Request) -> Grid {
        let Request { seed, tempo, time_signature, .. } = *request;
        Grid { base, seed, tempo, time_signature, quarters: request.quarters() }
    }

    /// Length of the take in quarter notes.
    pub(super) fn length(&self) -> f64 {
        self.quarters
    }

    /// Length of a bar in quarter notes.
    pub(super) fn bar(&self) -> f64 {
        self.time_signature.quarters_per_bar()
    }

    /// Length of a bar in whole ticks; of a bar that is no whole number of ticks (7/64), the nearest.
    pub(super) fn bar_ticks(&self) -> Ticks {
        ((self.bar() * self.ticks_per_quarter()).round() as Ticks).max(1)
    }

    /// Quarter notes to ticks.
    pub(super) fn ticks_per_quarter(&self) -> f64 {
        match self.base {
            TimeBase::Beats => self.base.ticks_per_unit(),
            TimeBase::Seconds => self.base.ticks_per_unit() * 60.0 / self.tempo,
        }
    }

    pub(super) fn quarters(&self, ticks: Ticks) -> f64 {
        f64::from(ticks) / self.ticks_per_quarter()
    }

    /// The take of a performance that begins after `gap` ticks.
    pub(super) fn take(&self, mut performance: Performance<Ticks>, gap: Ticks, locks: &Locks) -> Take {
        locks.limit_polyphony(&mut performance);
        let place = |tick: Ticks| self.quarters(tick.saturating_sub(gap));
        // Less than half a tick would be an audible accident.
        let last_onset = self.quarters - 0.5 / self.ticks_per_quarter();
        let longest = LONGEST_NOTE * self.tempo / 60.0;
        let notes = performance.notes.iter().filter(|note| place(note.onset) < last_onset).map(|note| {
            let onset = place(note.onset);
            let duration = self.quarters(note.duration).min(longest).min(self.quarters - onset);
            Note { onset, duration, key: note.key, velocity: note.velocity }
        });
        let pedal = performance.pedal.iter().filter(|change| place(change.time) < self.quarters);
        let mut pedal: Vec<PedalChange<f64>> =
            pedal.map(|change| PedalChange { time: place(change.time), down: change.down }).collect();
        if pedal.last().is_some_and(|change| change.down) {
            pedal.push(PedalChange { time: self.quarters, down: false });
        }
        Take {
            seed: self.seed,
            tempo: self.tempo,
            time_signature: self.time_signature,
            quarters: self.quarters,
            performance: Performance { notes: notes.collect(), pedal },
        }
    }
}
