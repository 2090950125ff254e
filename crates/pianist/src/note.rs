//! Notes and pedal changes on one timeline.

mod keyboard;
pub(crate) mod name;
mod pedal;

pub(crate) use keyboard::{hold_across_voices, on_one_keyboard};
pub use name::KeyNameError;

/// One of the 88 keys of a piano, counted from the lowest (A0, MIDI 21) as 0 to the highest (C8, MIDI 108) as 87.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key(u8);

impl Key {
    /// How many keys a piano has.
    pub const COUNT: usize = 88;
    /// MIDI number of the lowest key.
    const LOWEST_MIDI: u8 = 21;

    /// Every key, from the lowest.
    pub fn all() -> impl Iterator<Item = Key> {
        (0..Key::COUNT).filter_map(Key::from_index)
    }

    /// The key at `index` from the left, or `None` beyond the keyboard.
    pub fn from_index(index: usize) -> Option<Key> {
        (index < Key::COUNT).then_some(Key(index as u8))
    }

    /// The key of a MIDI note number, or `None` where a piano has no such key.
    pub fn from_midi(number: u8) -> Option<Key> {
        Key::from_index(number.checked_sub(Key::LOWEST_MIDI)? as usize)
    }

    /// Position on the keyboard from the left, 0 to 87.
    pub fn index(self) -> usize {
        self.0 as usize
    }

    /// MIDI note number, 21 to 108.
    pub fn midi(self) -> u8 {
        self.0 + Key::LOWEST_MIDI
    }

    /// Pitch class, 0 (C) to 11 (B).
    pub fn pitch_class(self) -> usize {
        self.midi() as usize % 12
    }

    /// Whether it is one of the black keys.
    pub fn is_black(self) -> bool {
        matches!(self.pitch_class(), 1 | 3 | 6 | 8 | 10)
    }
}

/// How hard a key is struck, 1 to 127 as in MIDI.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Velocity(u8);

impl Velocity {
    /// A velocity held within 1 to 127.
    pub fn new(midi: u8) -> Velocity {
        Velocity(midi.clamp(1, 127))
    }

    /// The MIDI value, 1 to 127.
    pub fn midi(self) -> u8 {
        self.0
    }
}

/// A struck key. `T` is the unit of time: `f64` for seconds or quarter notes, `u32` for ticks of a
/// [`TimeBase`](crate::time::TimeBase).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Note<T> {
    /// When the key goes down.
    pub onset: T,
    /// How long until it comes up again.
    pub duration: T,
    /// Which key.
    pub key: Key,
    /// How hard.
    pub velocity: Velocity,
}

/// The sustain pedal going down or coming up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct PedalChange<T> {
    /// When.
    pub time: T,
    /// Whether it is down from then on.
    pub down: bool,
}

/// Notes and pedal changes on one timeline, each sorted by time (notes then by key).
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Performance<T> {
    /// The notes, sorted by onset, then by key.
    pub notes: Vec<Note<T>>,
    /// The pedal changes, sorted by time; they alternate, beginning with a press.
    pub pedal: Vec<PedalChange<T>>,
}

impl Note<f64> {
    /// When the key comes up again.
    pub fn end(&self) -> f64 {
        self.onset + self.duration
    }
}

impl Performance<f64> {
    /// The same performance on another timeline: `place` takes each time (onsets, ends and pedal changes) to its new
    /// one and must not reverse their order.
    pub fn map_time(&self, place: impl Fn(f64) -> f64) -> Performance<f64> {
        let move_note = |note: &Note<f64>| {
            let onset = place(note.onset);
            Note { onset, duration: (place(note.end()) - onset).max(0.0), ..*note }
        };
        Performance {
            notes: self.notes.iter().map(move_note).collect(),
            pedal: self
                .pedal
                .iter()
                .map(|change| PedalChange { time: place(change.time), ..*change })
                .collect(),
        }
    }

    /// The same performance with every time and duration multiplied by `factor`, which must be positive.
    pub fn stretched(&self, factor: f64) -> Performance<f64> {
        self.map_time(|time| time * factor)
    }

    /// The same performance `semitones` higher, or `None` when a note would leave the keyboard.
    pub fn transposed(&self, semitones: i32) -> Option<Performance<f64>> {
        let transpose = |note: &Note<f64>| {
            let index = usize::try_from((note.key.index() as i32).saturating_add(semitones)).ok()?;
            Some(Note { key: Key::from_index(index)?, ..*note })
        };
        let notes = self.notes.iter().map(transpose).collect::<Option<_>>()?;
        Some(Performance { notes, pedal: self.pedal.clone() })
    }
}
