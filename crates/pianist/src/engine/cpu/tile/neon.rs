//! The int8 tile for 64-bit ARM, with instructions that every such processor has.

use std::arch::aarch64::*;

use super::{LINES_PER_ROW, PANEL, Tile, add_scaled, all_tiles};

all_tiles!(
    /// # Safety
    /// See [`super::Multiply`].
    #[target_feature(enable = "neon")]
    multiply_int8,
    int8
);

/// # Safety
/// `left` holds the words of `ROWS` rows of the panel's depth.
#[inline]
#[target_feature(enable = "neon")]
unsafe fn int8<const ROWS: usize>(tile: Tile) {
    let words = tile.panel.len() / LINES_PER_ROW;
    let mut sums = [[0i32; PANEL]; ROWS];
    // Sixteen columns at a time: four registers of sums for each row.
    for column in 0..LINES_PER_ROW {
        let mut acc = [[vdupq_n_s32(0); 4]; ROWS];
        for (k, lines) in tile.panel.as_chunks::<LINES_PER_ROW>().0.iter().enumerate() {
            let start: *const i8 = lines[column].0.as_ptr().cast();
            // SAFETY: a line is 64 bytes.
            let weights: [int8x16_t; 4] = std::array::from_fn(|i| unsafe { vld1q_s8(start.add(16 * i)) });
            for (r, acc) in acc.iter_mut().enumerate() {
                // SAFETY: `left` holds every word of `ROWS` rows.
                let word = unsafe { *tile.left.get_unchecked(r * words + k) };
                let x = vreinterpretq_s8_u32(vdupq_n_u32(word));
                for (acc, w) in acc.iter_mut().zip(weights) {
                    let (low, high) = (vmull_s8(vget_low_s8(w), vget_low_s8(x)), vmull_high_s8(w, x));
                    // Values are at most 127, so that a sum of two products fits its 16 bits.
                    *acc = vpadalq_s16(*acc, vpaddq_s16(low, high));
                }
            }
        }
        for (sums, acc) in sums.iter_mut().zip(acc) {
            for (i, acc) in acc.into_iter().enumerate() {
                // SAFETY: the slice is checked to hold 4 values.
                unsafe { vst1q_s32(sums[column * 16 + 4 * i..][..4].as_mut_ptr(), acc) }
            }
        }
    }
    add_scaled(&sums, tile);
}
