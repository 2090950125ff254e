//! Tiles for x86-64.
//!
//! Every function here is unsafe for the same two reasons: the processor must have its instructions, and `left` must
//! hold the words of `ROWS` rows of the panel's depth, which is what the unchecked reads rely on.

use std::arch::x86_64::*;

use super::{LINES_PER_ROW, Line, PANEL, Tile, add, add_scaled, all_tiles};

/// The upper half of a word: a bf16 value as an f32.
const UPPER_HALF: i32 = 0xffff_0000_u32 as i32;

/// Word `k` of row `r` of the activations.
///
/// # Safety
/// There is such a word.
#[inline(always)]
unsafe fn left(tile: &Tile, words: usize, r: usize, k: usize) -> i32 {
    // SAFETY: the caller's promise.
    unsafe { *tile.left.get_unchecked(r * words + k) as i32 }
}

/// A cache line in one register.
#[target_feature(enable = "avx512f")]
fn whole(line: &Line) -> __m512i {
    // SAFETY: a line is 64 bytes, aligned to them.
    unsafe { _mm512_load_si512(line.0.as_ptr().cast()) }
}

/// Defines a tile with 16 lanes: all of a panel's columns in one pass.
///
/// - `multiply`, `tile`: the names of the [`Multiply`](super::Multiply) and of its tile.
/// - `register`, `value`: the type of a register of sums, and of one of them.
/// - `left_words`: how many words of the activations go with a packed row.
/// - `start`: makes the first register of sums from the tile and a row.
/// - `multiply_add`: adds one cache line's products to a register of sums.
/// - `add`: adds the tile's sums to the outputs.
macro_rules! avx512_tile {
    (
        multiply: $multiply:ident,
        tile: $name:ident,
        register: $register:ty,
        value: $value:ty,
        left_words: $left_words:literal,
        start: $start:expr,
        multiply_add: $multiply_add:expr,
        add: $add:ident
    ) => {
        all_tiles!(
            /// # Safety
            /// See the top of the file.
            #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni")]
            $multiply,
            $name
        );

        /// # Safety
        /// See the top of the file.
        #[inline]
        #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni")]
        unsafe fn $name<const ROWS: usize>(tile: Tile) {
            let words = tile.panel.len() / LINES_PER_ROW * $left_words;
            let mut acc: [_; ROWS] = std::array::from_fn(|r| [$start(&tile, r); LINES_PER_ROW]);
            for (k, lines) in tile.panel.as_chunks::<LINES_PER_ROW>().0.iter().enumerate() {
                let weights = lines.each_ref().map(|line| whole(line));
                for (r, acc) in acc.iter_mut().enumerate() {
                    let x: [_; $left_words] = std::array::from_fn(|i| {
                        // SAFETY: `left` holds every word of `ROWS` rows.
                        _mm512_set1_epi32(unsafe { left(&tile, words, r, k * $left_words + i) })
                    });
                    for (acc, weights) in acc.iter_mut().zip(weights) {
                        *acc = $multiply_add(*acc, x, weights);
                    }
                }
            }
            let mut sums = [[<$value>::default(); PANEL]; ROWS];
            for (sums, acc) in sums.iter_mut().zip(&acc) {
                for (sums, acc) in sums.as_chunks_mut::<16>().0.iter_mut().zip(acc) {
                    // SAFETY: both are 16 values of 32 bits.
                    *sums = unsafe { std::mem::transmute::<$register, [$value; 16]>(*acc) };
                }
            }
            $add(&sums, tile);
        }
    };
}

avx512_tile!(
    multiply: multiply_avx512_f32,
    tile: avx512_f32,
    register: __m512,
    value: f32,
    left_words: 1,
    start: |_: &Tile, _| _mm512_setzero_ps(),
    multiply_add: |acc, [x]: [__m512i; 1], w| _mm512_fmadd_ps(_mm512_castsi512_ps(x), _mm512_castsi512_ps(w), acc),
    add: add
);
avx512_tile!(
    multiply: multiply_avx512_bf16,
    tile: avx512_bf16,
    register: __m512,
    value: f32,
    left_words: 2,
    start: |_: &Tile, _| _mm512_setzero_ps(),
    multiply_add: |acc, [x, next]: [__m512i; 2], w| {
        let low = _mm512_castsi512_ps(_mm512_slli_epi32(w, 16));
        let high = _mm512_castsi512_ps(_mm512_and_si512(w, _mm512_set1_epi32(UPPER_HALF)));
        let acc = _mm512_fmadd_ps(_mm512_castsi512_ps(x), low, acc);
        _mm512_fmadd_ps(_mm512_castsi512_ps(next), high, acc)
    },
    add: add
);
avx512_tile!(
    multiply: multiply_avx512_int8,
    tile: avx512_int8,
    register: __m512i,
    value: i32,
    left_words: 1,
    // What the weights' 128 too much adds to every sum is taken off first.
    start: |tile: &Tile, r: usize| _mm512_set1_epi32(-128 * tile.row_sums[r]),
    multiply_add: |acc, [x]: [__m512i; 1], w| _mm512_dpbusd_epi32(acc, w, x),
    add: add_scaled
);

