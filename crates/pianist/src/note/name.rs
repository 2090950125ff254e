//! Keys and pitch classes by their names.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

use super::Key;

/// Names of the pitch classes from C on.
pub(crate) const PITCH_CLASSES: [&str; 12] =
    ["C", "C#", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B"];

/// Its name, such as C4 for middle C.
impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "{}{}", PITCH_CLASSES[self.pitch_class()], self.midi() / 12 - 1)
    }
}

/// A word that names no key of a piano.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{0}` is no piano key: write a name from A0 to C8 (C4 is middle C) or a MIDI number from 21 to 108")]
pub struct KeyNameError(String);

/// Reads a name, such as C4 (middle C), F#3 or Bb2, or a MIDI number.
impl FromStr for Key {
    type Err = KeyNameError;

    fn from_str(word: &str) -> Result<Key, KeyNameError> {
        let named = || {
            let (pitch_class, octave) = read_pitch_class(word)?;
            let octave: i32 = octave.parse().ok().filter(|octave| (-1..=9).contains(octave))?;
            u8::try_from(pitch_class + 12 * (octave + 1)).ok()
        };
        let midi = word.parse().ok().or_else(named);
        midi.and_then(Key::from_midi).ok_or_else(|| KeyNameError(word.to_owned()))
    }
}

/// The semitones above C of the note that `word` begins with (-1 for Cb), and the rest of the word.
pub(crate) fn read_pitch_class(word: &str) -> Option<(i32, &str)> {
    let letter = word.chars().next()?;
    let natural =
        [9, 11, 0, 2, 4, 5, 7].get((letter.to_ascii_uppercase() as usize).checked_sub('A' as usize)?)?;
    let rest = &word[letter.len_utf8()..];
    let accidental = |names: [char; 2]| rest.strip_prefix(names);
    Some(match (accidental(['#', '♯']), accidental(['b', '♭'])) {
        (Some(rest), _) => (natural + 1, rest),
        (_, Some(rest)) => (natural - 1, rest),
        _ => (*natural, rest),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_read_by_name_or_number() {
        let midi = |word: &str| word.parse().map(Key::midi).ok();
        assert_eq!(
            ["A0", "C4", "f#3", "Bb2", "C8", "60", "Cb4"].map(midi),
            [21, 60, 54, 46, 108, 60, 59].map(Some)
        );
        for word in ["", "H4", "C", "C99", "Ab0", "C#8", "20", "109", "é4", "C4 "] {
            assert_eq!(midi(word), None, "{word}");
        }
    }

    #[test]
    fn the_name_of_every_key_reads_back() {
        for key in Key::all() {
            assert_eq!(key.to_string().parse(), Ok(key));
        }
    }

    #[test]
    fn the_black_keys_are_those_that_need_a_sign() {
        for key in Key::all() {
            assert_eq!(key.is_black(), key.to_string().contains(['#', 'b']), "{key}");
        }
    }
}
