//! Sums of outer products: the gradients of weights.

use super::Kernel;
use super::panels::{Panels, Rows, pack_row};
use super::tile::{LINES_PER_ROW, Left, Line, MAX_ROWS, Out, PANEL};
use std::ops::Range;

/// Working memory of [`accumulate_outer`].
pub struct Outer {
    kernel: Kernel,
    rights: Vec<Panels>,
    packed: Vec<u32>,
}

impl Outer {
    /// Working memory for sums of outer products on `kernel`.
    pub fn new(kernel: Kernel) -> Outer {
        Outer { kernel, rights: Vec::new(), packed: Vec::new() }
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
    rights.resize_with(rights.len().max(summands.len()), || Panels::new(*kernel));
    for start in (0..rows).step_by(CHUNK) {
        let count = CHUNK.min(rows - start);
        let part = |matrix: Rows<'_>| start * matrix.stride;
        for (right, panels) in summands.iter().map(|summand| summand.right).zip(rights.iter_mut()) {
            panels.pack(Rows { data: &right.data[part(right)..], ..right }, count);
        }
        let left = Rows { data: &left.data[part(left)..], ..left };
        for block in (0..left.width).step_by(PANEL) {
            let columns = PANEL.min(left.width - block);
            pack_columns(*kernel, *kernel, left, count, block..block + columns, packed);
            for (summand, right) in summands.iter_mut().zip(rights.iter()) {
                add_block(
                    packed,
                    columns,
                    right,
                    &mut summand.out[block * summand.out_stride..],
                    summand.out_stride,
                );
            }
        }
    }
}

/// Adds packed columns times a packed factor to as many rows of `out`.
fn add_block(packed: &[u32], columns: usize, right: &Panels, out: &mut [f32], out_stride: usize) {
    let words = right.words();
    for panel in 0..right.columns().div_ceil(PANEL) {
        for (first, height) in column_tiles(columns) {
            let left = Left { words: &packed[first * words..], row_stride: 1, word_stride: height };
            let values = &mut out[first * out_stride + panel * PANEL..];
            right.multiply(panel, height, left, Out { values, stride: out_stride, accumulate: true });
        }
    }
}

/// The tiles of a block of columns: first column and height. The same split packs and multiplies.
fn column_tiles(columns: usize) -> impl Iterator<Item = (usize, usize)> {
    (0..columns).step_by(MAX_ROWS).map(move |first| (first, MAX_ROWS.min(columns - first)))
}

vectorised! {
/// Packs a block of columns for tiles that take them as rows: tile after tile, in each word after word.
fn pack_columns(
    format: Kernel,
    matrix: Rows,
    rows: usize,
    columns: Range<usize>,
    packed: &mut Vec<u32>,
) {
    let per_word = format.values_per_word();
    let words = rows.div_ceil(per_word);
    packed.resize(words * columns.len(), 0);
    let zeros = [0.0; PANEL];
    let mut row = [Line([0; 16]); LINES_PER_ROW];
    for k in 0..words {
        let even = &matrix.row(k * per_word)[columns.clone()];
        let has_odd = per_word == 2 && k * 2 + 1 < rows;
        let odd = if has_odd { &matrix.row(k * 2 + 1)[columns.clone()] } else { &zeros[..columns.len()] };
        pack_row(format, even, odd, &mut row);
        let flat: &[[u32; 16]; LINES_PER_ROW] = &row.map(|line| line.0);
        let flat = flat.as_flattened();
        for (first, height) in column_tiles(columns.len()) {
            let out = &mut packed[first * words + k * height..][..height];
            match <&mut [u32; MAX_ROWS]>::try_from(out) {
                // A copy of known length is two instructions, another one a call.
                Ok(out) => out.copy_from_slice(&flat[first..][..MAX_ROWS]),
                Err(_) => packed[first * words + k * height..][..height].copy_from_slice(&flat[first..][..height]),
            }
        }
    }
}
}

#[cfg(test)]
mod tests {
    use super::super::panels::tests::{assert_close, values};
    use super::*;

    #[test]
    fn every_kernel_sums_outer_products_of_odd_shapes() {
        for kernel in Kernel::available() {
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
