//! Packing the left factor of a product: row after row, each from its first word to its last.

use super::Kernel;
use super::panels::Rows;
use super::parts::{PARTS, pack_word};
use super::words::{Line, Words};

/// Words from row to row of a packed left factor. Tiles read a column of many rows at once: rows a power of two apart
/// would share few lines of the first-level cache.
pub(super) fn left_stride(kernel: Kernel, words: usize) -> usize {
    if kernel.uses_tiles() { words + Line::WORDS } else { words }
}

vectorised! {
/// Packs rows, `stride` words from one to the next.
pub(super) fn pack_left(format: Kernel, left: Rows, rows: usize, stride: usize, scratch: &mut Words) {
    scratch.resize(rows.next_multiple_of(format.unit()) * stride);
    if stride == 0 {
        return;
    }
    for (r, out) in scratch.chunks_exact_mut(stride).take(rows).enumerate() {
        if format.parts() > 1 {
            pack_left_row_in_parts(format, left.row(r), out);
        } else {
            pack_left_row(format, left.row(r), out);
        }
    }
}
}

/// Packs a row as words of one value or a pair.
#[inline(always)]
fn pack_left_row(format: Kernel, row: &[f32], out: &mut [u32]) {
    let packed = row.len().div_ceil(format.values_per_word());
    let (out, missing) = out.split_at_mut(packed);
    missing.fill(0);
    if format.values_per_word() == 1 {
        out.iter_mut().zip(row).for_each(|(word, value)| *word = value.to_bits());
        return;
    }
    let (pairs, last) = row.as_chunks::<2>();
    out.iter_mut().zip(pairs).for_each(|(word, pair)| *word = pack_word(format, 0, pair[0], pair[1]));
    if let [value] = last {
        out[packed - 1] = pack_word(format, 0, *value, 0.0);
    }
}

/// Packs a row whose values are sums of parts: a unit of words of the first part, of the second, of the third; then the
/// next unit.
#[inline(always)]
fn pack_left_row_in_parts(format: Kernel, row: &[f32], out: &mut [u32]) {
    const UNIT: usize = Line::WORDS;
    for (units, values) in out.chunks_exact_mut(UNIT * PARTS).zip(row.chunks(2 * UNIT)) {
        let mut padded = [0.0; 2 * UNIT];
        padded[..values.len()].copy_from_slice(values);
        for (part, words) in units.chunks_exact_mut(UNIT).enumerate() {
            for (word, pair) in words.iter_mut().zip(padded.as_chunks::<2>().0) {
                *word = pack_word(format, part, pair[0], pair[1]);
            }
        }
    }
}
