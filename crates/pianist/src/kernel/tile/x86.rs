//! Tiles for x86-64: f32 with AVX2, f32 and bf16 with AVX-512.

use std::arch::x86_64::*;

use super::{LINES_PER_ROW, Left, Line, Out};

/// # Safety
/// The processor has AVX2 and FMA, and `left` holds every word of `ROWS` rows of the
/// panel's depth, `out` as many rows of 64 values.
#[target_feature(enable = "avx2,fma")]
pub(super) unsafe fn avx2<const ROWS: usize>(left: Left, panel: &[Line], out: Out) {
    for column in 0..LINES_PER_ROW {
        let mut acc = [[_mm256_setzero_ps(); 2]; ROWS];
        for (k, lines) in panel.chunks_exact(LINES_PER_ROW).enumerate() {
            let line = lines[column].0.as_ptr() as *const f32;
            // SAFETY: a line is 16 values long; `left` holds the word by this function's contract.
            unsafe {
                let (b0, b1) = (_mm256_load_ps(line), _mm256_load_ps(line.add(8)));
                for (r, acc) in acc.iter_mut().enumerate() {
                    let word = *left.words.get_unchecked(r * left.row_stride + k * left.word_stride);
                    let x = _mm256_set1_ps(f32::from_bits(word));
                    acc[0] = _mm256_fmadd_ps(x, b0, acc[0]);
                    acc[1] = _mm256_fmadd_ps(x, b1, acc[1]);
                }
            }
        }
        for (r, acc) in acc.iter().enumerate() {
            for (half, acc) in acc.iter().enumerate() {
                // SAFETY: `out` holds the eight values by this function's contract.
                unsafe {
                    let values = out.values.as_mut_ptr().add(r * out.stride + column * 16 + half * 8);
                    let before = if out.accumulate { _mm256_loadu_ps(values) } else { _mm256_setzero_ps() };
                    _mm256_storeu_ps(values, _mm256_add_ps(before, *acc));
                }
            }
        }
    }
}

/// Expands to the AVX-512 tile, which differs between f32 and bf16 in its one multiply-add.
macro_rules! avx512_tile {
    ($name:ident, $features:literal, $multiply_add:expr) => {
        /// # Safety
        /// The processor has the features, and `left` holds every word of `ROWS` rows of the
        /// panel's depth, `out` as many rows of 64 values.
        #[target_feature(enable = $features)]
        pub(super) unsafe fn $name<const ROWS: usize>(left: Left, panel: &[Line], out: Out) {
            let mut acc = [[_mm512_setzero_ps(); LINES_PER_ROW]; ROWS];
            for (k, lines) in panel.chunks_exact(LINES_PER_ROW).enumerate() {
                // SAFETY: lines are 64 bytes, aligned; `left` holds the word by this function's contract.
                unsafe {
                    let load = |j: usize| _mm512_load_si512(lines[j].0.as_ptr() as *const __m512i);
                    let b = [load(0), load(1), load(2), load(3)];
                    for (r, acc) in acc.iter_mut().enumerate() {
                        let word = *left.words.get_unchecked(r * left.row_stride + k * left.word_stride);
                        let x = _mm512_set1_epi32(word as i32);
                        for (acc, b) in acc.iter_mut().zip(b) {
                            *acc = $multiply_add(*acc, x, b);
                        }
                    }
                }
            }
            for (r, acc) in acc.iter().enumerate() {
                for (column, acc) in acc.iter().enumerate() {
                    // SAFETY: `out` holds the sixteen values by this function's contract.
                    unsafe {
                        let values = out.values.as_mut_ptr().add(r * out.stride + column * 16);
                        let before =
                            if out.accumulate { _mm512_loadu_ps(values) } else { _mm512_setzero_ps() };
                        _mm512_storeu_ps(values, _mm512_add_ps(before, *acc));
                    }
                }
            }
        }
    };
}

avx512_tile!(avx512, "avx512f", |acc, x, b| _mm512_fmadd_ps(
    _mm512_castsi512_ps(x),
    _mm512_castsi512_ps(b),
    acc
));
avx512_tile!(avx512_bf16, "avx512f,avx512bf16", |acc, x: __m512i, b: __m512i| {
    // SAFETY: both types are 512 bits of plain data; the intrinsic reads each 32-bit word as two bf16 values.
    let (x, b) = (std::mem::transmute::<__m512i, __m512bh>(x), std::mem::transmute::<__m512i, __m512bh>(b));
    _mm512_dpbf16_ps(acc, x, b)
});
