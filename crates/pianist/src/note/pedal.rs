//! The sustain pedal as note lengths.

use super::{Key, Note, Performance};

impl Performance<f64> {
    /// The performance as it sounds, without a pedal: a note released while the pedal is down lasts until the pedal
    /// comes up or its key is struck again, whichever is first. A pedal that never comes up holds to the last event.
    ///
    /// A note released at the very time of the press is not caught: players let go first.
    pub fn fold_pedal(&self) -> Performance<f64> {
        let last = self.last_event();
        let mut next_onset = [f64::INFINITY; Key::COUNT];
        let mut notes = self.notes.clone();
        for note in notes.iter_mut().rev() {
            let next = &mut next_onset[note.key.index()];
            if let Some(lifted) = self.pedal_catches(note.end(), last) {
                note.duration = note.duration.max(lifted.min(*next) - note.onset);
            }
            *next = note.onset;
        }
        Performance { notes, pedal: Vec::new() }
    }

    /// When the last note ends or the pedal last moves, 0 for an empty performance.
    pub fn last_event(&self) -> f64 {
        let last_end = self.notes.iter().map(Note::end).fold(0.0, f64::max);
        self.pedal.last().map_or(last_end, |change| last_end.max(change.time))
    }

    /// When the pedal that holds at `release` comes up, or `None` if it is up then.
    fn pedal_catches(&self, release: f64, last: f64) -> Option<f64> {
        let later = self.pedal.partition_point(|change| change.time < release);
        let down = later > 0 && self.pedal[later - 1].down;
        down.then(|| self.pedal[later..].iter().find(|change| !change.down).map_or(last, |lift| lift.time))
    }
}
