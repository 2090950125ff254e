//! Where losses and gradients are computed: the fused path on the processor, or candle on a GPU.

#[cfg(feature = "candle")]
pub mod candle;

use std::error::Error;

use etude_pianist::kernel::Kernel;
use etude_pianist::network::{Blueprint, Layout};

use crate::backward::Gradients;
use crate::batch::Batch;
use crate::forward::{Nats, Tape};
use crate::learner::Size;
use crate::weights::Network;

/// Computes losses and gradients for some streams, window after window.
pub trait Backend: Send {
    /// Runs `network` forward and backward over `batch`, with the state carried over from the batch before. Returns
    /// the loss of every head, summed over its choices.
    fn learn(&mut self, network: &Network, batch: &Batch, steps_in_all: usize) -> Result<Nats, DeviceError>;

    /// The gradient, by all parameters in the order of the layout, of the total of the latest losses divided by their
    /// `steps_in_all`.
    fn gradient(&mut self) -> &mut [f32];
}

/// Where a network is trained.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Device {
    /// The processor.
    Cpu,
    /// The first NVIDIA GPU.
    Cuda,
    /// An Apple GPU.
    Metal,
}

impl Device {
    /// One backend for each part that the streams are to be shared out in: `size.threads` on the processor (at most
    /// one for each stream), one on a GPU.
    pub fn backends(
        self,
        blueprint: &Blueprint,
        kernel: Kernel,
        size: Size,
        seed: u64,
    ) -> Result<Vec<Box<dyn Backend>>, DeviceError> {
        match self {
            Device::Cpu => {
                let seeds = (0..size.threads.clamp(1, size.streams) as u64).map(|i| seed.wrapping_add(i));
                let fused =
                    |seed| Box::new(Fused::new(blueprint, kernel, size.dropout, seed)) as Box<dyn Backend>;
                Ok(seeds.map(fused).collect())
            }
            #[cfg(feature = "candle")]
            Device::Cuda | Device::Metal => {
                let device = candle::open(self, seed)?;
                Ok(vec![Box::new(candle::Candle::new(blueprint, size.dropout, &device)?)])
            }
            #[cfg(not(feature = "candle"))]
            Device::Cuda | Device::Metal => Err(DeviceError::Missing(self)),
        }
    }
}

impl std::fmt::Display for Device {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Device::Cpu => "cpu",
            Device::Cuda => "cuda",
            Device::Metal => "metal",
        })
    }
}

/// Why a device can't train.
#[derive(Debug, thiserror::Error)]
pub enum DeviceError {
    /// This program was built without it.
    #[error(
        "this etude-trainer was built without {0}; \
         build it with `cargo build --release -p etude-trainer --features {0}`"
    )]
    Missing(Device),
    /// The device or its driver refused.
    #[error("the device can't train; try fewer --streams, a shorter --window, or --device cpu")]
    Failed(#[source] Box<dyn Error + Send + Sync>),
}

/// One thread of the processor.
pub struct Fused {
    tape: Tape,
    gradients: Gradients,
}

impl Fused {
    /// Working memory for networks of `blueprint` on `kernel`; `dropout` is the share of values dropped between LSTM
    /// layers, drawn from `seed`.
    pub fn new(blueprint: &Blueprint, kernel: Kernel, dropout: f32, seed: u64) -> Fused {
        Fused {
            tape: Tape::new(blueprint, kernel, dropout, seed),
            gradients: Gradients::new(Layout::new(blueprint).len(), kernel),
        }
    }
}

impl Backend for Fused {
    fn learn(&mut self, network: &Network, batch: &Batch, steps_in_all: usize) -> Result<Nats, DeviceError> {
        let nats = self.tape.forward(network, batch, steps_in_all);
        self.gradients.backward(&mut self.tape, network, batch);
        Ok(nats)
    }

    fn gradient(&mut self) -> &mut [f32] {
        &mut self.gradients.flat
    }
}
