//! From decoded ticks to the finished take in quarter notes.

use super::Request;
use crate::locks::Locks;
use crate::midi::Clip;
use crate::note::{Note, PedalChange, Performance};
use crate::time::{Ticks, TimeBase, TimeSignature};

/// Nothing sounds longer, in seconds, held by a key or by the pedal; a tenth of that is a long note on a piano.
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
    /// What is played, in quarter notes from the first bar. Everything begins within the length, and the pedal is up at
    /// the end; notes may be meant to sound [longer](Take::sounding), if more bars follow.
    pub performance: Performance<f64>,
}

impl Take {
    /// What is heard if no bars follow: everything ends within the length.
    pub fn sounding(&self) -> Performance<f64> {
        let end = |note: &Note<f64>| note.duration.min(self.quarters - note.onset);
        let notes = self.performance.notes.iter().map(|note| Note { duration: end(note), ..*note });
        Performance { notes: notes.collect(), pedal: self.performance.pedal.clone() }
    }

    /// The take as it goes into a MIDI file.
    pub fn clip(&self, name: &str) -> Clip {
        Clip {
            name: name.to_owned(),
            tempo: self.tempo,
            time_signature: self.time_signature,
            quarters: self.quarters,
            performance: self.sounding(),
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
            let duration = self.quarters(note.duration).min(longest);
            Note { onset: place(note.onset), duration, key: note.key, velocity: note.velocity }
        });
        let pedal = performance.pedal.iter().filter(|change| place(change.time) < self.quarters);
        let pedal = pedal.map(|change| PedalChange { time: place(change.time), down: change.down });
        let mut performance = Performance { notes: notes.collect(), pedal: pedal.collect() };
        if performance.pedal.last().is_some_and(|change| change.down) {
            performance.pedal.push(PedalChange { time: self.quarters, down: false });
        }
        change_pedal(&mut performance, longest, 1.0 / self.ticks_per_quarter());
        Take {
            seed: self.seed,
            tempo: self.tempo,
            time_signature: self.time_signature,
            quarters: self.quarters,
            performance,
        }
    }
}

/// Lifts the pedal for `moment` wherever it would let a note sound longer than `longest`.
fn change_pedal(performance: &mut Performance<f64>, longest: f64, moment: f64) {
    let mut changes = Vec::new();
    let mut lifted = f64::NEG_INFINITY;
    for (played, sounding) in performance.notes.iter().zip(&performance.fold_pedal().notes) {
        if sounding.duration > longest + moment && lifted < played.end() {
            lifted = played.onset + longest;
            changes.push(PedalChange { time: lifted, down: false });
            changes.push(PedalChange { time: lifted + moment, down: true });
        }
    }
    performance.pedal.extend(changes);
    performance.pedal.sort_by(|a, b| a.time.total_cmp(&b.time));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::note::{Key, Velocity};

    #[test]
    fn bars_are_as_long_as_their_metre_says() {
        let ticks = |metre: &str| {
            let request = Request { time_signature: metre.parse().unwrap(), ..Request::default() };
            Grid::new(TimeBase::Beats, &request).bar_ticks()
        };
        assert_eq!(["4/4", "3/4", "7/8", "7/64", "1/64"].map(ticks), [96, 72, 84, 11, 2]);
    }

    #[test]
    fn a_pedal_held_too_long_is_changed_for_a_moment() {
        let note = |onset, index| Note {
            onset,
            duration: 1.0,
            key: Key::from_index(index).unwrap(),
            velocity: Velocity::new(64),
        };
        let change = |time, down| PedalChange { time, down };
        let mut performance = Performance {
            notes: vec![note(0.0, 40), note(2.0, 41), note(9.0, 40), note(11.0, 43)],
            pedal: vec![change(0.5, true), change(25.0, false)],
        };
        change_pedal(&mut performance, 10.0, 0.1);
        // The first note ends when its key is struck again; the second asks for the change, which ends the others too.
        let expected = [(0.5, true), (12.0, false), (12.1, true), (25.0, false)];
        assert_eq!(performance.pedal, expected.map(|(time, down)| change(time, down)));
        assert!(performance.fold_pedal().notes.iter().all(|note| note.duration <= 10.0), "{performance:?}");
    }
}
