//! What a take must never do: leave a scale, a range of keys, or the number of keys that may sound at once.

mod scale;

pub use scale::{KeyNameError, Scale, ScaleError, Tonic, TonicError, read_key};

use thiserror::Error;

use crate::note::{Key, Note, Performance};
use crate::time::Ticks;

/// Rules that hold for every note of a take, whatever the pianist would rather play.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Locks {
    /// Only keys of this scale on this tonic are struck.
    pub scale: Option<(Tonic, Scale)>,
    /// No key below this one is struck.
    pub lowest: Key,
    /// No key above this one is struck.
    pub highest: Key,
    /// At most this many keys are down at once; the pedal may let more sound. A note too many cuts the one that would
    /// end first. At least 1.
    pub polyphony: usize,
}

/// Why locks leave nothing to play.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum LocksError {
    /// There is no key left.
    #[error(
        "no key from {lowest} to {highest} (MIDI) is in the scale; widen the range or choose another scale"
    )]
    NoKey {
        /// MIDI number of the lowest key allowed.
        lowest: u8,
        /// MIDI number of the highest key allowed.
        highest: u8,
    },
    /// No key may sound.
    #[error("a polyphony of 0 leaves nothing to play; allow at least 1 key at once")]
    NoPolyphony,
}

impl Default for Locks {
    /// All 88 keys, all at once.
    fn default() -> Locks {
        let key = |index| Key::from_index(index).expect("both ends are on the keyboard");
        Locks { scale: None, lowest: key(0), highest: key(Key::COUNT - 1), polyphony: Key::COUNT }
    }
}

impl Locks {
    /// Whether `key` may be struck.
    pub fn allow(&self, key: Key) -> bool {
        let in_scale = self.scale.is_none_or(|(tonic, scale)| scale.contains(tonic, key.pitch_class()));
        (self.lowest..=self.highest).contains(&key) && in_scale
    }

    /// Checks that there is something left to play.
    pub fn check(&self) -> Result<(), LocksError> {
        if self.polyphony == 0 {
            return Err(LocksError::NoPolyphony);
        }
        let playable = (0..Key::COUNT).filter_map(Key::from_index).any(|key| self.allow(key));
        let (lowest, highest) = (self.lowest.midi(), self.highest.midi());
        if playable { Ok(()) } else { Err(LocksError::NoKey { lowest, highest }) }
    }

    /// Makes a performance, of which no tick strikes more keys than that, keep to the polyphony: where a note is one
    /// too many, the earlier one that would end first ends at its onset (of equals, the lowest).
    pub(crate) fn limit_polyphony(&self, performance: &mut Performance<Ticks>) {
        let notes = &mut performance.notes;
        let mut sounding: Vec<usize> = Vec::new();
        for next in 0..notes.len() {
            let Note { onset, .. } = notes[next];
            sounding.retain(|&earlier| end(&notes[earlier]) > onset);
            if sounding.len() >= self.polyphony {
                let before_now = sounding.iter().filter(|&&earlier| notes[earlier].onset < onset);
                if let Some(&first) =
                    before_now.min_by_key(|&&earlier| (end(&notes[earlier]), notes[earlier].key))
                {
                    notes[first].duration = onset - notes[first].onset;
                    sounding.retain(|&earlier| earlier != first);
                }
            }
            sounding.push(next);
        }
    }
}

fn end(note: &Note<Ticks>) -> Ticks {
    note.onset.saturating_add(note.duration)
}
