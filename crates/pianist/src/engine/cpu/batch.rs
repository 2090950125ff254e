//! What the processor remembers of its streams, and the space in which it works.

use std::sync::Arc;

use super::Weights;
use crate::alphabet::InputRow;
use crate::engine::inputs::BatchInputs;
use crate::engine::{Batch, DeviceError};
use crate::network::Blueprint;

pub(super) struct CpuBatch {
    weights: Arc<Weights>,
    inputs: BatchInputs,
    memory: Memory,
}

/// The state of some streams and the working space of a step.
pub(super) struct Memory {
    pub(super) layers: Vec<LayerState>,
    /// `[streams, units]`: what the last layer put out for each stream.
    pub(super) outputs: Vec<f32>,
    /// `[rows, symbols]` of the head that ran last.
    pub(super) logits: Vec<f32>,
    pub(super) logits_width: usize,
    /// `[rows, inputs]` of the layer at work, then its outputs.
    pub(super) below: Vec<f32>,
    /// Gates of a layer, or hidden units of a head.
    pub(super) gates: Vec<f32>,
    /// A factor of a product, put together from several places.
    pub(super) joined: Vec<f32>,
    pub(super) scratch: Vec<u32>,
}

/// Cells and hidden states of a layer: `[streams, units]`.
pub(super) struct LayerState {
    pub(super) cells: Vec<f32>,
    pub(super) hidden: Vec<f32>,
}

impl CpuBatch {
    pub(super) fn new(weights: Arc<Weights>, streams: usize) -> CpuBatch {
        let inputs = BatchInputs::new(&weights.blueprint, streams);
        let memory = Memory::new(&weights.blueprint, streams);
        CpuBatch { weights, inputs, memory }
    }
}

impl Batch for CpuBatch {
    fn input_row(&mut self, row: usize) -> InputRow<'_> {
        self.inputs.trunk.row(row)
    }

    fn head_row(&mut self, head: usize, row: usize) -> InputRow<'_> {
        self.inputs.heads[head].row(row)
    }

    fn advance(&mut self, streams: &[usize]) -> Result<(), DeviceError> {
        self.weights.advance(&mut self.memory, &self.inputs.trunk, streams);
        Ok(())
    }

    fn head(&mut self, head: usize, streams: &[usize]) -> Result<(), DeviceError> {
        self.weights.head(&mut self.memory, &self.inputs.heads[head], head, streams);
        Ok(())
    }

    fn logits(&self, row: usize) -> &[f32] {
        &self.memory.logits[row * self.memory.logits_width..][..self.memory.logits_width]
    }
}

impl Memory {
    fn new(blueprint: &Blueprint, streams: usize) -> Memory {
        let state = vec![0.0; streams * blueprint.units];
        let layer = || LayerState { cells: state.clone(), hidden: state.clone() };
        Memory {
            layers: (0..blueprint.layers).map(|_| layer()).collect(),
            outputs: state.clone(),
            logits: Vec::new(),
            logits_width: 0,
            below: Vec::new(),
            gates: Vec::new(),
            joined: Vec::new(),
            scratch: Vec::new(),
        }
    }
}
