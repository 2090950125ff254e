//! Sums of outer products: the gradients of weights.

use super::Kernel;
use super::panels::{Panels, Rows, left_stride, pack_row, packed_words};
use super::tile::{LINES_PER_ROW, Left, Out, PANEL, REGISTER_ROWS, Ready};
use super::words::{Line, Words};
use std::ops::Range;

/// Working memory of [`accumulate_outer`].
pub struct Outer {
    kernel: Kernel,
    rights: Vec<Panels>,
    packed: Words,
}

impl Outer {
    /// Working memory for sums of outer products on `kernel`.
    pub fn new(kernel: Kernel) -> Outer {
        Outer { kernel, rights: Vec::new(), packed: Words::default() }
    }
}

/// One factor of [`accumulate_outer`], and where its sum goes.
pub struct Summand<'a> {
    /// A row for each row of the left factor.
    pub right: Rows<'a>,
    /// `[left.width, right.width]`: receives the sum.
    pub out: &'a mut [f32],
    /// Values from row to row of `out`.
    pub out_stride: usize,
}

/// `out += left^T x right` over the first `rows` rows of both, for every summand: the gradient of a weight
/// `[left.width, right.width]` from the gradients of its outputs and from its inputs.
///
/// # Panics
/// If a factor or `out` is too short.
pub fn accumulate_outer(left: Rows, rows: usize, summands: &mut [Summand], memory: &mut Outer) {
    /// Rows that are packed together: a panel of them fits the second-level cache.
    const CHUNK: usize = 512;
    let Outer { kernel, rights, packed } = memory;
    let ready = Ready::new(*kernel);
    rights.resize_with(rights.len().max(summands.len()), || Panels::new(*kernel));
    for start in (0..rows).step_by(CHUNK) {
        let count = CHUNK.min(rows - start);
        let part = |matrix: Rows<'_>| start * matrix.stride;
        for (right, panels) in summands.iter().map(|summand| summand.right).zip(rights.iter_mut()) {
            panels.pack(Rows { data: &right.data[part(right)..], ..right }, count);
        }
        let left = Rows { data: &left.data[part(left)..], ..left };
        for block in (0..left.width).step_by(PANEL) {
            let columns = block..left.width.min(block + PANEL);
            pack_columns(*kernel, left, count, columns.clone(), packed);
            for (summand, right) in summands.iter_mut().zip(rights.iter()) {
                let out = &mut summand.out[block * summand.out_stride..];
                add_block(&ready, *kernel, packed, columns.len(), right, out, summand.out_stride);
            }
        }
    }
}

/// Adds packed columns times a packed factor to as many rows of `out`.
fn add_block(
    ready: &Ready,
    kernel: Kernel,
    packed: &[u32],
    columns: usize,
    right: &Panels,
    out: &mut [f32],
    out_stride: usize,
) {
    for panel in 0..right.columns().div_ceil(PANEL) {
        for (first, height) in column_tiles(kernel, columns) {
            let left = packed_tile(kernel, packed, right.words(), first, height);
            let values = &mut out[first * out_stride + panel * PANEL..];
            right.multiply(ready, panel, height, left, Out { values, stride: out_stride, accumulate: true });
        }
    }
}

/// The tiles of a block of columns: first column and height. The same split packs and multiplies.
fn column_tiles(kernel: Kernel, columns: usize) -> impl Iterator<Item = (usize, usize)> {
    let most = kernel.tile_rows();
    (0..columns).step_by(most).map(move |first| (first, most.min(columns - first)))
}

/// Packs a block of columns for tiles that take them as rows.
fn pack_columns(kernel: Kernel, matrix: Rows, rows: usize, columns: Range<usize>, packed: &mut Words) {
    if kernel == Kernel::AmxBf16 {
        pack_as_rows(kernel, kernel, matrix, rows, columns, packed);
    } else {
        pack_tiles(kernel, kernel, matrix, rows, columns, packed);
    }
}

