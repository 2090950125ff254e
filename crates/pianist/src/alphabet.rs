//! How a performance is spelled as model steps and back.
//!
//! A [`Step`] holds one symbol for each head of the network. A [`Context`] follows a sequence of steps as it grows,
//! in training and in composing alike: it says which head chooses next, and what the network reads for that choice.

pub mod events;
pub mod notes;

mod condition;
mod keyboard;
mod recall;
pub(crate) mod ticks;

pub use condition::{Conditions, Metre, Pedal};

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::network::Blueprint;
use crate::note::{Key, Performance, Velocity};
use crate::time::Ticks;

/// Velocities are spelled in this many bins of 4, Performance RNN's.
pub const VELOCITY_BINS: usize = 32;

/// Most heads that a step can have.
pub const MAX_HEADS: usize = 6;

/// One symbol for each head; [`Step::NOTHING`] where a head has nothing to choose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step(pub [u16; MAX_HEADS]);

impl Step {
    /// Stands where a head has nothing to choose.
    pub const NOTHING: u16 = u16::MAX;
    /// A step of which nothing is chosen yet.
    pub const EMPTY: Step = Step([Step::NOTHING; MAX_HEADS]);

    /// The symbol of `head`, if that head chose one.
    pub fn get(&self, head: usize) -> Option<u16> {
        Some(self.0[head]).filter(|&symbol| symbol != Step::NOTHING)
    }
}

/// A row of a block's inputs, to be filled in: a symbol per category, then the dense values.
pub struct InputRow<'a> {
    /// One symbol per category of [`Inputs`](crate::network::Inputs).
    pub categories: &'a mut [u16],
    /// The dense values.
    pub dense: &'a mut [f32],
}

/// A way of spelling performances.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Alphabet {
    /// One step is one note or one pedal change; see [`notes`].
    Notes,
    /// One step is one event of Performance RNN; see [`events`].
    Events,
}

impl Alphabet {
    /// The network that speaks this alphabet with `layers` LSTM layers of `units` units.
    pub fn blueprint(self, layers: usize, units: usize) -> Blueprint {
        match self {
            Alphabet::Notes => notes::blueprint(layers, units),
            Alphabet::Events => events::blueprint(layers, units),
        }
    }

    /// Spells a quantised performance. Velocities are binned; all else comes back exactly from [`Alphabet::decode`].
    pub fn encode(self, performance: &Performance<Ticks>) -> Vec<Step> {
        match self {
            Alphabet::Notes => notes::encode(performance),
            Alphabet::Events => events::encode(performance),
        }
    }

    /// The performance that `steps` spell. Any steps spell a valid one, in which every note ends.
    pub fn decode(self, steps: &[Step]) -> Performance<Ticks> {
        match self {
            Alphabet::Notes => notes::decode(steps),
            Alphabet::Events => events::decode(steps),
        }
    }

    /// The key that a step strikes, if it does.
    pub fn struck(self, step: Step) -> Option<Key> {
        match self {
            Alphabet::Notes => notes::struck(&step),
            Alphabet::Events => events::struck(step),
        }
    }

    /// How much time passes before what a step says, as far as it is chosen.
    pub fn waits(self, step: Step) -> Ticks {
        match self {
            Alphabet::Notes => notes::shift_of(&step),
            Alphabet::Events => events::waits(step),
        }
    }

    /// A context in which nothing has been played yet.
    pub fn context(self) -> Box<dyn Context> {
        match self {
            Alphabet::Notes => Box::new(notes::NotesContext::new()),
            Alphabet::Events => Box::new(events::EventsContext::new()),
        }
    }
}

impl Velocity {
    /// The bin of this velocity, 0 to 31.
    pub fn bin(self) -> usize {
        usize::from(self.midi()) * VELOCITY_BINS / 128
    }

    /// A velocity from the middle of a bin; bins beyond the last count as the last.
    pub fn from_bin(bin: usize) -> Velocity {
        const WIDTH: usize = 128 / VELOCITY_BINS;
        Velocity::new((bin.min(VELOCITY_BINS - 1) * WIDTH + WIDTH / 2) as u8)
    }
}

impl fmt::Display for Alphabet {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(match self {
            Alphabet::Notes => "notes",
            Alphabet::Events => "events",
        })
    }
}

/// A word that names no [`Alphabet`].
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{0}` is no alphabet: write `notes` or `events`")]
pub struct AlphabetError(String);

impl FromStr for Alphabet {
    type Err = AlphabetError;

    fn from_str(word: &str) -> Result<Alphabet, AlphabetError> {
        match word {
            "notes" => Ok(Alphabet::Notes),
            "events" => Ok(Alphabet::Events),
            _ => Err(AlphabetError(word.to_owned())),
        }
    }
}

/// Follows a sequence of steps, one choice after another.
///
/// For each step: [`Context::listen`] once for the network's input, then while [`Context::asks`] names a head,
/// [`Context::read`] that head's inputs and [`Context::choose`] its symbol; [`Context::begin`] begins the next step.
pub trait Context: Send {
    /// Fills in what the network reads before the next step.
    fn listen(&self, conditions: &Conditions, row: InputRow);

    /// The head that chooses next, or `None` once the step is complete.
    fn asks(&self) -> Option<usize>;

    /// Fills in what the head that chooses next reads beside the network's output.
    fn read(&self, conditions: &Conditions, row: InputRow);

    /// Sets the symbol of the head that chooses next.
    ///
    /// # Panics
    /// If no head chooses next (the step is complete): call [`Context::begin`] first.
    fn choose(&mut self, symbol: u16);

    /// Begins a new step after a complete one.
    fn begin(&mut self);

    /// The step so far.
    fn step(&self) -> Step;

    /// Where the music is: the latest onset or pedal change, in ticks from the start.
    fn now(&self) -> Ticks;
}
