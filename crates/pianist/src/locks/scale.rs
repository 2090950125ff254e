//! Scales and tonics by their names.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::note::name;

/// The note that a scale starts from: a pitch class, 0 (C) to 11 (B).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "u8")]
pub struct Tonic(u8);

/// A number that is no pitch class.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{0} is no pitch class: those go from 0 (C) to 11 (B)")]
pub struct PitchClassError(u8);

impl TryFrom<u8> for Tonic {
    type Error = PitchClassError;

    fn try_from(pitch_class: u8) -> Result<Tonic, PitchClassError> {
        if pitch_class < 12 { Ok(Tonic(pitch_class)) } else { Err(PitchClassError(pitch_class)) }
    }
}

/// A set of pitch classes above a tonic.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[expect(missing_docs, reason = "the names are the scales' own")]
pub enum Scale {
    Chromatic,
    Major,
    /// Natural minor.
    Minor,
    HarmonicMinor,
    /// Melodic minor as it rises.
    MelodicMinor,
    Dorian,
    Phrygian,
    Lydian,
    Mixolydian,
    Locrian,
    WholeTone,
    PentatonicMajor,
    PentatonicMinor,
    Blues,
}

impl Scale {
    /// All scales: each one's name, and its pitch classes above the tonic as bits, the tonic the lowest.
    const ALL: [(Scale, &'static str, u16); 14] = [
        (Scale::Chromatic, "chromatic", 0b1111_1111_1111),
        (Scale::Major, "major", 0b1010_1011_0101),
        (Scale::Minor, "minor", 0b0101_1010_1101),
        (Scale::HarmonicMinor, "harmonic-minor", 0b1001_1010_1101),
        (Scale::MelodicMinor, "melodic-minor", 0b1010_1010_1101),
        (Scale::Dorian, "dorian", 0b0110_1010_1101),
        (Scale::Phrygian, "phrygian", 0b0101_1010_1011),
        (Scale::Lydian, "lydian", 0b1010_1101_0101),
        (Scale::Mixolydian, "mixolydian", 0b0110_1011_0101),
        (Scale::Locrian, "locrian", 0b0101_0110_1011),
        (Scale::WholeTone, "whole-tone", 0b0101_0101_0101),
        (Scale::PentatonicMajor, "pentatonic-major", 0b0010_1001_0101),
        (Scale::PentatonicMinor, "pentatonic-minor", 0b0100_1010_1001),
        (Scale::Blues, "blues", 0b0100_1110_1001),
    ];

    /// Every scale.
    pub fn all() -> impl Iterator<Item = Scale> {
        Scale::ALL.into_iter().map(|(scale, ..)| scale)
    }

    /// Whether a pitch class (C is 0) is in the scale on `tonic`.
    pub fn contains(self, tonic: Tonic, pitch_class: usize) -> bool {
        let (_, _, degrees) = self.entry();
        degrees >> ((pitch_class + 12 - usize::from(tonic.0)) % 12) & 1 == 1
    }

    fn entry(self) -> (Scale, &'static str, u16) {
        Scale::ALL.into_iter().find(|entry| entry.0 == self).expect("every scale is listed")
    }
}

impl fmt::Display for Scale {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(self.entry().1)
    }
}

/// A word that names no [`Scale`].
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{0}` is no scale known here: write one of {names}", names = Scale::all().map(|scale| scale.to_string()).collect::<Vec<_>>().join(", "))]
pub struct ScaleError(String);

impl FromStr for Scale {
    type Err = ScaleError;

    fn from_str(word: &str) -> Result<Scale, ScaleError> {
        let name = word.to_lowercase().replace([' ', '_'], "-");
        let found = Scale::ALL.into_iter().find(|entry| entry.1 == name);
        found.map(|entry| entry.0).ok_or_else(|| ScaleError(word.to_owned()))
    }
}

impl fmt::Display for Tonic {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(name::PITCH_CLASSES[usize::from(self.0)])
    }
}

/// A word that names no [`Tonic`].
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{0}` is no note name: write one like C, F# or Bb, and name the scale separately")]
pub struct TonicError(String);

impl FromStr for Tonic {
    type Err = TonicError;

    fn from_str(word: &str) -> Result<Tonic, TonicError> {
        match name::read_pitch_class(word) {
            Some((pitch_class, "")) => Ok(Tonic(pitch_class.rem_euclid(12) as u8)),
            _ => Err(TonicError(word.to_owned())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn notes(tonic: &str, scale: &str) -> Vec<&'static str> {
        let (tonic, scale): (Tonic, Scale) = (tonic.parse().unwrap(), scale.parse().unwrap());
        (0..12)
            .filter(|pitch_class| scale.contains(tonic, *pitch_class))
            .map(|i| name::PITCH_CLASSES[i])
            .collect()
    }

    #[test]
    fn scales_hold_their_notes() {
        assert_eq!(notes("C", "major"), ["C", "D", "E", "F", "G", "A", "B"]);
        assert_eq!(notes("A", "minor"), notes("C", "major"));
        assert_eq!(notes("Eb", "major"), ["C", "D", "Eb", "F", "G", "Ab", "Bb"]);
        assert_eq!(notes("A", "Harmonic Minor"), ["C", "D", "E", "F", "Ab", "A", "B"]);
        assert_eq!(notes("A", "melodic_minor"), ["C", "D", "E", "F#", "Ab", "A", "B"]);
        for (mode, tonic) in
            [("dorian", "D"), ("phrygian", "E"), ("lydian", "F"), ("mixolydian", "G"), ("locrian", "B")]
        {
            assert_eq!(notes(tonic, mode), notes("C", "major"), "{mode}");
        }
        assert_eq!(notes("a", "pentatonic-minor"), notes("C", "pentatonic-major"));
        assert_eq!(notes("C", "blues"), ["C", "Eb", "F", "F#", "G", "Bb"]);
        assert_eq!(notes("Cb", "whole-tone"), ["C#", "Eb", "F", "G", "A", "B"]);
        assert_eq!(notes("B#", "chromatic").len(), 12);
    }

    #[test]
    fn names_read_back_as_they_are_written() {
        for scale in Scale::all() {
            assert_eq!(scale.to_string().parse(), Ok(scale));
        }
        for name in name::PITCH_CLASSES {
            assert_eq!(name.parse::<Tonic>().unwrap().to_string(), name);
        }
    }

    #[test]
    fn wrong_names_are_answered_with_the_right_ones() {
        let error = "mayor".parse::<Scale>().unwrap_err().to_string();
        assert!(error.contains("`mayor`") && error.contains("harmonic-minor"), "{error}");
        assert!("H".parse::<Tonic>().is_err() && "C4".parse::<Tonic>().is_err());
    }
}
