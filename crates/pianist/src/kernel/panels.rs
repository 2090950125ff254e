//! Packed matrices, and the product of rows with one.

use super::Kernel;
use super::tile::{LINES_PER_ROW, Left, Line, MAX_ROWS, Out, PANEL, tile};

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

/// A matrix of `depth` rows and `columns` columns, packed in panels of 64 columns for one kernel: the right factor of
/// [`product`]. Missing columns of the last panel, and the odd last row of bf16 pairs, are zeros.
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

    /// Rows of the matrix.
    pub fn depth(&self) -> usize {
        self.depth
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
        /// Words of a column that are written while their destination is in the first-level cache.
        const BLOCK: usize = 16;
        self.resize(matrix.width, columns);
        let (words, per_word, kernel) = (self.words(), self.kernel.values_per_word(), self.kernel);
        for (panel, lines) in self.lines.chunks_exact_mut((words * LINES_PER_ROW).max(1)).enumerate() {
            for (block, rows) in lines.chunks_mut(BLOCK * LINES_PER_ROW).enumerate() {
                for j in 0..PANEL.min(columns - panel * PANEL) {
                    let column = &matrix.row(panel * PANEL + j)[block * BLOCK * per_word..];
                    let values = column.chunks(per_word);
                    for (row, values) in rows.chunks_exact_mut(LINES_PER_ROW).zip(values) {
                        row[j / 16].0[j % 16] = match kernel {
                            Kernel::Avx512Bf16 => bf16_pair(values[0], values.get(1).copied().unwrap_or(0.0)),
                            _ => values[0].to_bits(),
                        };
                    }
                }
            }
        }
    }

    fn resize(&mut self, depth: usize, columns: usize) {
        (self.depth, self.columns) = (depth, columns);
        let lines = self.words() * LINES_PER_ROW * columns.div_ceil(PANEL);
        if lines != self.lines.len() {
            self.lines.clear();
            self.lines.resize(lines, Line([0; 16]));
        }
    }

    /// Packed words of a column.
    pub(super) fn words(&self) -> usize {
        self.depth.div_ceil(self.kernel.values_per_word())
    }

    /// Sums `rows` rows of `left` times one panel into `out`; of the last panel, only the columns that there are.
    pub(super) fn multiply(&self, panel: usize, rows: usize, left: Left, out: Out) {
        let lines = self.words() * LINES_PER_ROW;
        let lines = &self.lines[panel * lines..][..lines];
        let columns = PANEL.min(self.columns - panel * PANEL);
        if columns == PANEL {
            return tile(self.kernel, rows, left, lines, out);
        }
        let mut sums = [0.0; MAX_ROWS * PANEL];
        tile(self.kernel, rows, left, lines, Out { values: &mut sums, stride: PANEL, accumulate: false });
        for (row, sums) in out.values.chunks_mut(out.stride).zip(sums.chunks_exact(PANEL)).take(rows) {
            for (value, sum) in row[..columns].iter_mut().zip(sums) {
                *value = if out.accumulate { *value + sum } else { *sum };
            }
        }
    }
}

/// Rounds to bf16, ties to even, and returns the bits; NaN and infinity are not expected in weights or activations.
#[inline(always)]
fn bf16_bits(x: f32) -> u32 {
    let bits = x.to_bits();
    bits.wrapping_add(0x7fff + ((bits >> 16) & 1)) >> 16
}

#[inline(always)]
fn bf16_pair(low: f32, high: f32) -> u32 {
    bf16_bits(low) | bf16_bits(high) << 16
}

vectorised! {
/// Packs rows as they are, panel after panel.
fn pack_panels(format: Kernel, matrix: Rows, depth: usize, words: usize, lines: &mut [Line]) {
    let (per_word, zeros) = (format.values_per_word(), [0.0; PANEL]);
    for (panel, lines) in lines.chunks_exact_mut((words * LINES_PER_ROW).max(1)).enumerate() {
        let first = panel * PANEL;
        let wanted = first..(first + PANEL).min(matrix.width);
        for (k, row) in lines.chunks_exact_mut(LINES_PER_ROW).enumerate() {
            let even = &matrix.row(k * per_word)[wanted.clone()];
            let has_odd = per_word == 2 && k * 2 + 1 < depth;
            let odd = if has_odd { &matrix.row(k * 2 + 1)[wanted.clone()] } else { &zeros[..even.len()] };
            pack_row(format, even, odd, row);
        }
    }
}
}

