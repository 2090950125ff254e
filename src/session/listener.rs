//! From the keys that were heard to what the next take answers: a primer, and the chord that is held.

use etude_pianist::note::{Key, Note, Performance, Velocity};

use crate::ear::{Ear, Heard};
use crate::ticks;

/// Keys of different names that make a chord.
const CHORD: usize = 3;
/// Silence after which playing begins anew, in quarter notes.
const PAUSE: f64 = 16.0;
/// How long a key counts as held whose release was not heard, in quarter notes.
const UNKNOWN: f64 = 1.0;
/// Most notes that are remembered, the last ones: as many as a composer hears.
const MOST_NOTES: usize = 1024;

/// Remembers what was played.
pub(super) struct Listener {
    read: u64,
    /// When and how hard each key that is down was struck.
    down: [Option<(f64, u8)>; 128],
    notes: Vec<Note<f64>>,
    /// When something was heard last.
    last: f64,
    /// Whether the host went back since the last key was struck: in a cycle, or to another place.
    went_back: bool,
    chord: Option<[f32; 12]>,
}

impl Default for Listener {
    fn default() -> Listener {
        Listener {
            read: 0,
            down: [None; 128],
            notes: Vec::new(),
            last: f64::NEG_INFINITY,
            went_back: false,
            chord: None,
        }
    }
}

impl Listener {
    /// Listens on, or forgets everything.
    pub(super) fn listen(&mut self, ear: &Ear, on: bool) {
        let heard = ear.collect(&mut self.read);
        if on {
            heard.into_iter().for_each(|heard| self.hear(heard));
        } else {
            *self = Listener { read: self.read, ..Listener::default() };
        }
    }

    /// How much of each pitch class the last chord has, if there was one.
    pub(super) fn chord(&self) -> Option<[f32; 12]> {
        self.chord
    }

    /// What was played, if anything; `bar_line` says where the bar of its first note begins, both in quarter notes from the
    /// project's start.
    pub(super) fn primer(&self, bar_line: impl Fn(f64) -> f64) -> Option<Performance<f64>> {
        let held = (0..128u8).filter_map(|key| {
            let (onset, velocity) = self.down[usize::from(key)]?;
            Some(Note {
                onset,
                duration: UNKNOWN,
                key: Key::from_midi(key)?,
                velocity: Velocity::new(velocity),
            })
        });
        let mut notes: Vec<Note<f64>> = self.notes.iter().copied().chain(held).collect();
        notes.sort_by(|a, b| a.onset.total_cmp(&b.onset).then(a.key.cmp(&b.key)));
        let start = bar_line(notes.first()?.onset);
        notes.iter_mut().for_each(|note| note.onset -= start);
        Some(Performance { notes, pedal: Vec::new() })
    }

    fn hear(&mut self, Heard { tick, key, velocity }: Heard) {
        let time = ticks::quarters(tick);
        if time < self.last {
            // Nobody knows how long the keys that are down were held before.
            (0..128).for_each(|key| self.release(key, self.last + UNKNOWN));
            self.went_back = true;
        }
        self.last = time;
        self.release(key, time);
        if velocity > 0 {
            self.down[usize::from(key)] = Some((time, velocity));
            let paused = self.notes.last().is_some_and(|note| time >= note.onset + PAUSE);
            if paused || std::mem::take(&mut self.went_back) {
                self.notes.clear();
            }
            self.hold_chord();
        }
        let too_many = self.notes.len().saturating_sub(MOST_NOTES);
        self.notes.drain(..too_many);
    }

    fn release(&mut self, key: u8, time: f64) {
        let struck = self.down[usize::from(key)].take();
        if let (Some((onset, struck)), Some(key)) = (struck, Key::from_midi(key)) {
            self.notes.push(Note { onset, duration: time - onset, key, velocity: Velocity::new(struck) });
        }
    }

    fn hold_chord(&mut self) {
        let mut shares = [0.0; 12];
        (0..128).filter(|key| self.down[*key].is_some()).for_each(|key| shares[key % 12] += 1.0);
        if shares.iter().filter(|share| **share > 0.0).count() >= CHORD {
            self.chord = Some(shares);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listener(events: &[(f64, u8, u8)]) -> Listener {
        let ear = Ear::default();
        for &(quarters, key, velocity) in events {
            ear.hear(Heard { tick: (quarters * 960.0) as i64, key, velocity });
        }
        let mut listener = Listener::default();
        listener.listen(&ear, true);
        listener
    }

    #[test]
    fn what_was_played_becomes_a_primer_on_its_bars() {
        let listener = listener(&[(9.0, 60, 80), (10.0, 60, 0), (10.5, 64, 70)]);
        let notes = listener.primer(|_| 8.0).unwrap().notes;
        let onsets =
            |notes: &[Note<f64>]| notes.iter().map(|note| (note.onset, note.key.midi())).collect::<Vec<_>>();
        assert_eq!(onsets(&notes), [(1.0, 60), (2.5, 64)]);
        assert_eq!(onsets(&listener.primer(|onset| onset).unwrap().notes), [(0.0, 60), (1.5, 64)]);
        assert_eq!((notes[0].duration, notes[0].velocity.midi()), (1.0, 80));
    }

    #[test]
    fn a_chord_stays_until_the_next_one() {
        let listener = listener(&[(0.0, 60, 80), (0.0, 64, 80), (0.0, 67, 80), (1.0, 60, 0), (2.0, 61, 9)]);
        let chord = listener.chord().unwrap();
        let held: Vec<usize> = (0..12).filter(|pitch_class| chord[*pitch_class] > 0.0).collect();
        assert_eq!(held, [1, 4, 7], "what is down when the last key of a chord goes down");
        assert_eq!(self::listener(&[(0.0, 60, 80), (0.0, 72, 80), (0.0, 64, 80)]).chord(), None);
    }

    #[test]
    fn of_what_is_played_in_a_cycle_the_last_pass_counts() {
        let pass = [(4.0, 60, 80), (5.0, 60, 0), (7.5, 64, 80)];
        let keys = |events: &[(f64, u8, u8)]| {
            let notes = listener(events).primer(|_| 4.0).unwrap().notes;
            notes.iter().map(|note| (note.onset, note.duration, note.key.midi())).collect::<Vec<_>>()
        };
        let held_over = [&pass[..], &[(4.5, 64, 0)]].concat();
        assert_eq!(keys(&held_over), [(0.0, 1.0, 60), (3.5, 1.0, 64)], "until something else is played");
        let again = [&held_over[..], &[(5.0, 67, 80), (5.5, 67, 0)]].concat();
        assert_eq!(keys(&again), [(1.0, 0.5, 67)]);
    }

    #[test]
    fn after_a_pause_playing_begins_anew() {
        let listener = listener(&[(0.0, 60, 80), (1.0, 60, 0), (40.0, 62, 80), (41.0, 62, 0)]);
        assert_eq!(listener.primer(|_| 0.0).unwrap().notes.len(), 1);
    }
}
