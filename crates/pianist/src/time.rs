//! The two time bases and the map between them.

mod annotations;
mod beat_map;
mod quantise;
mod signature;

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

pub use annotations::{AnnotationError, AnnotationProblem};
pub(crate) use beat_map::{Anchor, SAME_PLACE};
pub use beat_map::{Bar, BeatMap};
pub use signature::{TimeSignature, TimeSignatureError};

/// Whole ticks of a [`TimeBase`].
pub type Ticks = u32;

/// The longest shift and the longest duration that the alphabets spell: 10 seconds, or about 42 quarter notes.
pub const MAX_TICKS: Ticks = 1000;

/// What a pianist counts time in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TimeBase {
    /// Seconds; a tick is 10 ms.
    Seconds,
    /// Quarter notes; a tick is 1/24 of one, so that triplets and thirty-second notes fall on whole ticks.
    Beats,
}

impl TimeBase {
    /// Ticks in one unit: per second, or per quarter note.
    pub fn ticks_per_unit(self) -> f64 {
        match self {
            TimeBase::Seconds => 100.0,
            TimeBase::Beats => 24.0,
        }
    }

    /// Units in a quarter note at `tempo`, in quarter notes per minute.
    pub fn units_per_quarter(self, tempo: f64) -> f64 {
        match self {
            TimeBase::Seconds => 60.0 / tempo,
            TimeBase::Beats => 1.0,
        }
    }
}

impl fmt::Display for TimeBase {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(match self {
            TimeBase::Seconds => "seconds",
            TimeBase::Beats => "beats",
        })
    }
}

/// A word that names no [`TimeBase`].
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{0}` is no time base: write `seconds` or `beats`")]
pub struct TimeBaseError(String);

impl FromStr for TimeBase {
    type Err = TimeBaseError;

    fn from_str(word: &str) -> Result<TimeBase, TimeBaseError> {
        match word {
            "seconds" => Ok(TimeBase::Seconds),
            "beats" => Ok(TimeBase::Beats),
            _ => Err(TimeBaseError(word.to_owned())),
        }
    }
}