/// Packs one row of a panel, or two where a word holds a pair.
#[inline(always)]
pub(super) fn pack_row(kernel: Kernel, even: &[f32], odd: &[f32], row: &mut [Line]) {
    for (line, (even, odd)) in row.iter_mut().zip(even.chunks(16).zip(odd.chunks(16))) {
        for (word, (even, odd)) in line.0.iter_mut().zip(even.iter().zip(odd)) {
            *word = match kernel {
                Kernel::Avx512Bf16 => bf16_pair(*even, *odd),
                _ => even.to_bits(),
            };
        }
    }
}

/// `out = left x right`, or `out += left x right` if `accumulate`. `left` is `rows x right.depth()`, `out` is
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
    scratch: &mut Vec<u32>,
) {
    /// Rows that go through all panels together: their sums stay in the cache until the last panel. More rows lose
    /// them, fewer read the panels too often.
    const BLOCK: usize = 96;
    assert_eq!(left.width, right.depth, "the inner sizes of a product differ");
    let words = right.words();
    pack_left(right.kernel, right.kernel, left, rows, words, scratch);
    for start in (0..rows).step_by(BLOCK) {
        let count = BLOCK.min(rows - start);
        let left = &scratch[start * words..][..count * words];
        multiply_block(left, count, right, &mut out[start * out_stride..], out_stride, accumulate);
    }
}

/// Multiplies rows that were packed side by side.
fn multiply_block(
    left: &[u32],
    rows: usize,
    right: &Panels,
    out: &mut [f32],
    out_stride: usize,
    accumulate: bool,
) {
    let words = right.words();
    for panel in 0..right.columns.div_ceil(PANEL) {
        for (first, count) in row_tiles(rows) {
            let left = Left { words: &left[first * words..], row_stride: words, word_stride: 1 };
            let values = &mut out[first * out_stride + panel * PANEL..];
            right.multiply(panel, count, left, Out { values, stride: out_stride, accumulate });
        }
    }
}

/// Sets every row to `bias`: what a product is then added to.
pub fn fill_rows(rows: &mut [f32], bias: &[f32]) {
    rows.chunks_exact_mut(bias.len()).for_each(|row| row.copy_from_slice(bias));
}

/// Splits `rows` into tiles of nearly equal height, so that no short tile is left at the end.
fn row_tiles(rows: usize) -> impl Iterator<Item = (usize, usize)> {
    let tiles = rows.div_ceil(MAX_ROWS);
    (0..tiles).map(move |i| (i * rows / tiles, (i + 1) * rows / tiles - i * rows / tiles))
}

vectorised! {
fn pack_left(format: Kernel, left: Rows, rows: usize, words: usize, scratch: &mut Vec<u32>) {
    scratch.resize(rows * words, 0);
    if words == 0 {
        return;
    }
    for (r, out) in scratch.chunks_exact_mut(words).enumerate() {
        let row = left.row(r);
        if format == Kernel::Avx512Bf16 {
            let (pairs, last) = row.as_chunks::<2>();
            out.iter_mut().zip(pairs).for_each(|(word, pair)| *word = bf16_pair(pair[0], pair[1]));
            if let [value] = last {
                out[words - 1] = bf16_pair(*value, 0.0);
            }
        } else {
            out.iter_mut().zip(row).for_each(|(word, value)| *word = value.to_bits());
        }
    }
}
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// Values in [-1, 1) that are exact in bf16, so that every kernel must agree to f32 rounding.
    pub(in super::super) fn values(count: usize, seed: u32) -> Vec<f32> {
        let mut state = seed;
        (0..count)
            .map(|_| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                ((state >> 25) as f32 - 64.0) / 64.0
            })
            .collect()
    }

    pub(in super::super) fn assert_close(got: &[f32], expected: &[f32], what: &str) {
        for (got, expected) in got.iter().zip(expected) {
            assert!((got - expected).abs() < 1e-4, "{what}: {got} instead of {expected}");
        }
    }

    #[test]
    fn every_kernel_multiplies_odd_shapes_like_three_plain_loops() {
        for kernel in Kernel::available() {
            for (m, k, n) in [(1, 1, 1), (2, 3, 65), (7, 64, 64), (13, 129, 130), (32, 17, 200)] {
                let (a, b) = (values(m * k, 1), values(k * n, 2));
                let transposed: Vec<f32> = (0..n * k).map(|i| b[i % k * n + i / k]).collect();
                let expected: Vec<f32> =
                    (0..m * n).map(|i| (0..k).map(|q| a[i / n * k + q] * b[q * n + i % n]).sum()).collect();
                let (mut plain, mut turned) = (Panels::new(kernel), Panels::new(kernel));
                plain.pack(Rows::dense(&b, n), k);
                turned.pack_transposed(Rows::dense(&transposed, k), n);
                let mut scratch = Vec::new();
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
