//! Packed matrices, and the product of rows with one.
//!
//! The right factor is packed so that a tile reads it from the first byte to the last:
//!
//! ```text
//! matrix  panel 0 (columns 0 to 63) | panel 1 (columns 64 to 127) | ...
//! panel   unit 0 (its first rows) | unit 1 | ...         a unit is 16 rows with AMX, elsewhere 1
//! unit    part 0 | part 1 | part 2                       only `AmxF32` has more than one part
//! part    row 0 | row 1 | ... | row 15
//! row     line 0 (columns 0 to 15) | line 1 | line 2 | line 3
//! line    word of column 0 | word of column 1 | ... | word of column 15
//! word    the column's value in this row, or two bf16: its values in rows 2k and 2k + 1 of the matrix
//! ```

use super::Kernel;
use super::left::{left_stride, pack_left};
use super::parts::pack_word;
use super::tile::{LINES_PER_ROW, Left, MAX_ROWS, Out, PANEL, Ready, tile};
use super::words::{Line, Words};

/// Rows of an `f32` matrix in row-major order: row `r` starts at `data[r * stride]`.
#[derive(Clone, Copy)]
pub struct Rows<'a> {
    /// The values; the last row may end with the slice.
    pub data: &'a [f32],
    /// Distance between the starts of two rows.
    pub stride: usize,
    /// Values of a row that count.
    pub width: usize,
}

impl<'a> Rows<'a> {
    /// Rows without gaps.
    pub fn dense(data: &'a [f32], width: usize) -> Rows<'a> {
        Rows { data, stride: width, width }
    }

    /// Row `r`, `width` values.
    pub(super) fn row(&self, r: usize) -> &'a [f32] {
        &self.data[r * self.stride..][..self.width]
    }
}

/// Words of a column that [`Panels::pack_transposed`] writes in a row: their destination stays in the first-level cache.
/// As many as the largest unit has.
const BLOCK: usize = Line::WORDS;

/// A matrix of `depth` rows and `columns` columns, packed in panels of 64 columns for one kernel: the right factor of
/// [`product`]. What is missing of the last words are zeros; what is missing of the last panel's columns is not looked
/// at.
pub struct Panels {
    kernel: Kernel,
    depth: usize,
    columns: usize,
    lines: Vec<Line>,
}

impl Panels {
    /// An empty matrix, to be filled by [`Panels::pack`] or [`Panels::pack_transposed`].
    ///
    /// # Panics
    /// If this machine can't run `kernel`.
    pub fn new(kernel: Kernel) -> Panels {
        assert!(Kernel::available().contains(&kernel), "{kernel:?} is not available on this machine");
        Panels { kernel, depth: 0, columns: 0, lines: Vec::new() }
    }

    /// Columns of the matrix.
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// Packs `depth` rows of `matrix` as they are: `depth x matrix.width`.
    pub fn pack(&mut self, matrix: Rows, depth: usize) {
        self.resize(depth, matrix.width);
        let words = self.words();
        pack_panels(self.kernel, self.kernel, matrix, depth, words, &mut self.lines);
    }

    /// Packs the transpose of the first `columns` rows of `matrix`: `matrix.width x columns`. This is how a weight
    /// stored as `[outputs, inputs]` becomes the right factor of a forward product.
    pub fn pack_transposed(&mut self, matrix: Rows, columns: usize) {
        self.resize(matrix.width, columns);
        let (words, per_word, kernel) = (self.words(), self.kernel.values_per_word(), self.kernel);
        let (unit, parts) = (kernel.unit(), kernel.parts());
        for (panel, lines) in self.lines.chunks_exact_mut((words * LINES_PER_ROW).max(1)).enumerate() {
            // From the first unit on that will not be full.
            let whole_units = matrix.width / (per_word * unit);
            lines[whole_units * unit * parts * LINES_PER_ROW..].fill(Line::ZERO);
            for (block, rows) in lines.chunks_mut(BLOCK * parts * LINES_PER_ROW).enumerate() {
                for j in 0..PANEL.min(columns - panel * PANEL) {
                    let column = &matrix.row(panel * PANEL + j)[block * BLOCK * per_word..];
                    pack_column(kernel, column, j, rows);
                }
            }
        }
    }

    fn resize(&mut self, depth: usize, columns: usize) {
        (self.depth, self.columns) = (depth, columns);
        self.lines.resize(self.words() * LINES_PER_ROW * columns.div_ceil(PANEL), Line::ZERO);
    }

    /// Packed words of a column.
    pub(super) fn words(&self) -> usize {
        packed_words(self.kernel, self.depth)
    }

