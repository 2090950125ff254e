//! The innermost loops: up to six rows of activations times one panel of 64 outputs, held in registers.
//!
//! Six rows of four 16-lane registers use 24 of AVX-512's 32 registers; narrower instructions make the same tile in
//! several passes. Whatever the number of rows, each sum is made in the same order.

#[cfg(target_arch = "aarch64")]
mod neon;
#[cfg(target_arch = "x86_64")]
mod x86;

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

/// What a tile reads and where it adds its results.
pub(super) struct Tile<'a> {
    /// Words of the activations, row after row.
    pub(super) left: &'a [u32],
    /// int8: what one step of each row's values is worth.
    pub(super) row_scales: &'a [f32],
    /// int8: the sum of each row's values, for [`Instructions::has_unsigned_weights`].
    #[cfg_attr(not(target_arch = "x86_64"), expect(dead_code))]
    pub(super) row_sums: &'a [i32],
    pub(super) panel: &'a [Line],
    /// int8: what one step of each output's weights is worth.
    pub(super) scales: &'a [f32],
    /// The first row's outputs, and the other rows' every `stride` values.
    pub(super) out: &'a mut [f32],
    pub(super) stride: usize,
    /// Outputs that are wanted, the first of the panel's.
    pub(super) columns: usize,
}

impl Instructions {
    /// Whether int8 weights are packed plus 128. VNNI multiplies unsigned with signed bytes; 128 times the sum of the
    /// activations is then too much in every sum.
    pub(super) fn has_unsigned_weights(self) -> bool {
        self == Instructions::Avx512
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
    fn left_words(self) -> usize {
        if self == Precision::Bf16 { 2 } else { 1 }
    }
}

/// Adds the product of the tile's `rows` rows with its panel to its outputs.
///
/// # Panics
/// If a slice is too short, or this machine doesn't have the instructions.
pub(super) fn multiply(instructions: Instructions, precision: Precision, rows: usize, tile: Tile) {
    assert!((1..=MAX_ROWS).contains(&rows) && tile.panel.len().is_multiple_of(LINES_PER_ROW));
    assert!(tile.left.len() >= rows * (tile.panel.len() / LINES_PER_ROW) * precision.left_words());
    assert!(instructions.is_available());
    match rows {
        1 => multiply_rows::<1>(instructions, precision, tile),
        2 => multiply_rows::<2>(instructions, precision, tile),
        3 => multiply_rows::<3>(instructions, precision, tile),
        4 => multiply_rows::<4>(instructions, precision, tile),
        5 => multiply_rows::<5>(instructions, precision, tile),
        _ => multiply_rows::<6>(instructions, precision, tile),
    }
}

fn multiply_rows<const ROWS: usize>(instructions: Instructions, precision: Precision, tile: Tile) {
    // SAFETY: `multiply` found the instructions to be available, and `left` to hold the words of `ROWS` rows.
    #[cfg(target_arch = "x86_64")]
    unsafe {
        match (instructions, precision) {
            (Instructions::Avx2, Precision::F32) => return x86::avx2_f32::<ROWS>(tile),
            (Instructions::Avx2, Precision::Bf16) => return x86::avx2_bf16::<ROWS>(tile),
            (Instructions::Avx2, Precision::Int8) => return x86::avx2_int8::<ROWS>(tile),
            (Instructions::Avx512, Precision::F32) => return x86::avx512_f32::<ROWS>(tile),
            (Instructions::Avx512, Precision::Bf16) => return x86::avx512_bf16::<ROWS>(tile),
            (Instructions::Avx512, Precision::Int8) => return x86::avx512_int8::<ROWS>(tile),
            (Instructions::Portable | Instructions::Neon, _) => {}
        }
    }
    // Plain loops over floats become NEON by themselves.
    #[cfg(target_arch = "aarch64")]
    if (instructions, precision) == (Instructions::Neon, Precision::Int8) {
        // SAFETY: as above.
        return unsafe { neon::int8::<ROWS>(tile) };
    }
    match precision {
        Precision::F32 => portable_f32::<ROWS>(tile),
        Precision::Bf16 => portable_bf16::<ROWS>(tile),
        Precision::Int8 => portable_int8::<ROWS>(tile),
    }
}

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
        let out = &mut tile.out[r * tile.stride..][..tile.columns];
        out.iter_mut().zip(sums).for_each(|(out, sum)| *out += sum);
    }
}

/// Adds sums of int8 products, as the numbers that they stand for, to the outputs.
#[inline(always)]
fn add_scaled<const ROWS: usize>(sums: &[[i32; PANEL]; ROWS], tile: Tile) {
    for (r, sums) in sums.iter().enumerate() {
        let row_scale = tile.row_scales[r];
        let out = &mut tile.out[r * tile.stride..][..tile.columns];
        for ((out, sum), scale) in out.iter_mut().zip(sums).zip(tile.scales) {
            *out += *sum as f32 * (scale * row_scale);
        }
    }
}
