//! The innermost loops of composing: up to six rows of activations times one panel of 64 outputs, held in registers.
//!
//! Weights are packed once, as int8, bf16 or f32, and multiplied with a row for each of few streams. A product is as
//! fast as memory is, so each panel is read once, and which comes first is a choice ([`Order`]). Training has tiles of
//! its own, see `kernel/tile.rs`: for matrices of any shape, f32 or bf16, that are packed again and again.
//!
//! Six rows of four 16-lane registers use 24 of AVX-512's 32 registers; narrower instructions make the same tile in
//! several passes. Whatever the number of rows, each sum is made in the same order. All tiles of a product are made in
//! one function, so that the processor comes to the next panel's weights while it still works on the last sums.

use std::ops::Range;

#[cfg(target_arch = "x86_64")]
mod amx;
#[cfg(target_arch = "aarch64")]
mod neon;
#[cfg(target_arch = "x86_64")]
mod x86;

use super::activations::Activations;
use super::{Instructions, Precision};

/// Outputs of a panel.
pub(super) const PANEL: usize = 64;
/// Most rows of a tile.
pub(super) const MAX_ROWS: usize = 6;

/// A cache line of packed words, one for each of 16 outputs.
#[derive(Clone, Copy)]
#[repr(C, align(64))]
pub(super) struct Line(pub(super) [u32; 16]);

/// Cache lines that one packed row of a panel takes.
pub(super) const LINES_PER_ROW: usize = PANEL / 16;

/// A product: what is multiplied, and where the results are added.
pub(super) struct Product<'a> {
    pub(super) left: &'a Activations,
    /// Panel after panel.
    pub(super) lines: &'a [Line],
    /// Cache lines of a panel.
    pub(super) panel_lines: usize,
    /// int8: what one step of each output's weights is worth, panel by panel.
    pub(super) scales: &'a [[f32; PANEL]],
    /// Rows of whole panels.
    pub(super) out: &'a mut [f32],
    pub(super) order: Order,
}

/// Which panels are multiplied first.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    Forwards,
    /// Those that were multiplied last are still in the cache.
    Backwards,
}

/// A function that makes all tiles of a product.
///
/// # Safety
/// The processor has the instructions, and the activations have as many words in a row as a panel needs.
pub(super) type Multiply = unsafe fn(Product);

/// What a tile reads and where it adds its results.
struct Tile<'a> {
    /// Words of the activations, row after row.
    left: &'a [u32],
    /// int8: what one step of each row's values is worth.
    row_scales: &'a [f32],
    /// int8: the sum of each row's values, for [`Instructions::has_unsigned_weights`].
    #[cfg_attr(not(target_arch = "x86_64"), expect(dead_code))]
    row_sums: &'a [i32],
    panel: &'a [Line],
    /// int8: what one step of each output's weights is worth.
    scales: &'a [f32; PANEL],
    /// The first row's outputs, and the other rows' every `stride` values.
    out: &'a mut [f32],
    stride: usize,
}

impl Product<'_> {
    /// The panels in their order.
    #[inline(always)]
    fn panels(&self) -> impl Iterator<Item = usize> + use<> {
        let (count, order) = (self.lines.len() / self.panel_lines, self.order);
        (0..count).map(move |panel| if order == Order::Forwards { panel } else { count - 1 - panel })
    }

    /// The tile of some rows and a panel.
    #[inline(always)]
    fn tile(&mut self, panel: usize, rows: Range<usize>) -> Tile<'_> {
        let Activations { words, words_per_row, scales, sums, .. } = self.left;
        let stride = self.out.len() / scales.len();
        Tile {
            left: &words[rows.start * words_per_row..rows.end * words_per_row],
            row_scales: &scales[rows.clone()],
            row_sums: &sums[rows.clone()],
            panel: &self.lines[panel * self.panel_lines..][..self.panel_lines],
            scales: self.scales.get(panel).unwrap_or(&[0.0; PANEL]),
            out: &mut self.out[rows.start * stride + panel * PANEL..],
            stride,
        }
    }
}

