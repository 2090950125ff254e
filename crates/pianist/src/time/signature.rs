//! Time signatures.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// A time signature such as 4/4 or 6/8: 1 to 99 notes of a value from 1 (whole) to 64 in a bar.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TimeSignature {
    numerator: u8,
    denominator: u8,
}

/// Why something is no time signature.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error(
    "`{0}` is no time signature: write one like 4/4, with a count of 1 to 99 over 1, 2, 4, 8, 16, 32 or 64"
)]
pub struct TimeSignatureError(String);

impl TimeSignature {
    /// Four quarter notes in a bar.
    pub const COMMON: TimeSignature = TimeSignature { numerator: 4, denominator: 4 };

    /// `numerator` notes of the value 1/`denominator` in a bar.
    pub fn new(numerator: u8, denominator: u8) -> Result<TimeSignature, TimeSignatureError> {
        let valid = (1..=99).contains(&numerator) && denominator.is_power_of_two() && denominator <= 64;
        if valid {
            Ok(TimeSignature { numerator, denominator })
        } else {
            Err(TimeSignatureError(format!("{numerator}/{denominator}")))
        }
    }

    /// How many notes of its value fill a bar, 1 to 99.
    pub fn numerator(self) -> u8 {
        self.numerator
    }

    /// The value counted: 1 for whole notes to 64 for sixty-fourths.
    pub fn denominator(self) -> u8 {
        self.denominator
    }

    /// Length of a bar in quarter notes.
    pub fn quarters_per_bar(self) -> f64 {
        f64::from(self.numerator) * 4.0 / f64::from(self.denominator)
    }
}

impl Default for TimeSignature {
    fn default() -> TimeSignature {
        TimeSignature::COMMON
    }
}

impl fmt::Display for TimeSignature {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "{}/{}", self.numerator, self.denominator)
    }
}

impl FromStr for TimeSignature {
    type Err = TimeSignatureError;

    fn from_str(text: &str) -> Result<TimeSignature, TimeSignatureError> {
        let error = || TimeSignatureError(text.to_owned());
        let (numerator, denominator) = text.split_once('/').ok_or_else(error)?;
        let number = |digits: &str| digits.trim().parse().map_err(|_| error());
        TimeSignature::new(number(numerator)?, number(denominator)?).map_err(|_| error())
    }
}

impl TryFrom<String> for TimeSignature {
    type Error = TimeSignatureError;

    fn try_from(text: String) -> Result<TimeSignature, TimeSignatureError> {
        text.parse()
    }
}

impl From<TimeSignature> for String {
    fn from(signature: TimeSignature) -> String {
        signature.to_string()
    }
}
