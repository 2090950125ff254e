//! A pianist as one file: a trained network with everything needed to let it play.
//!
//! The file is in the safetensors format: every parameter of the [`Layout`] under its name in f16, biases as vectors,
//! and one metadata entry, `etude`, with a JSON object of the format's version, the alphabet, the time base, the
//! network's size, the card and a hash of the parameters. One entry, because safetensors keeps metadata in no certain
//! order, and the same pianist gives the same bytes.

mod read;
mod write;

use std::io;
use std::path::PathBuf;

use half::f16;
use half::slice::HalfFloatSliceExt;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use thiserror::Error;

use crate::alphabet::Alphabet;
use crate::card::{Card, hex};
use crate::network::{Blueprint, Layout};
use crate::time::TimeBase;

/// Version of the format; a file of another one is refused.
const VERSION: u32 = 1;
/// The metadata entry that makes a safetensors file a pianist.
const HEADER_KEY: &str = "etude";

/// The most LSTM layers that a file may ask for.
pub const MAX_LAYERS: usize = 8;
/// The most units per layer that a file may ask for.
pub const MAX_UNITS: usize = 4096;
/// The largest file that is read. The shipped pianists have at most 32 MiB; memory is the limit for others.
pub const LARGEST_MIB: u64 = 256;

/// The largest safetensors header, in bytes. Ours have some 10 KiB, most of it the names of the parameters; the rest is
/// for the card. Parsing one can take fifty times the memory.
const LARGEST_HEADER: u64 = 1 << 16;
/// Bytes of the number before the header, which says how long that is.
const LENGTH_BYTES: usize = 8;

/// A trained network with its alphabet, time base and card.
#[derive(Debug, Clone)]
pub struct Pianist {
    /// How it spells performances.
    pub alphabet: Alphabet,
    /// What it counts time in.
    pub time_base: TimeBase,
    /// The size of every part of its network.
    pub blueprint: Blueprint,
    /// Where each parameter is.
    pub layout: Layout,
    /// The values of each parameter of the layout, row by row, as in the file.
    pub parameters: Vec<Vec<f16>>,
    /// Where it comes from and how good it is.
    pub card: Card,
}

impl Pianist {
    /// A pianist whose network has `layers` LSTM layers of `units` units, with `parameters` in the order of the
    /// [`Layout`], rounded to f16.
    ///
    /// # Panics
    /// If the number of parameters is not that of the layout.
    pub fn new(
        alphabet: Alphabet,
        time_base: TimeBase,
        layers: usize,
        units: usize,
        parameters: Vec<f32>,
        card: Card,
    ) -> Pianist {
        let blueprint = alphabet.blueprint(layers, units);
        let layout = Layout::new(&blueprint);
        assert_eq!(
            layout.len(),
            parameters.len(),
            "{layers} x {units} units have another number of parameters"
        );
        let rounded = |values: &[f32]| values.iter().copied().map(f16::from_f32).collect();
        let parameters = (0..layout.parameters.len()).map(|i| rounded(layout.of(&parameters, i))).collect();
        Pianist { alphabet, time_base, blueprint, layout, parameters, card }
    }

    /// All parameters in the order of the layout.
    pub fn weights(&self) -> Vec<f32> {
        self.parameters.iter().flatten().map(|value| value.to_f32()).collect()
    }

    /// The values of parameter `index` of the layout.
    pub fn values(&self, index: usize) -> Vec<f32> {
        self.parameters[index].to_f32_vec()
    }
}

/// What the metadata entry says.
#[derive(Serialize, Deserialize)]
struct Header {
    version: u32,
    alphabet: Alphabet,
    time_base: TimeBase,
    layers: usize,
    units: usize,
    #[serde(default)]
    card: Card,
    /// SHA-256 of all parameters in the order of the layout, in hexadecimal digits.
    hash: String,
}

/// The hash of parameters for a [`Header`].
fn hash(parameters: &[Vec<f16>]) -> String {
    /// Values that are hashed at once.
    const BLOCK: usize = 4096;
    let mut hash = Sha256::new();
    for block in parameters.iter().flat_map(|values| values.chunks(BLOCK)) {
        hash.update(block.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<u8>>());
    }
    hex(&hash.finalize())
}

/// Why bytes are no pianist, or a pianist can't become bytes.
#[derive(Debug, Error)]
pub enum PianistError {
    /// The bytes end, or a disk fails.
    #[error("it can't be read to its end ({0}); copy or download it again")]
    Unreadable(io::Error),
    /// Not a safetensors file, or a damaged one.
    #[error("it is no complete safetensors file ({0}); copy or download it again")]
    Damaged(String),
    /// Safetensors without our metadata.
    #[error("it holds no pianist; choose a file that `etude-trainer train` wrote")]
    NotAPianist,
    /// The metadata can't be understood.
    #[error("its description can't be read ({0}); copy or download it again")]
    Description(String),
    /// A format of another time.
    #[error(
        "it is in version {0} of the format, and this program reads version {VERSION}; update the older of the two"
    )]
    Version(u32),
    /// A network of a size that is refused.
    #[error("it asks for {layers} layers of {units} units; at most {MAX_LAYERS} of {MAX_UNITS} are possible")]
    Size {
        /// LSTM layers.
        layers: usize,
        /// Units of each.
        units: usize,
    },
    /// A parameter is missing or of another shape.
    #[error("its parameter `{name}` should be {rows} x {columns} values in f16; train or download it again")]
    Parameter {
        /// Name of the parameter.
        name: String,
        /// Rows that it should have.
        rows: usize,
        /// Columns that it should have, 1 for a bias.
        columns: usize,
    },
    /// There is more in the file than the network has.
    #[error("it holds {0} parameters that its network does not have; train or download it again")]
    TooMany(usize),
    /// The card would make a header that is refused.
    #[error("its card is too long; shorten its texts to some ten pages in all")]
    LongCard,
    /// The values are not those that were written.
    #[error("its parameters are not those that were written; copy or download it again")]
    Hash,
    /// A value is infinite or not a number (or beyond f16, when writing).
    #[error(
        "its parameter `{0}` holds values that are no numbers: its training failed; go back to a better one"
    )]
    NotFinite(String),
}

/// Why a pianist can't be read from or written to a file.
#[derive(Debug, Error)]
pub enum PianistFileError {
    /// It can't be read at all.
    #[error("can't read {}: {source}", path.display())]
    Unreadable {
        /// Which file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// It is a folder, a pipe or the like.
    #[error("{} is not a file; give the path of a .safetensors file", path.display())]
    NotAFile {
        /// Which path.
        path: PathBuf,
    },
    /// It is larger than any pianist.
    #[error("{} has more than {LARGEST_MIB} MiB, more than any pianist; check that it is the right file", path.display())]
    TooLarge {
        /// Which file.
        path: PathBuf,
    },
    /// Its contents are not usable.
    #[error("{}: {source}", path.display())]
    Invalid {
        /// Which file.
        path: PathBuf,
        /// What is wrong with it.
        source: PianistError,
    },
    /// It can't be written.
    #[error("can't write {}: {source}", path.display())]
    Unwritable {
        /// Which file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
}
