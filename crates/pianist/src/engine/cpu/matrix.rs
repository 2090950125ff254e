//! Weight matrices, packed once, and their product with a few rows of activations.
//!
//! A step of one stream reads every weight once and does little with it, so that it is bound by memory: what counts is
//! how few bytes the weights have and that they are read in order. A matrix is packed in panels of 64 outputs, a panel
//! in rows of four cache lines; a row has one 32-bit word for each of its outputs:
//!
//! | precision | a word holds |
//! | --- | --- |
//! | f32 | the weight of one input |
//! | bf16 | the weights of two inputs, rounded to the upper half of an f32 |
//! | int8 | the weights of four inputs, rounded to 1/127 of the output's largest one |
//!
//! With int8 the sum over inputs is one of whole numbers, the same in any order on any processor.

use half::f16;
use half::slice::HalfFloatSliceExt;

use super::activations::{Activations, inverse_scale, rounded};
use super::pages::{Lines, Pages};
use super::tile::{self, LINES_PER_ROW, Multiply, Order, PANEL, Product};
use super::{Instructions, Precision};
use crate::kernel::bf16_bits;

/// A matrix of `outputs x inputs` weights.
pub(super) struct Matrix {
    precision: Precision,
    has_unsigned_weights: bool,
    multiply: Multiply,
    inputs: usize,
    panels: usize,
    lines: Lines,
    /// int8: what one step of an output's weights is worth, panel by panel.
    scales: Vec<[f32; PANEL]>,
}

impl Matrix {
    /// Packs the columns `first..first + inputs` of a row-major `[outputs, stride]` matrix into `pages`.
    pub(super) fn pack(
        weights: &[f16],
        stride: usize,
        first: usize,
        inputs: usize,
        precision: Precision,
        instructions: Instructions,
        pages: &mut Pages,
    ) -> Matrix {
        let outputs = weights.len() / stride;
        let panels = outputs.div_ceil(PANEL);
        let mut matrix = Matrix {
            precision,
            has_unsigned_weights: instructions.has_unsigned_weights(),
            multiply: tile::multiply(instructions, precision),
            inputs,
            panels,
            lines: pages.take(lines(outputs, inputs, precision)),
            scales: vec![[0.0; PANEL]; if precision == Precision::Int8 { panels } else { 0 }],
        };
        let mut row = vec![0.0; inputs];
        for (output, weights) in weights.chunks_exact(stride).enumerate() {
            weights[first..first + inputs].convert_to_f32_slice(&mut row);
            matrix.pack_output(output, &row);
        }
        matrix
    }

    /// How many bytes it takes.
    pub(super) fn bytes(&self) -> usize {
        size_of_val(&self.lines[..]) + size_of_val(&self.scales[..])
    }

    /// Adds the product with every row of `activations` to the rows of `out`, which have whole panels.
    ///
    /// # Panics
    /// If the activations are of another width or precision, or `out` of another size.
    pub(super) fn add_product(&self, activations: &Activations, out: &mut [f32], order: Order) {
        if out.is_empty() || self.inputs == 0 {
            return;
        }
        let rows = activations.scales.len();
        let values_per_word = if self.precision == Precision::Int8 { 4 } else { 1 };
        let words = self.inputs.next_multiple_of(self.precision.values_per_word()) / values_per_word;
        assert!(activations.words_per_row == words && activations.words.len() == rows * words);
        assert!(activations.sums.len() == rows && out.len() == rows * self.panels * PANEL);
        let panel_lines = self.rows() * LINES_PER_ROW;
        assert!(panel_lines / LINES_PER_ROW * self.precision.left_words() == words);
        let scales = &self.scales;
        // SAFETY: this machine was found to have the instructions, and the activations to have the words.
        unsafe {
            (self.multiply)(Product {
                left: activations,
                lines: &self.lines,
                panel_lines,
                scales,
                out,
                order,
            })
        }
    }

    /// Packed rows of a panel.
    fn rows(&self) -> usize {
        self.inputs.div_ceil(self.precision.values_per_word())
    }

    fn pack_output(&mut self, output: usize, weights: &[f32]) {
        let (panel, column) = (output / PANEL, output % PANEL);
        let rows = self.rows();
        let lines = self.lines[panel * rows * LINES_PER_ROW..][..rows * LINES_PER_ROW].iter_mut();
        let words = lines.skip(column / 16).step_by(LINES_PER_ROW).map(|line| &mut line.0[column % 16]);
        match self.precision {
            Precision::F32 => words.zip(weights).for_each(|(word, weight)| *word = weight.to_bits()),
            Precision::Bf16 => words.zip(weights.chunks(2)).for_each(|(word, pair)| *word = bf16_pair(pair)),
            Precision::Int8 => {
                let largest = weights.iter().fold(0.0f32, |largest, weight| largest.max(weight.abs()));
                self.scales[panel][column] = largest / 127.0;
                let inverse = inverse_scale(largest);
                let flip = if self.has_unsigned_weights { 0x8080_8080 } else { 0 };
                words.zip(weights.chunks(4)).for_each(|(word, four)| *word = int8_word(four, inverse) ^ flip);
            }
        }
    }
}

/// How many cache lines a matrix takes.
pub(super) fn lines(outputs: usize, inputs: usize, precision: Precision) -> usize {
    outputs.div_ceil(PANEL) * inputs.div_ceil(precision.values_per_word()) * LINES_PER_ROW
}

fn bf16_pair(pair: &[f32]) -> u32 {
    bf16_bits(pair[0]) | pair.get(1).map_or(0, |&weight| bf16_bits(weight)) << 16
}

fn int8_word(four: &[f32], inverse: f32) -> u32 {
    let byte = |i: usize| four.get(i).map_or(0, |&weight| rounded(weight, inverse) as u8);
    u32::from_le_bytes([byte(0), byte(1), byte(2), byte(3)])
}
