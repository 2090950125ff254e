//! The engine on the processor. It never fails.

mod activations;
mod affine;
mod batch;
pub(super) mod heads;
mod instructions;
mod matrix;
mod pages;
mod precision;
mod tile;
mod trunk;

pub use instructions::Instructions;
pub use precision::{Precision, PrecisionError};

use std::sync::Arc;

use super::{Batch, DeviceError, Engine};
use crate::alphabet::Alphabet;
use crate::model_file::Pianist;
use crate::network::Blueprint;
use crate::time::TimeBase;
use batch::CpuBatch;
use heads::Heads;
use trunk::Trunk;

/// A pianist's weights in main memory, packed for one instruction set. A step allocates nothing once a batch has made
/// one as large. In int8 every processor computes the same, bit for bit.
pub struct CpuEngine {
    alphabet: Alphabet,
    time_base: TimeBase,
    blueprint: Blueprint,
    device: String,
    trunk: Arc<Trunk>,
    heads: Arc<Heads>,
}

impl CpuEngine {
    /// Packs the weights of `pianist` for the fastest instructions of this machine.
    pub fn new(pianist: Pianist, precision: Precision) -> CpuEngine {
        CpuEngine::with_instructions(pianist, precision, Instructions::best())
    }

    /// Packs the weights of `pianist` for certain instructions.
    ///
    /// # Panics
    /// If this machine doesn't have the instructions.
    pub fn with_instructions(
        pianist: Pianist,
        precision: Precision,
        instructions: Instructions,
    ) -> CpuEngine {
        assert!(instructions.is_available(), "this machine has no {instructions}");
        let Pianist { alphabet, time_base, .. } = pianist;
        let packer = affine::Packer::new(pianist, precision, instructions);
        CpuEngine {
            alphabet,
            time_base,
            device: format!("CPU ({instructions}, {precision})"),
            trunk: Arc::new(Trunk::new(&packer)),
            heads: Arc::new(Heads::new(&packer)),
            blueprint: packer.blueprint,
        }
    }

    /// The weights of the heads, for devices that leave these to the processor.
    #[cfg(feature = "gpu")]
    pub(super) fn heads(&self) -> Arc<Heads> {
        self.heads.clone()
    }

    /// Size of the packed weights in bytes, tables of products included.
    pub fn bytes(&self) -> usize {
        self.trunk.bytes() + self.heads.bytes()
    }

    /// How many bytes of weights a step reads, of the tables one row each.
    pub fn bytes_per_step(&self) -> usize {
        self.trunk.bytes_per_step() + self.heads.bytes_per_step()
    }
}

impl Engine for CpuEngine {
    fn alphabet(&self) -> Alphabet {
        self.alphabet
    }

    fn time_base(&self) -> TimeBase {
        self.time_base
    }

    fn blueprint(&self) -> &Blueprint {
        &self.blueprint
    }

    fn device(&self) -> &str {
        &self.device
    }

    fn batch(&self, streams: usize) -> Result<Box<dyn Batch>, DeviceError> {
        Ok(Box::new(CpuBatch::new(&self.blueprint, self.trunk.clone(), self.heads.clone(), streams)))
    }
}
