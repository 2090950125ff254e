//! Sums of outer products: the gradients of weights.

use std::ops::Range;

use super::Kernel;
use super::left::left_stride;
use super::panels::{Panels, Rows, pack_row, packed_words};
use super::parts::PARTS;
use super::tile::{LINES_PER_ROW, Left, Out, PANEL, REGISTER_ROWS, Ready};
use super::words::{Line, Words};

/// Working memory of [`accumulate_outer`].
pub struct Outer {
    kernel: Kernel,
    rights: Vec<Panels>,
    blocks: [Block; BLOCKS],
}

/// Blocks of the left factor that are packed together: what is read of the right factor is used for all of them.
const BLOCKS: usize = 4;

impl Outer {
    /// Working memory for sums of outer products on `kernel`.
    pub fn new(kernel: Kernel) -> Outer {
        Outer { kernel, rights: Vec::new(), blocks: Default::default() }
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
    let Outer { kernel, rights, blocks } = memory;
    let ready = Ready::new(*kernel);
    rights.resize_with(rights.len().max(summands.len()), || Panels::new(*kernel));
    for start in (0..rows).step_by(CHUNK) {
        let count = CHUNK.min(rows - start);
        let part = |matrix: Rows<'_>| start * matrix.stride;
        for (right, panels) in summands.iter().map(|summand| summand.right).zip(rights.iter_mut()) {
            panels.pack(Rows { data: &right.data[part(right)..], ..right }, count);
        }
        let left = Rows { data: &left.data[part(left)..], ..left };
        for first in (0..left.width).step_by(BLOCKS * PANEL) {
            for (i, block) in blocks.iter_mut().enumerate() {
                let [start, end] = [i, i + 1].map(|i| left.width.min(first + i * PANEL));
                block.pack(*kernel, left, count, start..end);
            }
            for (summand, right) in summands.iter_mut().zip(rights.iter()) {
                add_blocks(&ready, *kernel, blocks, right, summand);
            }
        }
    }
}

/// Adds blocks of the left factor times a packed right one.
fn add_blocks(ready: &Ready, kernel: Kernel, blocks: &[Block], right: &Panels, summand: &mut Summand) {
    let stride = summand.out_stride;
    for panel in 0..right.columns().div_ceil(PANEL) {
        for block in blocks {
            for (first, height) in column_tiles(kernel, block.columns.len()) {
                let left = block.tile(kernel, right.words(), first, height);
                let values = &mut summand.out[(block.columns.start + first) * stride + panel * PANEL..];
                right.multiply(ready, panel, height, left, Out { values, stride, accumulate: true });
            }
        }
    }
}

/// The tiles of a block of columns: first column and height. The same split packs and multiplies.
fn column_tiles(kernel: Kernel, columns: usize) -> impl Iterator<Item = (usize, usize)> {
    let most = kernel.tile_rows();
    (0..columns).step_by(most).map(move |first| (first, most.min(columns - first)))
}

/// At most 64 columns of the left factor, packed for tiles that take them as rows.
#[derive(Default)]
struct Block {
    columns: Range<usize>,
    words: Words,
}

impl Block {
    fn pack(&mut self, kernel: Kernel, matrix: Rows, rows: usize, columns: Range<usize>) {
        let pack = if kernel.uses_tiles() { pack_as_rows } else { pack_tiles };
        pack(kernel, kernel, matrix, rows, columns.clone(), &mut self.words);
        self.columns = columns;
    }

    /// The tile of `height` columns from `first` on, each of so many words.
    fn tile(&self, kernel: Kernel, words: usize, first: usize, height: usize) -> Left<'_> {
        if kernel.uses_tiles() {
            let stride = left_stride(kernel, words);
            Left { words: &self.words[first * stride..], row_stride: stride, word_stride: 1 }
        } else {
            Left { words: &self.words[first * words..], row_stride: 1, word_stride: height }
        }
    }
}

vectorised! {
/// Packs tile after tile, in each word after word. Eight columns: word 0 of columns 0 to 5, word 1 of columns 0 to 5,
/// ...; then word 0 of columns 6 and 7, word 1 of columns 6 and 7, ...
fn pack_tiles(format: Kernel, matrix: Rows, rows: usize, columns: Range<usize>, packed: &mut Words) {
    let words = packed_words(format, rows);
    packed.resize(words * columns.len());
    let mut row = [Line::ZERO; LINES_PER_ROW];
    for k in 0..words {
        pack_words_of_columns(format, matrix, rows, columns.clone(), k, &mut row);
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
    const UNIT: usize = Line::WORDS;
    let (words, parts) = (packed_words(format, rows), format.parts());
    let stride = left_stride(format, words);
    packed.resize(columns.len().next_multiple_of(UNIT) * stride);
    let mut square = [[Line::ZERO; LINES_PER_ROW]; UNIT * PARTS];
    let square = &mut square[..UNIT * parts];
    for unit in 0..words / (UNIT * parts) {
        let first = unit * UNIT * parts;
        pack_words_of_columns(format, matrix, rows, columns.clone(), unit * UNIT, square.as_flattened_mut());
        for (column, out) in packed.chunks_exact_mut(stride).enumerate() {
            for (word, row) in out[first..][..UNIT * parts].iter_mut().zip(&*square) {
                *word = row[column / Line::WORDS].0[column % Line::WORDS];
            }
        }
    }
}
}

/// Packs a unit of words, from word `first` on, of a block of columns; zeros after the last row.
#[inline(always)]
fn pack_words_of_columns(
    format: Kernel,
    matrix: Rows,
    rows: usize,
    columns: Range<usize>,
    first: usize,
    unit: &mut [Line],
) {
    let (zeros, per_word) = ([0.0; PANEL], format.values_per_word());
    let row = |k: usize| if k < rows { &matrix.row(k)[columns.clone()] } else { &zeros[..columns.len()] };
    for k in 0..format.unit() {
        let values = (first + k) * per_word;
        pack_row(format, row(values), row(values + per_word - 1), k, unit);
    }
}

#[cfg(test)]
mod tests {
    use super::super::panels::tests::{assert_close, kernels, values};
    use super::*;

    #[test]
    fn every_kernel_sums_outer_products_of_odd_shapes() {
        for kernel in kernels() {
            for (rows, m, n) in [(1, 1, 1), (3, 65, 7), (513, 70, 66), (1030, 5, 129)] {
                let (a, b) = (values(kernel, rows * m, 3), values(kernel, rows * n, 4));
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
