//! What a take must never do: leave a scale, a range of keys, or the number of keys that may sound at once.

mod scale;

pub use scale::{PitchClassError, Scale, ScaleError, Tonic, TonicError};

use std::cmp::Ordering;
use std::ops::Sub;

use thiserror::Error;

use crate::note::{Key, Note, Performance};

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
    /// The ends of the range are the wrong way round.
    #[error("the lowest key, {lowest}, is above the highest, {highest}; exchange them")]
    Reversed {
        /// The lowest key allowed.
        lowest: Key,
        /// The highest key allowed.
        highest: Key,
    },
    /// There is no key left.
    #[error("no key from {lowest} to {highest} is in the scale; widen the range or choose another scale")]
    NoKey {
        /// The lowest key allowed.
        lowest: Key,
        /// The highest key allowed.
        highest: Key,
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
        let Locks { lowest, highest, .. } = *self;
        if lowest > highest {
            return Err(LocksError::Reversed { lowest, highest });
        }
        let playable = Key::all().any(|key| self.allow(key));
        if playable { Ok(()) } else { Err(LocksError::NoKey { lowest, highest }) }
    }

    /// Makes music, sorted by onset, keep to the polyphony, whatever its unit of time and however it was joined.
    ///
    /// A key that is struck while it is down comes up first. Where a note is one too many, the earlier one that would
    /// end first ends at its onset (of equals, the lowest). Where all that sound were struck at that onset, the one of
    /// them that would end first is dropped (of equals, the lowest). Doing it twice changes nothing more.
    pub fn limit_polyphony<T>(&self, performance: &mut Performance<T>)
    where
        T: Copy + PartialOrd + Sub<Output = T>,
    {
        let notes = &mut performance.notes;
        let mut sounding: Vec<usize> = Vec::new();
        let mut is_dropped = vec![false; notes.len()];
        for next in 0..notes.len() {
            let Note { onset, key, .. } = notes[next];
            sounding.retain(|&earlier| notes[earlier].duration > onset - notes[earlier].onset);
            if let Some(again) = sounding.iter().position(|&earlier| notes[earlier].key == key) {
                let held = sounding.swap_remove(again);
                notes[held].duration = onset - notes[held].onset;
                is_dropped[held] = notes[held].onset == onset;
            }
            sounding.push(next);
            if sounding.len() > self.polyphony {
                let cut = sounding.swap_remove(one_too_many(notes, &sounding, onset));
                notes[cut].duration = onset - notes[cut].onset;
                is_dropped[cut] = notes[cut].onset == onset;
            }
        }
        let mut is_dropped = is_dropped.into_iter();
        notes.retain(|_| is_dropped.next() != Some(true));
    }
}

/// Position in `sounding` of the note that must give way at `onset`; see [`Locks::limit_polyphony`].
fn one_too_many<T>(notes: &[Note<T>], sounding: &[usize], onset: T) -> usize
where
    T: Copy + PartialOrd + Sub<Output = T>,
{
    // What is left of it, rather than its end, which may be beyond the last tick.
    let rest = |note: &Note<T>| note.duration - (onset - note.onset);
    let before = |a: &Note<T>, b: &Note<T>| {
        let is_new = (a.onset == onset).cmp(&(b.onset == onset));
        let ends = rest(a).partial_cmp(&rest(b)).unwrap_or(Ordering::Equal);
        is_new.then(ends).then(a.key.cmp(&b.key))
    };
    let first = (0..sounding.len()).min_by(|&a, &b| before(&notes[sounding[a]], &notes[sounding[b]]));
    first.expect("the note at onset sounds")
}
