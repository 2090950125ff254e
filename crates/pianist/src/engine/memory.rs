//! What an engine remembers of its streams, and the space in which it works.

use crate::alphabet::InputRow;
use crate::network::{Blueprint, Inputs};

/// The state of some streams, their inputs, and the working space of a step.
pub struct Memory {
    pub(super) layers: Vec<LayerState>,
    /// `[streams, units]`: what the last layer put out for each stream.
    pub(super) outputs: Vec<f32>,
    /// What the first layer reads, row by row.
    pub(super) inputs: InputRows,
    /// What each head reads, row by row.
    pub(super) heads: Vec<InputRows>,
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

/// Inputs of one block of the network for every row of a batch.
pub(super) struct InputRows {
    categories: Vec<u16>,
    dense: Vec<f32>,
    categories_per_row: usize,
    dense_per_row: usize,
}

impl Memory {
    pub(super) fn new(blueprint: &Blueprint, streams: usize) -> Memory {
        let state = vec![0.0; streams * blueprint.units];
        let layer = || LayerState { cells: state.clone(), hidden: state.clone() };
        Memory {
            layers: (0..blueprint.layers).map(|_| layer()).collect(),
            outputs: state.clone(),
            inputs: InputRows::new(&blueprint.inputs, streams),
            heads: blueprint.heads.iter().map(|head| InputRows::new(&head.inputs, streams)).collect(),
            logits: Vec::new(),
            logits_width: 0,
            below: Vec::new(),
            gates: Vec::new(),
            joined: Vec::new(),
            scratch: Vec::new(),
        }
    }

    /// What the first layer reads in row `row` of the next [`Engine::advance`](super::Engine::advance), to fill in.
    pub fn input_row(&mut self, row: usize) -> InputRow<'_> {
        self.inputs.row(row)
    }

    /// What `head` reads in row `row` of the next [`Engine::head`](super::Engine::head), to fill in.
    pub fn head_row(&mut self, head: usize, row: usize) -> InputRow<'_> {
        self.heads[head].row(row)
    }

    /// The unnormalised log-probabilities that the head that ran last gives the symbols, in row `row`.
    pub fn logits(&self, row: usize) -> &[f32] {
        &self.logits[row * self.logits_width..][..self.logits_width]
    }
}

impl InputRows {
    fn new(inputs: &Inputs, rows: usize) -> InputRows {
        let categories = inputs.categories.len();
        InputRows {
            categories: vec![0; rows * categories],
            dense: vec![0.0; rows * inputs.dense],
            categories_per_row: categories,
            dense_per_row: inputs.dense,
        }
    }

    fn row(&mut self, row: usize) -> InputRow<'_> {
        InputRow {
            categories: &mut self.categories[row * self.categories_per_row..][..self.categories_per_row],
            dense: &mut self.dense[row * self.dense_per_row..][..self.dense_per_row],
        }
    }

    pub(super) fn categories(&self, row: usize) -> &[u16] {
        &self.categories[row * self.categories_per_row..][..self.categories_per_row]
    }

    pub(super) fn dense(&self, row: usize) -> &[f32] {
        &self.dense[row * self.dense_per_row..][..self.dense_per_row]
    }
}
