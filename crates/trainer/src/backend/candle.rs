//! Training with candle, on any device it knows.

use std::panic::resume_unwind;
use std::thread;

use candle_core::utils::{cuda_is_available, metal_is_available};
use candle_core::{Result, Tensor};
use etude_pianist::network::Blueprint;
use etude_pianist::network::reference::{Choices, InputRows, Reference, State};

use super::{Backend, Device, DeviceError};
use crate::batch::{Batch, Block};
use crate::forward::Nats;
use crate::weights::Network;

/// Bytes of stack for an update: candle walks back through a window by recursion, and 4,096 steps overflow the usual
/// 2 MiB.
const STACK: usize = 64 << 20;

/// The GPU that `device` names; it draws dropout from `seed`.
pub(super) fn open(device: Device, seed: u64) -> std::result::Result<candle_core::Device, DeviceError> {
    let opened = match device {
        Device::Cuda if cuda_is_available() => candle_core::Device::new_cuda(0)?,
        Device::Metal if metal_is_available() => candle_core::Device::new_metal(0)?,
        _ => return Err(DeviceError::Missing(device)),
    };
    opened.set_seed(seed)?;
    Ok(opened)
}

impl From<candle_core::Error> for DeviceError {
    fn from(error: candle_core::Error) -> DeviceError {
        DeviceError::Failed(error.into())
    }
}

/// A network in candle, and the state of its streams between windows.
pub struct Candle {
    reference: Reference,
    device: candle_core::Device,
    dropout: f32,
    heads: usize,
    state: Option<State>,
    gradient: Vec<f32>,
}

impl Candle {
    /// Networks of `blueprint` on `device`; `dropout` is the share of values dropped between LSTM layers.
    pub fn new(blueprint: &Blueprint, dropout: f32, device: &candle_core::Device) -> Result<Candle> {
        Ok(Candle {
            reference: Reference::new(blueprint, device)?,
            device: device.clone(),
            dropout,
            heads: blueprint.heads.len(),
            state: None,
            gradient: Vec::new(),
        })
    }

    fn run(&mut self, batch: &Batch, steps_in_all: usize) -> Result<Nats> {
        let state = self.carried_state(batch)?;
        let (outputs, state) = self.reference.listen(input_rows(&batch.inputs), &state, self.dropout)?;
        self.state = Some(state.detach());
        let loss = |head: usize| {
            let choices = &batch.heads[head];
            let (rows, targets, inputs) = (&choices.rows, &choices.targets, input_rows(&choices.inputs));
            self.reference.loss(head, &outputs, Choices { rows, targets, inputs })
        };
        let losses = (0..self.heads).map(loss).collect::<Result<Vec<_>>>()?;
        let losses = Tensor::stack(&losses, 0)?;
        self.gradient = self.reference.gradient(&(losses.sum_all()? / steps_in_all.max(1) as f64)?)?;
        Ok(losses.to_vec1::<f32>()?.into_iter().map(f64::from).collect())
    }

    /// The state after the window before, zero for streams that begin a new piece.
    fn carried_state(&self, batch: &Batch) -> Result<State> {
        let Some(state) = &self.state else { return self.reference.silence(batch.streams) };
        let kept = batch.fresh.iter().map(|&fresh| if fresh { 0.0f32 } else { 1.0 });
        let kept = Tensor::from_iter(kept, &self.device)?.unsqueeze(1)?;
        state.map(|values| values.broadcast_mul(&kept))
    }
}

impl Backend for Candle {
    fn learn(
        &mut self,
        network: &Network,
        batch: &Batch,
        steps_in_all: usize,
    ) -> std::result::Result<Nats, DeviceError> {
        self.reference.load(network.parameters())?;
        thread::scope(|scope| {
            let thread = thread::Builder::new().stack_size(STACK);
            let run = thread.spawn_scoped(scope, || self.run(batch, steps_in_all));
            let result = run.map_err(|error| DeviceError::Failed(error.into()))?.join();
            Ok(result.unwrap_or_else(|panic| resume_unwind(panic))?)
        })
    }

    fn gradient(&mut self) -> &mut [f32] {
        &mut self.gradient
    }
}

fn input_rows(block: &Block) -> InputRows<'_> {
    InputRows { categories: &block.categories, dense: &block.dense }
}
