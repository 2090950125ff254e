//! Knobs with names for values. The ids are what projects save.

use etude_pianist::locks;
use nice_plug::prelude::Enum;

/// The tonic of the scale that notes are locked to, or none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[expect(missing_docs, reason = "they are called what they are")]
pub enum Tonic {
    #[id = "off"]
    #[name = "off"]
    Off,
    #[id = "C"]
    C,
    #[id = "C#"]
    #[name = "C#"]
    CSharp,
    #[id = "D"]
    D,
    #[id = "Eb"]
    #[name = "Eb"]
    EFlat,
    #[id = "E"]
    E,
    #[id = "F"]
    F,
    #[id = "F#"]
    #[name = "F#"]
    FSharp,
    #[id = "G"]
    G,
    #[id = "Ab"]
    #[name = "Ab"]
    AFlat,
    #[id = "A"]
    A,
    #[id = "Bb"]
    #[name = "Bb"]
    BFlat,
    #[id = "B"]
    B,
}

/// A scale to lock to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[expect(missing_docs, reason = "they are called what they are")]
pub enum Scale {
    #[id = "major"]
    Major,
    #[id = "minor"]
    Minor,
    #[id = "harmonic-minor"]
    #[name = "Harmonic minor"]
    HarmonicMinor,
    #[id = "melodic-minor"]
    #[name = "Melodic minor"]
    MelodicMinor,
    #[id = "dorian"]
    Dorian,
    #[id = "phrygian"]
    Phrygian,
    #[id = "lydian"]
    Lydian,
    #[id = "mixolydian"]
    Mixolydian,
    #[id = "locrian"]
    Locrian,
    #[id = "whole-tone"]
    #[name = "Whole tone"]
    WholeTone,
    #[id = "pentatonic-major"]
    #[name = "Pentatonic major"]
    PentatonicMajor,
    #[id = "pentatonic-minor"]
    #[name = "Pentatonic minor"]
    PentatonicMinor,
    #[id = "blues"]
    Blues,
}

/// Lines that onsets can be pulled to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[expect(missing_docs, reason = "they are called what they are")]
pub enum Grid {
    #[id = "4"]
    #[name = "1/4"]
    Quarter,
    #[id = "8"]
    #[name = "1/8"]
    Eighth,
    #[id = "8t"]
    #[name = "1/8 triplet"]
    EighthTriplet,
    #[id = "16"]
    #[name = "1/16"]
    Sixteenth,
    #[id = "16t"]
    #[name = "1/16 triplet"]
    SixteenthTriplet,
    #[id = "32"]
    #[name = "1/32"]
    ThirtySecond,
}

/// What becomes of the sustain pedal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub enum Pedal {
    /// It is sent as controller 64.
    #[id = "cc64"]
    #[name = "CC64"]
    Cc64,
    /// Notes last as long as it lets them sound.
    #[id = "lengths"]
    #[name = "in note lengths"]
    Lengths,
    /// It is left out.
    #[id = "none"]
    #[name = "none"]
    None,
}

/// What happens at the end of a take.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub enum Mode {
    /// It begins again.
    #[id = "loop"]
    Loop,
    /// It is long enough never to end: it goes on for as long as the host rolls.
    #[id = "endless"]
    Endless,
}

impl Tonic {
    /// The tonic, if there is one.
    pub fn tonic(self) -> Option<locks::Tonic> {
        Tonic::ids()?.get(self.to_index())?.parse().ok()
    }
}

impl Scale {
    /// The scale.
    pub fn scale(self) -> Option<locks::Scale> {
        Scale::ids()?.get(self.to_index())?.parse().ok()
    }
}

impl Grid {
    /// From one line to the next, in quarter notes.
    pub fn quarters(self) -> f64 {
        match self {
            Grid::Quarter => 1.0,
            Grid::Eighth => 0.5,
            Grid::EighthTriplet => 1.0 / 3.0,
            Grid::Sixteenth => 0.25,
            Grid::SixteenthTriplet => 1.0 / 6.0,
            Grid::ThirtySecond => 0.125,
        }
    }

    /// Whether its lines divide a beat in three.
    pub fn is_triplet(self) -> bool {
        matches!(self, Grid::EighthTriplet | Grid::SixteenthTriplet)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_choice_of_key_and_scale_is_one_that_locks_know() {
        assert_eq!(Tonic::Off.tonic(), None);
        let tonics = (1..Tonic::variants().len()).map(Tonic::from_index);
        for tonic in tonics {
            assert_eq!(tonic.tonic().unwrap().to_string(), Tonic::variants()[tonic.to_index()]);
        }
        for scale in (0..Scale::variants().len()).map(Scale::from_index) {
            assert!(scale.scale().is_some(), "{scale:?}");
        }
    }
}
