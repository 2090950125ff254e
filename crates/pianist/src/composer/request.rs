//! What a take is asked to be.

use thiserror::Error;

use super::MAX_TAKES;
use crate::alphabet::Pedal;
use crate::locks::{Locks, LocksError};
use crate::note::Performance;
use crate::sampler::{Freedom, Temperatures};
use crate::time::TimeSignature;

/// Tempi that are composed for, in quarter notes per minute: what hosts offer.
const TEMPI: std::ops::RangeInclusive<f64> = 5.0..=1000.0;
/// The longest take in quarter notes: a day of slow music.
pub const MAX_QUARTERS: f64 = 100_000.0;
/// The highest temperature; all choices are even long before.
const HOTTEST: f32 = 100.0;
/// The highest density; the conditions' last bin begins at 64.
const DENSEST: f32 = 1000.0;

/// Everything beside the pianist that a take depends on.
#[derive(Debug, Clone, PartialEq)]
pub struct Request {
    /// Where chance comes from: the same seed gives the same take.
    pub seed: u64,
    /// How many bars to compose, at least 1.
    pub bars: u32,
    /// In quarter notes per minute, 5 to 1000.
    pub tempo: f64,
    /// The metre of every bar.
    pub time_signature: TimeSignature,
    /// What the music should be like.
    pub knobs: Knobs,
    /// Music that the take continues, in quarter notes; 0 is the start of a bar. The take begins with the first bar
    /// after the primer's last onset. Only its end counts: at most 1024 notes, and nothing before a rest of more than
    /// [`MAX_TICKS`](crate::time::MAX_TICKS).
    pub primer: Option<Performance<f64>>,
}

/// What the music should be like.
#[derive(Debug, Clone, PartialEq)]
pub struct Knobs {
    /// How freely the pianist chooses.
    pub freedom: Freedom,
    /// Notes per second (or per quarter note, for a pianist in beats) to aim at; `None` leaves it to the pianist.
    pub density: Option<f32>,
    /// How much of each pitch class (C first) to aim at; `None` leaves it to the pianist.
    pub pitch_classes: Option<[f32; 12]>,
    /// What holds for every note.
    pub locks: Locks,
    /// Whether there are pedal changes, or notes last as long as the pedal would let them.
    pub pedal: Pedal,
}

impl Default for Knobs {
    /// The pianist as it is, with the pedal.
    fn default() -> Knobs {
        Knobs {
            freedom: Freedom::default(),
            density: None,
            pitch_classes: None,
            locks: Locks::default(),
            pedal: Pedal::Keep,
        }
    }
}

impl Default for Request {
    /// Sixteen bars of 4/4 at 120 with seed 0.
    fn default() -> Request {
        Request {
            seed: 0,
            bars: 16,
            tempo: 120.0,
            time_signature: TimeSignature::COMMON,
            knobs: Knobs::default(),
            primer: None,
        }
    }
}

/// Why a request can't be met.
#[derive(Debug, Clone, Copy, PartialEq, Error)]
pub enum RequestError {
    /// Not a tempo.
    #[error("a tempo of {0} is not possible: choose 5 to 1000 quarter notes per minute")]
    Tempo(f64),
    /// No bar at all, or too many.
    #[error("{0} bars are not possible: choose at least 1, and at most {MAX_QUARTERS} quarter notes in all")]
    Bars(u32),
    /// Not a temperature.
    #[error("a temperature of {0} is not possible: choose 0 (always the likeliest) to 100")]
    Temperature(f32),
    /// `top_p` or `min_p` is no probability.
    #[error("{0} is no probability: choose 0 to 1 for top-p and min-p")]
    Probability(f32),
    /// Not a density.
    #[error("a density of {0} is not possible: choose 0 to 1000 notes per second or quarter note")]
    Density(f32),
    /// No shares.
    #[error("the shares of the pitch classes must be positive or 0, and one of them more")]
    PitchClasses,
    /// The locks leave nothing.
    #[error(transparent)]
    Locks(#[from] LocksError),
    /// More takes than are composed at once.
    #[error("{0} takes are too many to compose at once: ask for at most {MAX_TAKES}")]
    TooManyTakes(usize),
}

impl Request {
    /// Length of the take in quarter notes.
    pub fn quarters(&self) -> f64 {
        f64::from(self.bars) * self.time_signature.quarters_per_bar()
    }

    /// Checks that the request can be met.
    pub fn check(&self) -> Result<(), RequestError> {
        let Knobs { freedom, density, pitch_classes, locks, .. } = &self.knobs;
        let Temperatures { master, pitch, time, dynamics, length } = freedom.temperatures;
        if !TEMPI.contains(&self.tempo) {
            return Err(RequestError::Tempo(self.tempo));
        }
        if self.bars == 0 || self.quarters() > MAX_QUARTERS {
            return Err(RequestError::Bars(self.bars));
        }
        let out_of = |limit: f32| move |value: &f32| !(0.0..=limit).contains(value);
        if let Some(bad) = [master, pitch, time, dynamics, length].into_iter().find(out_of(HOTTEST)) {
            return Err(RequestError::Temperature(bad));
        }
        if let Some(bad) = [freedom.top_p, freedom.min_p].into_iter().find(out_of(1.0)) {
            return Err(RequestError::Probability(bad));
        }
        if let Some(bad) = density.filter(out_of(DENSEST)) {
            return Err(RequestError::Density(bad));
        }
        if pitch_classes.is_some_and(|shares| normalised(shares).is_none()) {
            return Err(RequestError::PitchClasses);
        }
        Ok(locks.check()?)
    }
}

impl Knobs {
    /// The shares of the pitch classes, summing to 1.
    pub(super) fn pitch_class_shares(&self) -> Option<[f32; 12]> {
        self.pitch_classes.and_then(normalised)
    }
}

fn normalised(shares: [f32; 12]) -> Option<[f32; 12]> {
    let sum: f32 = shares.iter().sum();
    let valid = shares.iter().all(|share| *share >= 0.0) && sum > 0.0 && sum.is_finite();
    valid.then(|| shares.map(|share| share / sum))
}
