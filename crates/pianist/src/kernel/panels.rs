//! Packed matrices and the two products made of tiles.

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
    fn row(&self, r: usize) -> &'a [f32] {
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
    fn words(&self) -> usize {
        self.depth.div_ceil(self.kernel.values_per_word())
    }

    /// Sums `rows` rows of `left` times one panel into `out`; of the last panel, only the columns that there are.
    fn multiply(&self, panel: usize, rows: usize, left: Left, out: Out) {
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

#[inline(always)]
fn pack_row(kernel: Kernel, even: &[f32], odd: &[f32], row: &mut [Line]) {
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
    for panel in 0..right.columns.div_ceil(PANEL) {
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
    columns: std::ops::Range<usize>,
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
    use super::*;

    /// Values in [-1, 1) that are exact in bf16, so that every kernel must agree to f32 rounding.
    fn values(count: usize, seed: u32) -> Vec<f32> {
        let mut state = seed;
        (0..count)
            .map(|_| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                ((state >> 25) as f32 - 64.0) / 64.0
            })
            .collect()
    }

    fn assert_close(got: &[f32], expected: &[f32], what: &str) {
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