/// Defines a [`Multiply`] of one kind of tiles.
macro_rules! all_tiles {
    ($(#[$meta:meta])* $name:ident, $tile:ident) => {
        $(#[$meta])*
        pub(super) unsafe fn $name(mut product: $crate::engine::cpu::tile::Product) {
            let rows = product.left.scales.len();
            // Tiles of nearly equal height, so that no short one is left at the end.
            let height = rows.div_ceil(rows.div_ceil($crate::engine::cpu::tile::MAX_ROWS));
            for panel in product.panels() {
                for first in (0..rows).step_by(height) {
                    let end = rows.min(first + height);
                    let tile = product.tile(panel, first..end);
                    // SAFETY: the caller's promise, passed on: `left` has the words of all these rows.
                    #[allow(unused_unsafe, reason = "tiles in plain Rust are safe")]
                    unsafe {
                        match end - first {
                            1 => $tile::<1>(tile),
                            2 => $tile::<2>(tile),
                            3 => $tile::<3>(tile),
                            4 => $tile::<4>(tile),
                            5 => $tile::<5>(tile),
                            _ => $tile::<6>(tile),
                        }
                    }
                }
            }
        }
    };
}
use all_tiles;

impl Instructions {
    /// Whether int8 weights are packed plus 128. VNNI multiplies unsigned with signed bytes; 128 times the sum of the
    /// activations is then too much in every sum.
    pub(super) fn has_unsigned_weights(self) -> bool {
        matches!(self, Instructions::Avx512 | Instructions::Amx)
    }
}

impl Precision {
    /// Weights of one output in a packed word.
    pub(super) fn values_per_word(self) -> usize {
        match self {
            Precision::F32 => 1,
            Precision::Bf16 => 2,
            Precision::Int8 => 4,
        }
    }

    /// Words of the activations that go with a packed row.
    pub(super) fn left_words(self) -> usize {
        if self == Precision::Bf16 { 2 } else { 1 }
    }
}

/// What multiplies on some instructions in some precision.
///
/// # Panics
/// If this machine doesn't have the instructions.
pub(super) fn multiply(instructions: Instructions, precision: Precision) -> Multiply {
    assert!(instructions.is_available());
    match (instructions, precision) {
        #[cfg(target_arch = "x86_64")]
        (Instructions::Avx2, Precision::F32) => x86::multiply_avx2_f32,
        #[cfg(target_arch = "x86_64")]
        (Instructions::Avx2, Precision::Bf16) => x86::multiply_avx2_bf16,
        #[cfg(target_arch = "x86_64")]
        (Instructions::Avx2, Precision::Int8) => x86::multiply_avx2_int8,
        #[cfg(target_arch = "x86_64")]
        (Instructions::Avx512 | Instructions::Amx, Precision::F32) => x86::multiply_avx512_f32,
        #[cfg(target_arch = "x86_64")]
        (Instructions::Avx512 | Instructions::Amx, Precision::Bf16) => x86::multiply_avx512_bf16,
        #[cfg(target_arch = "x86_64")]
        (Instructions::Avx512, Precision::Int8) => x86::multiply_avx512_int8,
        #[cfg(target_arch = "x86_64")]
        (Instructions::Amx, Precision::Int8) => amx::multiply_int8,
        #[cfg(target_arch = "aarch64")]
        (Instructions::Neon, Precision::Int8) => neon::multiply_int8,
        // Plain loops over floats become NEON by themselves.
        (_, Precision::F32) => multiply_f32,
        (_, Precision::Bf16) => multiply_bf16,
        (_, Precision::Int8) => multiply_int8,
    }
}

all_tiles!(multiply_f32, portable_f32);
all_tiles!(multiply_bf16, portable_bf16);
all_tiles!(multiply_int8, portable_int8);

fn portable_f32<const ROWS: usize>(tile: Tile) {
    let words = tile.panel.len() / LINES_PER_ROW;
    let mut sums = [[0.0; PANEL]; ROWS];
    for (k, lines) in tile.panel.as_chunks::<LINES_PER_ROW>().0.iter().enumerate() {
        for (r, sums) in sums.iter_mut().enumerate() {
            let x = f32::from_bits(tile.left[r * words + k]);
            for (sum, weight) in sums.iter_mut().zip(lines.iter().flat_map(|line| line.0)) {
                *sum += x * f32::from_bits(weight);
            }
        }
    }
    add(&sums, tile);
}

fn portable_bf16<const ROWS: usize>(tile: Tile) {
    let words = tile.panel.len() / LINES_PER_ROW * 2;
    let mut sums = [[0.0; PANEL]; ROWS];
    for (k, lines) in tile.panel.as_chunks::<LINES_PER_ROW>().0.iter().enumerate() {
        for (r, sums) in sums.iter_mut().enumerate() {
            let [x, next] = [0, 1].map(|i| f32::from_bits(tile.left[r * words + 2 * k + i]));
            for (sum, pair) in sums.iter_mut().zip(lines.iter().flat_map(|line| line.0)) {
                *sum += x * f32::from_bits(pair << 16);
                *sum += next * f32::from_bits(pair & 0xffff_0000);
            }
        }
    }
    add(&sums, tile);
}

fn portable_int8<const ROWS: usize>(tile: Tile) {
    let words = tile.panel.len() / LINES_PER_ROW;
    let bytes = |word: u32| word.to_le_bytes().map(|byte| i32::from(byte as i8));
    let mut sums = [[0; PANEL]; ROWS];
    for (k, lines) in tile.panel.as_chunks::<LINES_PER_ROW>().0.iter().enumerate() {
        for (r, sums) in sums.iter_mut().enumerate() {
            let x = bytes(tile.left[r * words + k]);
            for (sum, weights) in sums.iter_mut().zip(lines.iter().flat_map(|line| line.0)) {
                let w = bytes(weights);
                *sum += x[0] * w[0] + x[1] * w[1] + x[2] * w[2] + x[3] * w[3];
            }
        }
    }
    add_scaled(&sums, tile);
}

/// Adds sums of floats to the outputs.
#[inline(always)]
fn add<const ROWS: usize>(sums: &[[f32; PANEL]; ROWS], tile: Tile) {
    for (r, sums) in sums.iter().enumerate() {
        let out = &mut tile.out[r * tile.stride..][..PANEL];
        out.iter_mut().zip(sums).for_each(|(out, sum)| *out += sum);
    }
}

/// Adds sums of int8 products, as the numbers that they stand for, to the outputs.
#[inline(always)]
fn add_scaled(sums: &[[i32; PANEL]], tile: Tile) {
    for (r, sums) in sums.iter().enumerate() {
        let row_scale = tile.row_scales[r];
        let out = &mut tile.out[r * tile.stride..][..PANEL];
        for ((out, sum), scale) in out.iter_mut().zip(sums).zip(tile.scales) {
            *out += *sum as f32 * (scale * row_scale);
        }
    }
}
