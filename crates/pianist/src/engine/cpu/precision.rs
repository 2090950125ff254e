//! How exact weights are.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

/// How weights are kept, and with it how much of them must be read at every step.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Precision {
    /// All in f32.
    F32,
    /// Weights in bf16, all else in f32.
    Bf16,
    /// Weights and what they are multiplied with in 8 bits, sums exact, all else in f32: the fastest, and the same bit
    /// for bit on every processor.
    #[default]
    Int8,
}

impl Precision {
    const ALL: [Precision; 3] = [Precision::F32, Precision::Bf16, Precision::Int8];

    fn word(self) -> &'static str {
        match self {
            Precision::F32 => "f32",
            Precision::Bf16 => "bf16",
            Precision::Int8 => "int8",
        }
    }
}

impl fmt::Display for Precision {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// A word that names no [`Precision`].
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{0}` is no precision: write `f32`, `bf16` or `int8`")]
pub struct PrecisionError(String);

impl FromStr for Precision {
    type Err = PrecisionError;

    fn from_str(word: &str) -> Result<Precision, PrecisionError> {
        let named = Precision::ALL.into_iter().find(|precision| precision.word() == word);
        named.ok_or_else(|| PrecisionError(word.to_owned()))
    }
}
