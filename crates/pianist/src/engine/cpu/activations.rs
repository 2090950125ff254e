//! The left factor of the engine's products: one row of values for each stream, in the form that tiles read.
//!
//! f32 and bf16 weights are multiplied with values as they are. int8 weights are multiplied with values that are
//! quantised anew at every step, each row by its own largest value: `q = round(127 x / max |x|)`. Nothing here may
//! differ from one processor to another, so there is no fused multiply-add and rounding is to even.

use super::Precision;
use crate::kernel::{Kernel, LANES, ROUNDER, load};
use crate::vectorised;

/// Rows of values, packed in 32-bit words.
#[derive(Default)]
pub(super) struct Activations {
    /// `[rows, words_per_row]`: one f32 each, or four int8 values.
    pub(super) words: Vec<u32>,
    pub(super) words_per_row: usize,
    /// What one step of a row's int8 values is worth.
    pub(super) scales: Vec<f32>,
    /// Sum of a row's int8 values.
    pub(super) sums: Vec<i32>,
}

impl Activations {
    /// Takes over `rows`, each `width` values.
    pub(super) fn fill<'a>(
        &mut self,
        kernel: Kernel,
        precision: Precision,
        rows: impl ExactSizeIterator<Item = &'a [f32]>,
        width: usize,
    ) {
        let count = rows.len();
        self.words_per_row = match precision {
            Precision::F32 => width,
            Precision::Bf16 => width.next_multiple_of(2),
            Precision::Int8 => width.div_ceil(4),
        };
        self.words.resize(count * self.words_per_row, 0);
        self.scales.resize(count, 0.0);
        self.sums.resize(count, 0);
        for (r, row) in rows.enumerate() {
            let words = &mut self.words[r * self.words_per_row..][..self.words_per_row];
            if precision == Precision::Int8 {
                (self.scales[r], self.sums[r]) = quantise(kernel, row, words);
            } else {
                words[row.len()..].fill(0);
                words.iter_mut().zip(row).for_each(|(word, value)| *word = value.to_bits());
            }
        }
    }
}

/// Below this everything counts as zero: its inverse would be infinite.
const SMALLEST: f32 = 1e-30;

/// The number that turns values into int8, for a largest value.
pub(super) fn inverse_scale(largest: f32) -> f32 {
    if largest > SMALLEST { 127.0 / largest } else { 0.0 }
}

/// `value * inverse_scale`, rounded to the nearest whole number, to the even one of two.
#[inline(always)]
pub(super) fn rounded(value: f32, inverse_scale: f32) -> i32 {
    (value * inverse_scale + ROUNDER).to_bits() as i32 - ROUNDER.to_bits() as i32
}

vectorised! {
/// Quantises a row; gives its scale and the sum of the quantised values.
fn quantise(row: &[f32], words: &mut [u32]) -> (f32, i32) {
    let mut largest = [0.0f32; LANES];
    for first in (0..row.len()).step_by(LANES) {
        let values = load(row, first);
        for (largest, value) in largest.iter_mut().zip(values) {
            *largest = if value.abs() > *largest { value.abs() } else { *largest };
        }
    }
    let largest = largest.into_iter().fold(0.0, f32::max);
    let inverse = inverse_scale(largest);
    let mut sum = 0;
    // In blocks so long that the compiler takes them for loops.
    const BLOCK: usize = 64;
    for (values, words) in row.chunks(BLOCK).zip(words.chunks_mut(BLOCK / 4)) {
        let mut bytes = [0; BLOCK];
        for (byte, value) in bytes.iter_mut().zip(values) {
            let value = rounded(*value, inverse);
            sum += value;
            *byte = value as u8;
        }
        words.iter_mut().zip(bytes.as_chunks().0).for_each(|(word, four)| *word = u32::from_le_bytes(*four));
    }
    (largest / 127.0, sum)
}
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::Instructions;

    #[test]
    fn quantised_values_are_off_by_half_a_step_at_most_and_the_same_everywhere() {
        let row: Vec<f32> = (0..77).map(|i| ((i * 37 % 77) as f32 - 40.0) * 0.013).collect();
        let mut seen = Vec::new();
        for instructions in Instructions::available() {
            let mut activations = Activations::default();
            activations.fill(instructions.kernel(), Precision::Int8, [&row[..]].into_iter(), row.len());
            let bytes: Vec<i8> =
                activations.words.iter().flat_map(|word| word.to_le_bytes()).map(|b| b as i8).collect();
            for (value, byte) in row.iter().zip(&bytes) {
                let error = (value - f32::from(*byte) * activations.scales[0]).abs();
                assert!(error <= 0.5001 * activations.scales[0], "{value} became {byte}");
            }
            assert_eq!(activations.sums[0], bytes.iter().map(|&byte| i32::from(byte)).sum::<i32>());
            assert_eq!(bytes.iter().map(|byte| byte.unsigned_abs()).max(), Some(127));
            seen.push((activations.words, activations.scales[0].to_bits()));
        }
        assert!(seen.iter().all(|one| *one == seen[0]));
    }

    #[test]
    fn silence_is_quantised_to_zeros() {
        let mut activations = Activations::default();
        let row = [0.0, 1e-38, -0.0];
        activations.fill(Kernel::Portable, Precision::Int8, [&row[..]].into_iter(), 3);
        assert_eq!((activations.words[0], activations.sums[0]), (0, 0));
    }
}
