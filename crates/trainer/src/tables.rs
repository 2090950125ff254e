//! The embedded inputs of the first layer, multiplied once per symbol instead of once per step.
//!
//! What an embedded attribute adds to the gates depends on its symbol alone. So the forward pass looks it up in a
//! [`Table`], and the backward pass sums the gradients of all steps that looked up the same symbol before it multiplies.

use etude_pianist::kernel::{
    Kernel, LANES, Outer, Rows, Summand, Words, accumulate_outer, load, product, store,
};
use etude_pianist::network::{Category, Layout};
use etude_pianist::vectorised;

use crate::weights::{Linear, Network};

/// Values between two rows of a table: rows a power of two apart would share few lines of the caches.
const GAP: usize = LANES;
/// Columns that are done for all steps before the next ones: those of the tables then stay in the second-level cache.
const COLUMNS: usize = 16 * LANES;

/// What each symbol of one attribute adds to the gates of the first layer.
pub(crate) struct Table {
    /// Its parameter: `[symbols, width]`.
    embedding: usize,
    symbols: usize,
    /// The columns of the first layer's input weights that read the embedding.
    pub(crate) weights: Linear,
    /// `[symbols, 4 units]`, with gaps.
    values: Vec<f32>,
    scratch: Words,
}

impl Table {
    /// Empty tables of the first layer's attributes.
    pub(crate) fn all(categories: &[Category], layout: &Layout, kernel: Kernel) -> Vec<Table> {
        let mut end = 0;
        let table = |(category, &embedding): (&Category, &usize)| {
            let first = end;
            end += category.width;
            let weights = Linear::new(layout, layout.layers[0].input, first..end, kernel);
            Table {
                embedding,
                symbols: category.symbols,
                weights,
                values: Vec::new(),
                scratch: Words::default(),
            }
        };
        categories.iter().zip(&layout.embeddings).map(table).collect()
    }

    /// Fills the table; the weights must have been packed.
    pub(crate) fn fill(&mut self, layout: &Layout, parameters: &[f32]) {
        let embedding = Rows::dense(layout.of(parameters, self.embedding), self.weights.columns.len());
        let (forward, stride) = (&self.weights.forward, self.weights.forward.columns() + GAP);
        self.values.resize(self.symbols * stride, 0.0);
        product(embedding, self.symbols, forward, &mut self.values, stride, false, &mut self.scratch);
    }
}

/// The gradient of the loss by every table.
#[derive(Default)]
pub(crate) struct TableGradients {
    /// Of each table `[symbols, 4 units]`, with gaps.
    sums: Vec<Vec<f32>>,
    scratch: Words,
}

impl TableGradients {
    /// Adds to `flat` the gradient by the embeddings and by the weights that read them, given the symbols of all rows and
    /// the gradient by their gates.
    pub(crate) fn backward(
        &mut self,
        kernel: Kernel,
        network: &Network,
        symbols: &[u16],
        by_gates: &[f32],
        flat: &mut [f32],
        outer: &mut Outer,
    ) {
        let Network { layout, tables, .. } = network;
        let input = layout.layers[0].input;
        let [gates, inputs] = layout.parameters[input].shape;
        self.sums.resize_with(tables.len(), Vec::new);
        for (sums, table) in self.sums.iter_mut().zip(tables) {
            sums.clear();
            sums.resize(table.values.len(), 0.0);
        }
        sum_by_symbol(kernel, symbols, by_gates, gates, &mut self.sums);

        for (sums, table) in self.sums.iter().zip(tables) {
            let by_symbols = Rows { data: sums, stride: gates + GAP, width: gates };
            let columns = &table.weights.columns;
            let embedding = Rows::dense(network.parameter(table.embedding), columns.len());
            let by_weights = &mut layout.of_mut(flat, input)[columns.start..];
            let mut summand = [Summand { right: embedding, out: by_weights, out_stride: inputs }];
            accumulate_outer(by_symbols, table.symbols, &mut summand, outer);
            let by_embedding = layout.of_mut(flat, table.embedding);
            let (backward, scratch) = (&table.weights.backward, &mut self.scratch);
            product(by_symbols, table.symbols, backward, by_embedding, columns.len(), true, scratch);
        }
    }
}

vectorised! {
/// Sets every row of `gates` to `bias` and what the tables have for the row's symbols, one of each table.
pub(crate) fn look_up(tables: &[Table], symbols: &[u16], bias: &[f32], gates: &mut [f32]) {
    let stride = bias.len() + GAP;
    for from in (0..bias.len()).step_by(COLUMNS) {
        let to = bias.len().min(from + COLUMNS);
        for (row, symbols) in gates.chunks_exact_mut(bias.len()).zip(symbols.chunks_exact(tables.len())) {
            for first in (from..to).step_by(LANES) {
                let mut lanes = load(bias, first);
                for (table, &symbol) in tables.iter().zip(symbols) {
                    let added = load(&table.values[usize::from(symbol) * stride..], first);
                    for u in 0..LANES {
                        lanes[u] += added[u];
                    }
                }
                store(row, first, &lanes);
            }
        }
    }
}
}

vectorised! {
/// The inverse of [`look_up`]: adds every row of `gates` columns to the rows of its symbols in `sums`.
fn sum_by_symbol(symbols: &[u16], by_gates: &[f32], gates: usize, sums: &mut [Vec<f32>]) {
    let stride = gates + GAP;
    for from in (0..gates).step_by(COLUMNS) {
        let to = gates.min(from + COLUMNS);
        for (row, symbols) in by_gates.chunks_exact(gates).zip(symbols.chunks_exact(sums.len())) {
            for (sums, &symbol) in sums.iter_mut().zip(symbols) {
                let sums = &mut sums[usize::from(symbol) * stride..][from..to];
                sums.iter_mut().zip(&row[from..to]).for_each(|(sum, gradient)| *sum += gradient);
            }
        }
    }
}
}