    /// Sums `rows` rows of `left` times one panel into `out`; of the last panel, only the columns that there are. `left`
    /// has rows up to a multiple of the kernel's unit.
    pub(super) fn multiply(&self, ready: &Ready, panel: usize, rows: usize, left: Left, out: Out) {
        let lines = self.words() * LINES_PER_ROW;
        let lines = &self.lines[panel * lines..][..lines];
        let columns = PANEL.min(self.columns - panel * PANEL);
        let whole_rows = rows.next_multiple_of(self.kernel.unit());
        if (whole_rows, columns) == (rows, PANEL) {
            return tile(ready, rows, left, lines, out);
        }
        let mut sums = [0.0; MAX_ROWS * PANEL];
        let all = Out { values: &mut sums, stride: PANEL, accumulate: false };
        tile(ready, whole_rows, left, lines, all);
        for (row, sums) in out.values.chunks_mut(out.stride).zip(sums.chunks_exact(PANEL)).take(rows) {
            for (value, sum) in row[..columns].iter_mut().zip(sums) {
                *value = if out.accumulate { *value + sum } else { *sum };
            }
        }
    }
}

/// Words that `depth` values of a column or row are packed in.
pub(super) fn packed_words(kernel: Kernel, depth: usize) -> usize {
    depth.div_ceil(kernel.values_per_word()).next_multiple_of(kernel.unit()) * kernel.parts()
}

vectorised! {
/// Packs rows as they are, panel after panel.
fn pack_panels(format: Kernel, matrix: Rows, depth: usize, words: usize, lines: &mut [Line]) {
    let (per_word, unit, zeros) = (format.values_per_word(), format.unit(), [0.0; PANEL]);
    for (panel, lines) in lines.chunks_exact_mut((words * LINES_PER_ROW).max(1)).enumerate() {
        let first = panel * PANEL;
        let wanted = first..(first + PANEL).min(matrix.width);
        let row = |k: usize| if k < depth { &matrix.row(k)[wanted.clone()] } else { &zeros[..wanted.len()] };
        for (block, rows) in lines.chunks_exact_mut(unit * format.parts() * LINES_PER_ROW).enumerate() {
            for k in 0..unit {
                let first = (block * unit + k) * per_word;
                pack_row(format, row(first), row(first + per_word - 1), k, rows);
            }
        }
    }
}
}

/// Packs one row of a panel, or two where a word holds a pair, as row `k` of each part in a unit of rows.
#[inline(always)]
pub(super) fn pack_row(kernel: Kernel, even: &[f32], odd: &[f32], k: usize, unit: &mut [Line]) {
    for (part, rows) in unit.chunks_exact_mut(kernel.unit() * LINES_PER_ROW).enumerate() {
        let row = &mut rows[k * LINES_PER_ROW..][..LINES_PER_ROW];
        for (line, (even, odd)) in row.iter_mut().zip(even.chunks(Line::WORDS).zip(odd.chunks(Line::WORDS))) {
            for (word, (even, odd)) in line.0.iter_mut().zip(even.iter().zip(odd)) {
                *word = pack_word(kernel, part, *even, *odd);
            }
        }
    }
}

/// Packs the next values of a column as column `j` of each part in a block of a panel's rows, as many as the block has.
#[inline(always)]
fn pack_column(kernel: Kernel, values: &[f32], j: usize, block: &mut [Line]) {
    for (part, rows) in block.chunks_mut(BLOCK * LINES_PER_ROW).enumerate() {
        let values = values.chunks(kernel.values_per_word());
        for (row, values) in rows.chunks_exact_mut(LINES_PER_ROW).zip(values) {
            let odd = values.get(1).copied().unwrap_or(0.0);
            row[j / Line::WORDS].0[j % Line::WORDS] = pack_word(kernel, part, values[0], odd);
        }
    }
}

/// `out = left x right`, or `out += left x right` if `accumulate`. `left` is `rows x depth`, as deep as `right`, `out` is
/// `rows x right.columns()` with `out_stride` values from row to row. `scratch` is reused between calls.
///
/// # Panics
/// If `left` or `out` is too short.
pub fn product(
    left: Rows,
    rows: usize,
    right: &Panels,
    out: &mut [f32],
    out_stride: usize,
    accumulate: bool,
    scratch: &mut Words,
) {
    // Rows that go through all panels together: their sums stay in the cache until the last panel. More rows lose them,
    // fewer read the panels too often, which AMX has to wait for sooner.
    let block = if right.kernel.uses_tiles() { 320 } else { 96 };
    assert_eq!(left.width, right.depth, "the inner sizes of a product differ");
    let (ready, stride) = (Ready::new(right.kernel), left_stride(right.kernel, right.words()));
    pack_left(right.kernel, right.kernel, left, rows, stride, scratch);
    for start in (0..rows).step_by(block) {
        let count = block.min(rows - start);
        let left = Left { words: &scratch[start * stride..], row_stride: stride, word_stride: 1 };
        multiply_block(&ready, left, count, right, &mut out[start * out_stride..], out_stride, accumulate);
    }
}

