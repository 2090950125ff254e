//! What the blocks of the network read, row by row.

use crate::alphabet::InputRow;
#[cfg(feature = "candle")]
use crate::network::reference;
use crate::network::{Blueprint, Inputs};

/// The inputs of every block for the rows of a batch: what streams fill in, whichever device reads it.
pub(super) struct BatchInputs {
    /// What the first layer reads.
    pub(super) trunk: InputRows,
    /// What each head reads.
    pub(super) heads: Vec<InputRows>,
}

impl BatchInputs {
    pub(super) fn new(blueprint: &Blueprint, rows: usize) -> BatchInputs {
        BatchInputs {
            trunk: InputRows::new(&blueprint.inputs, rows),
            heads: blueprint.heads.iter().map(|head| InputRows::new(&head.inputs, rows)).collect(),
        }
    }
}

/// Inputs of one block for every row of a batch.
pub(super) struct InputRows {
    categories: Vec<u16>,
    dense: Vec<f32>,
    categories_per_row: usize,
    dense_per_row: usize,
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

    /// Row `row`, to fill in.
    pub(super) fn row(&mut self, row: usize) -> InputRow<'_> {
        InputRow {
            categories: &mut self.categories[row * self.categories_per_row..][..self.categories_per_row],
            dense: &mut self.dense[row * self.dense_per_row..][..self.dense_per_row],
        }
    }

    /// The symbols of row `row`.
    pub(super) fn categories(&self, row: usize) -> &[u16] {
        &self.categories[row * self.categories_per_row..][..self.categories_per_row]
    }

    /// Row `row` as the reference network reads it.
    #[cfg(feature = "candle")]
    pub(super) fn one(&self, row: usize) -> reference::InputRows<'_> {
        reference::InputRows { categories: self.categories(row), dense: self.dense(row) }
    }

    /// The dense values of row `row`.
    pub(super) fn dense(&self, row: usize) -> &[f32] {
        &self.dense[row * self.dense_per_row..][..self.dense_per_row]
    }
}
