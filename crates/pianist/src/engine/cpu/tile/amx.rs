//! Tiles on Intel's Advanced Matrix Extensions, for int8: sixteen rows times a whole panel at a time.

use std::ops::Range;

use super::x86::multiply_avx512_int8;
use super::{LINES_PER_ROW, Line, PANEL, Product, Tile, add_scaled};
use crate::kernel::amx::{Registers, SIDE};

/// Rows from which tile registers are faster: fewer leave them too empty.
const FEWEST_ROWS: usize = 8;

/// # Safety
/// The processor has AVX-512 with VNNI, and AMX INT8 that this process may use; `left` holds the words of all rows.
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni")]
pub(super) unsafe fn multiply_int8(mut product: Product) {
    let rows = product.left.scales.len();
    if rows < FEWEST_ROWS {
        // SAFETY: the caller's promise, passed on.
        return unsafe { multiply_avx512_int8(product) };
    }
    let whole = rows / SIDE * SIDE;
    // SAFETY: the caller's promise, passed on.
    unsafe {
        multiply_rows(&mut product, 0..whole, SIDE);
        multiply_rows(&mut product, whole..rows, rows - whole);
    }
}

/// Makes the tiles of some rows, each `height` rows.
///
/// # Safety
/// As for [`multiply_int8`].
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni")]
unsafe fn multiply_rows(product: &mut Product, rows: Range<usize>, height: usize) {
    if rows.is_empty() {
        return;
    }
    // SAFETY: the caller's promise.
    let registers = unsafe { Registers::set_up(height) };
    for panel in product.panels() {
        for first in rows.clone().step_by(height) {
            // SAFETY: as above; the registers are set up for as many rows as the tile has.
            unsafe { tile(&registers, height, product.tile(panel, first..first + height)) };
        }
    }
}

/// # Safety
/// The registers are set up for `rows` rows, and `left` holds their words.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni")]
unsafe fn tile(_: &Registers, rows: usize, tile: Tile) {
    let words = tile.panel.len() / LINES_PER_ROW;
    let steps = words / SIDE;
    let mut sums = [[0; PANEL]; SIDE];
    for (sums, row_sum) in sums.iter_mut().zip(tile.row_sums) {
        // What the weights' 128 too much adds to every sum is taken off first.
        *sums = [-128 * row_sum; PANEL];
    }
    // SAFETY: `left` holds `steps` times 16 words of each row, `words` apart, the panel as many rows of 4 lines.
    unsafe { add_products(steps, tile.left.as_ptr(), words, tile.panel.as_ptr(), &mut sums) };

    let missing = words - steps * SIDE;
    if missing > 0 {
        // The last words, filled up with zeros.
        let mut left = [[0; SIDE]; SIDE];
        let mut panel = [[Line([0; 16]); LINES_PER_ROW]; SIDE];
        for (padded, row) in left.iter_mut().zip(tile.left.chunks_exact(words)) {
            padded[..missing].copy_from_slice(&row[steps * SIDE..]);
        }
        let last = &tile.panel.as_chunks::<LINES_PER_ROW>().0[steps * SIDE..];
        panel[..missing].copy_from_slice(last);
        // SAFETY: these are 16 rows of 16 words, and 16 rows of 4 lines.
        unsafe { add_products(1, left.as_ptr().cast(), SIDE, panel.as_ptr().cast(), &mut sums) };
    }
    add_scaled(&sums[..rows], tile);
}

/// Adds the products of `steps` times 16 words of the rows and of the panel.
///
/// # Safety
/// Registers are set up for some rows; `left` points to as many rows of those words, `stride` words apart, `panel` to
/// `16 * steps` rows of lines.
unsafe fn add_products(
    steps: usize,
    left: *const u32,
    stride: usize,
    panel: *const Line,
    sums: &mut [[i32; PANEL]; SIDE],
) {
    const ROW: usize = LINES_PER_ROW * size_of::<Line>();
    if steps == 0 {
        return;
    }
    // SAFETY: reads what the caller vouches for, and reads and writes as many of the sums' 16 rows as registers have.
    unsafe {
        std::arch::asm!(
            "tileloadd tmm0, [{sums} + {row}]",
            "tileloadd tmm1, [{sums} + {row} + 64]",
            "tileloadd tmm2, [{sums} + {row} + 128]",
            "tileloadd tmm3, [{sums} + {row} + 192]",
            "2:",
            "tileloadd tmm4, [{left} + {stride}]",
            "tileloadd tmm5, [{panel} + {row}]",
            "tdpbsud tmm0, tmm4, tmm5",
            "tileloadd tmm6, [{panel} + {row} + 64]",
            "tdpbsud tmm1, tmm4, tmm6",
            "tileloadd tmm7, [{panel} + {row} + 128]",
            "tdpbsud tmm2, tmm4, tmm7",
            "tileloadd tmm5, [{panel} + {row} + 192]",
            "tdpbsud tmm3, tmm4, tmm5",
            "add {left}, 64",
            "add {panel}, {step}",
            "dec {count}",
            "jnz 2b",
            "tilestored [{sums} + {row}], tmm0",
            "tilestored [{sums} + {row} + 64], tmm1",
            "tilestored [{sums} + {row} + 128], tmm2",
            "tilestored [{sums} + {row} + 192], tmm3",
            count = inout(reg) steps => _,
            left = inout(reg) left => _,
            stride = in(reg) stride * size_of::<u32>(),
            panel = inout(reg) panel => _,
            row = in(reg) ROW,
            step = const ROW * SIDE,
            sums = in(reg) sums.as_mut_ptr(),
            out("tmm0") _, out("tmm1") _, out("tmm2") _, out("tmm3") _,
            out("tmm4") _, out("tmm5") _, out("tmm6") _, out("tmm7") _,
            options(nostack)
        );
    }
}
