//! What is in a packed word: a value, a pair rounded to bf16, or one part of a pair that was split into three of bf16.
//!
//! An f32 has 24 significant bits and a bf16 has eight, so a value is the sum of three of them, and a product of two values
//! the sum of nine products, the three smallest of which are below what f32 can tell. The other six take AMX less time
//! than one product in f32 takes AVX-512 (Henry, Tang and Heinecke, "Leveraging the bfloat16 Artificial Intelligence
//! Datatype for Higher-Precision Computations", 2019).

use super::Kernel;

/// Parts of a value that is split.
pub(super) const PARTS: usize = 3;

/// The bits of an f32 that a bf16 has.
const UPPER_HALF: u32 = 0xffff_0000;

/// Part `part` of two values of a column; where a word holds one value, of the first.
#[inline(always)]
pub(super) fn pack_word(kernel: Kernel, part: usize, even: f32, odd: f32) -> u32 {
    match kernel {
        Kernel::Portable | Kernel::Avx2 | Kernel::Avx512 => even.to_bits(),
        Kernel::AmxF32 => part_of(part, even).to_bits() >> 16 | part_of(part, odd).to_bits() & UPPER_HALF,
        Kernel::Avx512Bf16 | Kernel::AmxBf16 => bf16_bits(even) | bf16_bits(odd) << 16,
    }
}

/// Rounds to bf16, ties to even, and returns the bits; NaN and infinity are not expected in weights or activations.
#[inline(always)]
pub(crate) fn bf16_bits(x: f32) -> u32 {
    let bits = x.to_bits();
    bits.wrapping_add(0x7fff + ((bits >> 16) & 1)) >> 16
}

/// One of three bf16 values that together are `x`, the largest first; of values below 1e-33, less precisely.
#[inline(always)]
fn part_of(part: usize, x: f32) -> f32 {
    let rounded = |x: f32| f32::from_bits(x.to_bits().wrapping_add(0x8000) & UPPER_HALF);
    let high = rounded(x);
    let middle = rounded(x - high);
    match part {
        0 => high,
        1 => middle,
        _ => x - high - middle,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_pair_is_the_sum_of_its_parts(bits in any::<[u32; 2]>()) {
            let pair = bits.map(f32::from_bits);
            prop_assume!(pair.iter().all(|x| x.abs() < 1e38));
            let words = [0, 1, 2].map(|part| pack_word(Kernel::AmxF32, part, pair[0], pair[1]));
            let sum = |half: fn(u32) -> u32| words.iter().rev().map(|&word| f32::from_bits(half(word))).sum::<f32>();
            let sums = [sum(|word| word << 16), sum(|word| word & UPPER_HALF)];
            for (sum, x) in sums.into_iter().zip(pair) {
                prop_assert!(sum == x || x.abs() < 1e-33 && (sum - x).abs() < 1e-40, "{} became {}", x, sum);
            }
        }
    }
}