/// Where the tile of `height` columns from `first` on was packed.
fn packed_tile(kernel: Kernel, packed: &[u32], words: usize, first: usize, height: usize) -> Left<'_> {
    if kernel == Kernel::AmxBf16 {
        let stride = left_stride(kernel, words);
        Left { words: &packed[first * stride..], row_stride: stride, word_stride: 1 }
    } else {
        Left { words: &packed[first * words..], row_stride: 1, word_stride: height }
    }
}

vectorised! {
/// Packs tile after tile, in each word after word.
fn pack_tiles(format: Kernel, matrix: Rows, rows: usize, columns: Range<usize>, packed: &mut Words) {
    let words = packed_words(format, rows);
    packed.resize(words * columns.len());
    let mut row = [Line::ZERO; LINES_PER_ROW];
    for k in 0..words {
        pack_word_of_columns(format, matrix, rows, columns.clone(), k, &mut row);
        let flat: &[[u32; Line::WORDS]; LINES_PER_ROW] = &row.map(|line| line.0);
        let flat = flat.as_flattened();
        for (first, height) in column_tiles(format, columns.len()) {
            let out = &mut packed[first * words + k * height..][..height];
            match <&mut [u32; REGISTER_ROWS]>::try_from(out) {
                // A copy of known length is two instructions, another one a call.
                Ok(out) => out.copy_from_slice(&flat[first..][..REGISTER_ROWS]),
                Err(_) => packed[first * words + k * height..][..height].copy_from_slice(&flat[first..][..height]),
            }
        }
    }
}
}

vectorised! {
/// Packs column after column, each as one row of words.
fn pack_as_rows(format: Kernel, matrix: Rows, rows: usize, columns: Range<usize>, packed: &mut Words) {
    let words = packed_words(format, rows);
    let stride = left_stride(format, words);
    packed.resize(columns.len().next_multiple_of(format.unit()) * stride);
    let mut square = [[Line::ZERO; LINES_PER_ROW]; Line::WORDS];
    for first in (0..words).step_by(Line::WORDS) {
        for (k, row) in square.iter_mut().enumerate() {
            pack_word_of_columns(format, matrix, rows, columns.clone(), first + k, row);
        }
        for (column, out) in packed.chunks_exact_mut(stride).enumerate() {
            for (word, row) in out[first..][..Line::WORDS].iter_mut().zip(&square) {
                *word = row[column / Line::WORDS].0[column % Line::WORDS];
            }
        }
    }
}
}

/// Packs word `k` of a block of columns; zeros after the last row.
#[inline(always)]
fn pack_word_of_columns(
    format: Kernel,
    matrix: Rows,
    rows: usize,
    columns: Range<usize>,
    k: usize,
    out: &mut [Line],
) {
    let (zeros, per_word) = ([0.0; PANEL], format.values_per_word());
    let row = |k: usize| if k < rows { &matrix.row(k)[columns.clone()] } else { &zeros[..columns.len()] };
    pack_row(format, row(k * per_word), row(k * per_word + per_word - 1), out);
}

#[cfg(test)]
mod tests {
    use super::super::panels::tests::{assert_close, kernels, values};
    use super::*;

    #[test]
    fn every_kernel_sums_outer_products_of_odd_shapes() {
        for kernel in kernels() {
            for (rows, m, n) in [(1, 1, 1), (3, 65, 7), (513, 70, 66), (1030, 5, 129)] {
                let (a, b) = (values(rows * m, 3), values(rows * n, 4));
                let expected: Vec<f32> = (0..m * n)
                    .map(|i| 1.0 + (0..rows).map(|r| a[r * m + i / n] * b[r * n + i % n]).sum::<f32>())
                    .collect();
                let mut out = vec![1.0; m * n];
                let mut memory = Outer::new(kernel);
                let summand = |out| Summand { right: Rows::dense(&b, n), out, out_stride: n };
                let mut twice = out.clone();
                let mut summands = [summand(&mut out), summand(&mut twice)];
                accumulate_outer(Rows::dense(&a, m), rows, &mut summands, &mut memory);
                assert_close(&out, &expected, &format!("{kernel:?} {rows}: {m}x{n}"));
                assert_eq!(out, twice, "the second of two summands");
            }
        }
    }
}