/// Defines a tile with 8 lanes. One row takes all of a panel's columns in one pass, as memory likes it; more rows have
/// registers for 16 columns at a time.
///
/// Its arguments are those of `avx512_tile`, but a register takes half a cache line, `start` is the same for all rows,
/// and `pass` is the name of the function that makes some of the columns.
macro_rules! avx2_tile {
    (
        multiply: $multiply:ident,
        tile: $name:ident,
        pass: $pass:ident,
        register: $register:ty,
        value: $value:ty,
        left_words: $left_words:literal,
        start: $start:expr,
        multiply_add: $multiply_add:expr,
        add: $add:ident
    ) => {
        all_tiles!(
            /// # Safety
            /// See the top of the file.
            #[target_feature(enable = "avx2,fma")]
            $multiply,
            $name
        );

        /// # Safety
        /// See the top of the file.
        #[inline]
        #[target_feature(enable = "avx2,fma")]
        unsafe fn $name<const ROWS: usize>(tile: Tile) {
            let mut sums = [[<$value>::default(); PANEL]; ROWS];
            // SAFETY: the caller's promise, passed on.
            unsafe {
                if ROWS == 1 {
                    $pass::<ROWS, LINES_PER_ROW>(&tile, 0, &mut sums);
                } else {
                    (0..LINES_PER_ROW).for_each(|line| $pass::<ROWS, 1>(&tile, line, &mut sums));
                }
            }
            $add(&sums, tile);
        }

        /// # Safety
        /// See the top of the file.
        #[target_feature(enable = "avx2,fma")]
        unsafe fn $pass<const ROWS: usize, const LINES: usize>(
            tile: &Tile,
            first: usize,
            sums: &mut [[$value; PANEL]; ROWS],
        ) {
            let words = tile.panel.len() / LINES_PER_ROW * $left_words;
            let mut acc = [[[$start; 2]; LINES]; ROWS];
            for (k, lines) in tile.panel.as_chunks::<LINES_PER_ROW>().0.iter().enumerate() {
                let weights: [_; LINES] = std::array::from_fn(|i| halves(&lines[first + i]));
                for (r, acc) in acc.iter_mut().enumerate() {
                    let x: [_; $left_words] = std::array::from_fn(|i| {
                        // SAFETY: `left` holds every word of `ROWS` rows.
                        _mm256_set1_epi32(unsafe { left(&tile, words, r, k * $left_words + i) })
                    });
                    for (acc, weights) in acc.iter_mut().flatten().zip(weights.as_flattened()) {
                        *acc = $multiply_add(*acc, x, *weights);
                    }
                }
            }
            for (sums, acc) in sums.iter_mut().zip(&acc) {
                let sums = sums[first * 16..].as_chunks_mut::<8>().0;
                for (sums, acc) in sums.iter_mut().zip(acc.as_flattened()) {
                    // SAFETY: both are 8 values of 32 bits.
                    *sums = unsafe { std::mem::transmute::<$register, [$value; 8]>(*acc) };
                }
            }
        }
    };
}

/// A cache line in two registers.
#[target_feature(enable = "avx2")]
fn halves(line: &Line) -> [__m256i; 2] {
    let start: *const __m256i = line.0.as_ptr().cast();
    // SAFETY: a line is 64 bytes, aligned to them.
    unsafe { [_mm256_load_si256(start), _mm256_load_si256(start.add(1))] }
}

avx2_tile!(
    multiply: multiply_avx2_f32,
    tile: avx2_f32,
    pass: avx2_f32_pass,
    register: __m256,
    value: f32,
    left_words: 1,
    start: _mm256_setzero_ps(),
    multiply_add: |acc, [x]: [__m256i; 1], w| _mm256_fmadd_ps(_mm256_castsi256_ps(x), _mm256_castsi256_ps(w), acc),
    add: add
);
avx2_tile!(
    multiply: multiply_avx2_bf16,
    tile: avx2_bf16,
    pass: avx2_bf16_pass,
    register: __m256,
    value: f32,
    left_words: 2,
    start: _mm256_setzero_ps(),
    multiply_add: |acc, [x, next]: [__m256i; 2], w| {
        let low = _mm256_castsi256_ps(_mm256_slli_epi32(w, 16));
        let high = _mm256_castsi256_ps(_mm256_and_si256(w, _mm256_set1_epi32(UPPER_HALF)));
        let acc = _mm256_fmadd_ps(_mm256_castsi256_ps(x), low, acc);
        _mm256_fmadd_ps(_mm256_castsi256_ps(next), high, acc)
    },
    add: add
);
avx2_tile!(
    multiply: multiply_avx2_int8,
    tile: avx2_int8,
    pass: avx2_int8_pass,
    register: __m256i,
    value: i32,
    left_words: 1,
    start: _mm256_setzero_si256(),
    multiply_add: |acc, [x]: [__m256i; 1], w| {
        // The instruction wants unsigned times signed bytes: |x| times w with the sign of x. Both are at most 127, so
        // that a sum of two products fits its 16 bits.
        let pairs = _mm256_maddubs_epi16(_mm256_abs_epi8(x), _mm256_sign_epi8(w, x));
        _mm256_add_epi32(acc, _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)))
    },
    add: add_scaled
);
