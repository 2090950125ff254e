//! Some streams on the processor.

use std::sync::Arc;

use super::heads::{Heads, HeadsState};
use super::trunk::{Trunk, TrunkState};
use crate::alphabet::InputRow;
use crate::engine::inputs::BatchInputs;
use crate::engine::{Batch, DeviceError};
use crate::network::Blueprint;

pub(super) struct CpuBatch {
    trunk: Arc<Trunk>,
    heads: Arc<Heads>,
    inputs: BatchInputs,
    trunk_state: TrunkState,
    heads_state: HeadsState,
}

impl CpuBatch {
    pub(super) fn new(
        blueprint: &Blueprint,
        trunk: Arc<Trunk>,
        heads: Arc<Heads>,
        streams: usize,
    ) -> CpuBatch {
        CpuBatch {
            trunk,
            heads,
            inputs: BatchInputs::new(blueprint, streams),
            trunk_state: TrunkState::new(blueprint.layers, blueprint.units, streams),
            heads_state: HeadsState::default(),
        }
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
        self.trunk.advance(&mut self.trunk_state, &self.inputs.trunk, streams);
        Ok(())
    }

    fn head(&mut self, head: usize, streams: &[usize]) -> Result<(), DeviceError> {
        let outputs = streams.iter().map(|&stream| self.trunk_state.output(stream));
        self.heads.choose(&mut self.heads_state, head, &self.inputs.heads[head], outputs);
        Ok(())
    }

    fn logits(&self, row: usize) -> &[f32] {
        self.heads_state.logits(row)
    }
}
