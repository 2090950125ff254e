//! The network at play: one step at a time for a batch of streams, on whatever device.
//!
//! An [`Engine`] holds a pianist's weights, shared by everything that plays it; a [`Batch`] holds the state of some
//! streams and the working space of a step. A step is [`Batch::advance`], then [`Batch::head`] for each head that a
//! stream asks for. Each stream's results are the same, bit for bit, whichever others share its batch.
//!
//! [`CpuEngine`] never fails. Other devices can get lost, hang or run out of memory in mid-take; what they compute then
//! is worthless, and their engines name a [`fallback`](Engine::fallback) that goes on from the steps so far.

mod cpu;
mod device;
mod fastest;
#[cfg(feature = "gpu")]
mod gpu;
mod inputs;
#[cfg(feature = "candle")]
mod reference;

pub use cpu::{CpuEngine, Instructions, Precision, PrecisionError};
pub use device::{Device, DeviceNameError};
pub use fastest::{Fastest, step_time};
#[cfg(feature = "gpu")]
pub use gpu::{GpuEngine, adapters};
#[cfg(feature = "candle")]
pub use reference::ReferenceEngine;

use std::sync::Arc;

use thiserror::Error;

use crate::alphabet::{Alphabet, InputRow};
use crate::network::Blueprint;
use crate::time::TimeBase;

/// A pianist's weights on a device.
pub trait Engine: Send + Sync {
    /// How the pianist spells performances.
    fn alphabet(&self) -> Alphabet;

    /// What the pianist counts time in.
    fn time_base(&self) -> TimeBase;

    /// The size of the network's parts.
    fn blueprint(&self) -> &Blueprint;

    /// What computes, and how, in a few words for a status line.
    fn device(&self) -> &str;

    /// `streams` streams that have heard nothing, with the space to work on all of them at once.
    ///
    /// # Errors
    /// If the device is lost or has no room for them. [`fallback`](Engine::fallback) is not `None` then.
    fn batch(&self, streams: usize) -> Result<Box<dyn Batch>, DeviceError>;

    /// The engine that takes `streams` streams through a step soonest; `None` if it is this one, because there is no
    /// other to choose.
    fn fastest_for(&self, _streams: usize) -> Option<Arc<dyn Engine>> {
        None
    }

    /// Why the device computes nothing any more, if it failed for good.
    fn failure(&self) -> Option<DeviceError> {
        None
    }

    /// The engine that goes on where this one's device fails; `None` for one that can't fail.
    fn fallback(&self) -> Option<Arc<dyn Engine>> {
        None
    }
}

/// The state of some streams, their inputs and results. After an error there is no more use for it.
pub trait Batch: Send {
    /// What the first layer reads in row `row` of the next [`Batch::advance`], to fill in.
    fn input_row(&mut self, row: usize) -> InputRow<'_>;

    /// What `head` reads in row `row` of the next [`Batch::head`], to fill in.
    fn head_row(&mut self, head: usize, row: usize) -> InputRow<'_>;

    /// Lets each of `streams` hear its row of [`Batch::input_row`]: the first stream the first row, and so on.
    ///
    /// # Errors
    /// If the device fails.
    ///
    /// # Panics
    /// If a stream or a symbol is out of range.
    fn advance(&mut self, streams: &[usize]) -> Result<(), DeviceError>;

    /// Lets `head` choose for each of `streams`, reading its row of [`Batch::head_row`]; the results are in
    /// [`Batch::logits`], row by row.
    ///
    /// # Errors
    /// If the device fails.
    ///
    /// # Panics
    /// If a stream or a symbol is out of range.
    fn head(&mut self, head: usize, streams: &[usize]) -> Result<(), DeviceError>;

    /// The unnormalised log-probabilities that the head that ran last gives the symbols, in row `row`.
    fn logits(&self, row: usize) -> &[f32];
}

/// Why a device can't compute, or can't any more.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{device}: {reason}")]
pub struct DeviceError {
    /// The device, as its user knows it.
    pub device: String,
    /// What happened, and what to do about it.
    pub reason: String,
}
