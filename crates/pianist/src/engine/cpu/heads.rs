//! The heads: what a step chooses, one attribute after another.
//!
//! The trunk's outputs come in as what a head's hidden layer adds up, so that a device that runs the trunk can multiply
//! them itself and leave the rest to the processor.

use std::mem;

use super::Precision;
use super::activations::Activations;
use super::affine::{Affine, Packer};
use crate::engine::inputs::InputRows;
use crate::kernel::Kernel;

/// The weights of all heads.
pub(in crate::engine) struct Heads {
    kernel: Kernel,
    precision: Precision,
    units: usize,
    heads: Vec<Head>,
}

struct Head {
    /// Widths.
    dense: usize,
    units: usize,
    symbols: usize,
    /// From `[embedded | dense | outputs of the trunk]`.
    hidden: Affine,
    /// From `[hidden | embedded | dense]`.
    output: Affine,
}

/// The parts of a hidden layer's inputs.
const DENSE: usize = 0;
const TRUNK: usize = 1;
/// The parts of an output layer's inputs.
const HIDDEN: usize = 0;
const DENSE_TOO: usize = 1;

/// The space that heads work in, and the results of the last one.
#[derive(Default)]
pub(in crate::engine) struct HeadsState {
    /// `[rows, hidden]`, padded to whole panels.
    hidden: Vec<f32>,
    /// `[rows, symbols]`, padded to `stride`.
    logits: Vec<f32>,
    stride: usize,
    symbols: usize,
    trunk: Activations,
    dense: Activations,
    activations: Activations,
}

impl HeadsState {
    /// The logits of row `row`.
    pub(in crate::engine) fn logits(&self, row: usize) -> &[f32] {
        &self.logits[row * self.stride..][..self.symbols]
    }
}

impl Heads {
    pub(super) fn new(packer: &Packer) -> Heads {
        let Packer { layout, blueprint, .. } = packer;
        let heads = layout.heads.iter().zip(&blueprint.heads).map(|(parameters, head)| {
            let dense = head.inputs.dense;
            let mut columns = packer.columns(parameters.hidden);
            let tables = columns.tables(&parameters.embeddings);
            let parts = vec![columns.matrix(dense), columns.matrix(blueprint.units)];
            let hidden = packer.affine(parameters.hidden_bias, tables, parts);
            let mut columns = packer.columns(parameters.output);
            let from_hidden = columns.matrix(head.hidden);
            let tables = columns.tables(&parameters.embeddings);
            let parts = vec![from_hidden, columns.matrix(dense)];
            let output = packer.affine(parameters.output_bias, tables, parts);
            Head { dense, units: head.hidden, symbols: head.symbols, hidden, output }
        });
        Heads {
            kernel: packer.instructions.kernel(),
            precision: packer.precision,
            units: blueprint.units,
            heads: heads.collect(),
        }
    }

    pub(super) fn bytes(&self) -> usize {
        self.heads.iter().map(|head| head.hidden.bytes() + head.output.bytes()).sum()
    }

    pub(super) fn bytes_per_step(&self) -> usize {
        self.heads.iter().map(|head| head.hidden.bytes_per_step() + head.output.bytes_per_step()).sum()
    }

    /// Lets `head` choose in every row of `inputs` that has one of `outputs`, the trunk's.
    pub(super) fn choose<'a>(
        &self,
        state: &mut HeadsState,
        head: usize,
        inputs: &InputRows,
        outputs: impl ExactSizeIterator<Item = &'a [f32]>,
    ) {
        let rows = outputs.len();
        let mut trunk = mem::take(&mut state.trunk);
        trunk.fill(self.kernel, self.precision, outputs, self.units);
        self.choose_after(state, head, inputs, rows, |hidden| {
            self.heads[head].hidden.add_part(TRUNK, &trunk, hidden);
        });
        state.trunk = trunk;
    }

    /// Lets `head` choose in the first `rows` rows of `inputs`; `add_trunk` adds the trunk's share to the
    /// hidden layer, `[rows, hidden]`, padded: a device that multiplied the trunk's outputs itself adds what it got.
    pub(in crate::engine) fn choose_after(
        &self,
        state: &mut HeadsState,
        head: usize,
        inputs: &InputRows,
        rows: usize,
        add_trunk: impl FnOnce(&mut [f32]),
    ) {
        let Head { dense: width, units, hidden: to_hidden, output, .. } = &self.heads[head];
        let HeadsState { hidden, logits, dense, activations, .. } = state;
        let begin = |affine: &Affine, out: &mut Vec<f32>| {
            out.resize(rows * affine.outputs(), 0.0);
            let out = out.chunks_exact_mut(affine.outputs()).enumerate();
            out.for_each(|(row, out)| affine.begin(inputs.categories(row), out));
        };
        dense.fill(self.kernel, self.precision, (0..rows).map(|row| inputs.dense(row)), *width);

        begin(to_hidden, hidden);
        to_hidden.add_part(DENSE, dense, hidden);
        add_trunk(hidden);
        hidden.iter_mut().for_each(|x| *x = x.max(0.0));

        begin(output, logits);
        let rows = hidden.chunks_exact(to_hidden.outputs()).map(|row| &row[..*units]);
        activations.fill(self.kernel, self.precision, rows, *units);
        output.add_part(HIDDEN, activations, logits);
        output.add_part(DENSE_TOO, dense, logits);
        (state.stride, state.symbols) = (output.outputs(), self.heads[head].symbols);
    }
}