/// Multiplies rows that were packed side by side.
fn multiply_block(
    ready: &Ready,
    left: Left,
    rows: usize,
    right: &Panels,
    out: &mut [f32],
    out_stride: usize,
    accumulate: bool,
) {
    for panel in 0..right.columns.div_ceil(PANEL) {
        for (first, count) in row_tiles(right.kernel, rows) {
            let left = Left { words: &left.words[first * left.row_stride..], ..left };
            let values = &mut out[first * out_stride + panel * PANEL..];
            right.multiply(ready, panel, count, left, Out { values, stride: out_stride, accumulate });
        }
    }
}

/// Sets every row to `bias`: what a product is then added to.
pub fn fill_rows(rows: &mut [f32], bias: &[f32]) {
    rows.chunks_exact_mut(bias.len()).for_each(|row| row.copy_from_slice(bias));
}

/// Splits `rows` into tiles of nearly equal height, so that no short tile is left at the end: first row and height.
fn row_tiles(kernel: Kernel, rows: usize) -> impl Iterator<Item = (usize, usize)> {
    let unit = kernel.unit();
    let units = rows.div_ceil(unit);
    let tiles = rows.div_ceil(kernel.tile_rows());
    let start = move |tile: usize| rows.min(tile * units / tiles * unit);
    (0..tiles).map(move |tile| (start(tile), start(tile + 1) - start(tile)))
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::kernel::request_tiles;

    /// Values in [-1, 1) that are exact in what `kernel` multiplies, so that it must agree to f32 rounding.
    pub(in super::super) fn values(kernel: Kernel, count: usize, seed: u32) -> Vec<f32> {
        let unused_bits = if kernel.rounds_to_bf16() { 25 } else { 8 };
        let half = (1u32 << (31 - unused_bits)) as f32;
        let mut state = seed;
        (0..count)
            .map(|_| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                ((state >> unused_bits) as f32 - half) / half
            })
            .collect()
    }

    pub(in super::super) fn assert_close(got: &[f32], expected: &[f32], what: &str) {
        for (got, expected) in got.iter().zip(expected) {
            assert!((got - expected).abs() < 1e-4, "{what}: {got} instead of {expected}");
        }
    }

    /// Every kernel of this machine.
    pub(in super::super) fn kernels() -> Vec<Kernel> {
        request_tiles();
        Kernel::available()
    }

    /// Panels that were used before, for another shape: none of it may be left.
    fn filled(kernel: Kernel) -> Panels {
        let mut panels = Panels::new(kernel);
        panels.pack(Rows::dense(&[f32::NAN; 300 * 300], 300), 300);
        panels
    }

    #[test]
    fn every_kernel_multiplies_odd_shapes_like_three_plain_loops() {
        for kernel in kernels() {
            for (m, k, n) in [
                (1, 1, 1),
                (1, 65, 260),
                (2, 3, 65),
                (7, 64, 64),
                (13, 129, 130),
                (32, 17, 200),
                (37, 300, 70),
                (200, 40, 65),
            ] {
                let (a, b) = (values(kernel, m * k, 1), values(kernel, k * n, 2));
                let transposed: Vec<f32> = (0..n * k).map(|i| b[i % k * n + i / k]).collect();
                let expected: Vec<f32> =
                    (0..m * n).map(|i| (0..k).map(|q| a[i / n * k + q] * b[q * n + i % n]).sum()).collect();
                let (mut plain, mut turned) = (filled(kernel), filled(kernel));
                plain.pack(Rows::dense(&b, n), k);
                turned.pack_transposed(Rows::dense(&transposed, k), n);
                let mut scratch = Words::default();
                for right in [&plain, &turned] {
                    let mut out = vec![1.0; m * n];
                    product(Rows::dense(&a, k), m, right, &mut out, n, false, &mut scratch);
                    assert_close(&out, &expected, &format!("{kernel:?} {m}x{k}x{n}"));
                    product(Rows::dense(&a, k), m, right, &mut out, n, true, &mut scratch);
                    let doubled: Vec<f32> = expected.iter().map(|x| 2.0 * x).collect();
                    assert_close(&out, &doubled, &format!("{kernel:?} {m}x{k}x{n} accumulated"));
                }
            }
        }
    }
}
