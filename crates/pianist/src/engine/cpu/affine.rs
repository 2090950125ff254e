//! An affine map from a block's inputs: `bias + sum of tables[symbol] + sum of matrix x part`.
//!
//! An embedded attribute is multiplied with its columns of the weights when they are packed, in f32: a step only looks
//! the product up, which is exact and reads less.

use std::cell::RefCell;
use std::mem;

use half::f16;
use half::slice::HalfFloatSliceExt;

use super::activations::Activations;
use super::matrix::{self, Matrix};
use super::pages::Pages;
use super::tile::{Order, PANEL};
use super::{Instructions, Precision};
use crate::kernel::Kernel;
use crate::model_file::Pianist;
use crate::network::{Blueprint, Embeddings, Layout, Parameter};
use crate::vectorised;

/// Its outputs are padded with zeros to whole panels.
pub(super) struct Affine {
    kernel: Kernel,
    bias: Vec<f32>,
    /// For each embedded attribute `[symbols, outputs]`; the first has the bias in it.
    tables: Vec<Vec<f32>>,
    /// For each other part of the inputs.
    parts: Vec<Matrix>,
}

impl Affine {
    pub(super) fn outputs(&self) -> usize {
        self.bias.len()
    }

    pub(super) fn bytes(&self) -> usize {
        let floats = self.bias.len() + self.tables.iter().map(Vec::len).sum::<usize>();
        size_of::<f32>() * floats + self.parts.iter().map(Matrix::bytes).sum::<usize>()
    }

    /// Without the rows of tables that a step does not look up.
    pub(super) fn bytes_per_step(&self) -> usize {
        let floats = self.bias.len() * (1 + self.tables.len());
        size_of::<f32>() * floats + self.parts.iter().map(Matrix::bytes).sum::<usize>()
    }

    /// Sets a row to the bias and the products of embedded attributes.
    pub(super) fn begin(&self, symbols: &[u16], out: &mut [f32]) {
        let mut rows = self.tables.iter().zip(symbols).map(|(table, &symbol)| {
            let width = self.bias.len();
            &table[usize::from(symbol) * width..][..width]
        });
        out.copy_from_slice(rows.next().unwrap_or(&self.bias));
        rows.for_each(|row| add_scaled(self.kernel, row, 1.0, out));
    }

    /// Adds the product of part `part` to each row of `out`.
    pub(super) fn add_part(&self, part: usize, activations: &Activations, out: &mut [f32]) {
        self.parts[part].add_product(activations, out, Order::Forwards);
    }

    /// The same, beginning with the weights that the last product with the part ended with.
    pub(super) fn add_part_again(&self, part: usize, activations: &Activations, out: &mut [f32]) {
        self.parts[part].add_product(activations, out, Order::Backwards);
    }
}

/// Packs a pianist's parameters. It lets go of each matrix that is packed, so that never all are in memory twice.
pub(super) struct Packer {
    pub(super) blueprint: Blueprint,
    pub(super) layout: Layout,
    pub(super) precision: Precision,
    pub(super) instructions: Instructions,
    /// Those that are not packed yet.
    parameters: RefCell<Vec<Vec<f16>>>,
    pages: RefCell<Pages>,
}

impl Packer {
    pub(super) fn new(pianist: Pianist, precision: Precision, instructions: Instructions) -> Packer {
        let Pianist { blueprint, layout, parameters, .. } = pianist;
        // More than enough: embedded attributes are not packed, and what is cut in two parts has at most one row more.
        let needed = |parameter: &Parameter| {
            let [outputs, inputs] = parameter.shape;
            matrix::lines(outputs, inputs, precision) + matrix::lines(outputs, 1, precision)
        };
        let weights = layout.parameters.iter().filter(|parameter| !parameter.is_bias());
        let pages = RefCell::new(Pages::new(weights.map(needed).sum()));
        Packer { blueprint, layout, precision, instructions, parameters: RefCell::new(parameters), pages }
    }

    /// The columns of parameter `index`, to be packed from the first to the last.
    pub(super) fn columns(&self, index: usize) -> Columns<'_> {
        let width = self.layout.parameters[index].shape[1];
        let weights = mem::take(&mut self.parameters.borrow_mut()[index]);
        Columns { packer: self, weights, width, next: 0 }
    }

    /// All columns of parameter `index`.
    pub(super) fn matrix(&self, index: usize) -> Matrix {
        let mut columns = self.columns(index);
        columns.matrix(columns.width)
    }

    /// A map of which the parts are given.
    pub(super) fn affine(&self, bias: usize, mut tables: Vec<Vec<f32>>, parts: Vec<Matrix>) -> Affine {
        let bias = padded(self.values(bias));
        for row in tables.first_mut().into_iter().flat_map(|table| table.chunks_exact_mut(bias.len())) {
            row.iter_mut().zip(&bias).for_each(|(value, bias)| *value += bias);
        }
        Affine { kernel: self.instructions.kernel(), bias, tables, parts }
    }

    /// The values of a bias or an embedding.
    fn values(&self, index: usize) -> Vec<f32> {
        self.parameters.borrow()[index].to_f32_vec()
    }
}

/// The columns of a parameter that are not packed yet.
pub(super) struct Columns<'a> {
    packer: &'a Packer,
    weights: Vec<f16>,
    width: usize,
    next: usize,
}

impl Columns<'_> {
    /// Packs the next `inputs` columns.
    pub(super) fn matrix(&mut self, inputs: usize) -> Matrix {
        let Packer { precision, instructions, .. } = *self.packer;
        let first = self.next;
        self.next += inputs;
        let pages = &mut self.packer.pages.borrow_mut();
        Matrix::pack(&self.weights, self.width, first, inputs, precision, instructions, pages)
    }

    /// Multiplies the next columns with `embeddings`: for each of their symbols the products with all outputs.
    pub(super) fn tables(&mut self, embeddings: &Embeddings) -> Vec<Vec<f32>> {
        embeddings.iter().map(|&embedding| self.table(embedding)).collect()
    }

    fn table(&mut self, embedding: usize) -> Vec<f32> {
        let [symbols, width] = self.packer.layout.parameters[embedding].shape;
        let rows = self.weights.chunks_exact(self.width);
        let column = |k: usize| padded(rows.clone().map(|row| row[k].to_f32()).collect());
        let columns: Vec<Vec<f32>> = (self.next..self.next + width).map(column).collect();
        self.next += width;
        let kernel = self.packer.instructions.kernel();
        let outputs = rows.len().next_multiple_of(PANEL);
        let mut table = vec![0.0; symbols * outputs];
        let vectors = self.packer.values(embedding);
        for (out, vector) in table.chunks_exact_mut(outputs).zip(vectors.chunks_exact(width)) {
            for (column, value) in columns.iter().zip(vector) {
                add_scaled(kernel, column, *value, out);
            }
        }
        table
    }
}

/// One value for each output, in whole panels.
fn padded(mut outputs: Vec<f32>) -> Vec<f32> {
    outputs.resize(outputs.len().next_multiple_of(PANEL), 0.0);
    outputs
}

vectorised! {
fn add_scaled(values: &[f32], scale: f32, out: &mut [f32]) {
    out.iter_mut().zip(values).for_each(|(out, value)| *out += scale * value);
}
}
