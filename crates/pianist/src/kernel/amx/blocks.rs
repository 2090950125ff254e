//! Blocks of products in bf16, 16 or 32 rows times a panel.
//!
//! Rust has no stable intrinsics for tiles, so a block is one piece of assembly: the compiler knows nothing of tile
//! registers and could not keep sums in them from one piece to the next.

use super::SIDE;
use crate::kernel::parts::PARTS;
use crate::kernel::tile::{LINES_PER_ROW, Left, Out, PANEL};
use crate::kernel::words::Line;

/// Adds left times panel, packed in 1 or 3 parts, to `rows` rows of 64 values of `out`; `rows` is 16 or 32.
///
/// # Safety
/// `Registers` are set up with 16 rows, the words of a row of `left` lie side by side, and `left` holds `rows` rows of the
/// panel's depth, a multiple of 16 words for each part, `out` as many rows of 64 values.
pub(in crate::kernel) unsafe fn tile(parts: usize, rows: usize, left: Left, panel: &[Line], out: Out) {
    let step = Step {
        count: panel.len() / LINES_PER_ROW / SIDE / parts,
        left: left.words.as_ptr(),
        left_stride: left.row_stride * size_of::<u32>(),
        panel: panel.as_ptr(),
        out: out.values.as_mut_ptr(),
        out_stride: out.stride * size_of::<f32>(),
    };
    // SAFETY: as this function's.
    unsafe {
        match (parts, rows) {
            (PARTS, SIDE) => step.one_by_four_in_parts(),
            (_, SIDE) => step.one_by_four(),
            (PARTS, _) => {
                step.two_by_two_in_parts(0);
                step.two_by_two_in_parts(PANEL / 2);
            }
            (_, _) => {
                step.two_by_two(0);
                step.two_by_two(PANEL / 2);
            }
        }
    }
}

/// Where the tiles of a block lie; strides in bytes.
struct Step {
    /// Steps of 16 words.
    count: usize,
    left: *const u32,
    left_stride: usize,
    panel: *const Line,
    out: *mut f32,
    out_stride: usize,
}

/// Bytes from one row of a panel to the next, and from one step to the next.
const PANEL_STRIDE: usize = PANEL * size_of::<u32>();
const PANEL_STEP: usize = SIDE * PANEL_STRIDE;

/// Makes 32 rows times 32 columns of the panel of `$step`, from `$column` on, in tmm0 to tmm3: `$body` adds the products of
/// one step, and moves `left`, `left_below` and `panel` to the next.
macro_rules! two_by_two {
    ($step:ident, $column:ident, $($body:literal,)*) => {
        std::arch::asm!(
            "tileloadd tmm0, [{out} + {out_stride}]",
            "tileloadd tmm1, [{out} + {out_stride} + 64]",
            "tileloadd tmm2, [{out_below} + {out_stride}]",
            "tileloadd tmm3, [{out_below} + {out_stride} + 64]",
            "2:",
            $($body,)*
            "dec {count}",
            "jnz 2b",
            "tilestored [{out} + {out_stride}], tmm0",
            "tilestored [{out} + {out_stride} + 64], tmm1",
            "tilestored [{out_below} + {out_stride}], tmm2",
            "tilestored [{out_below} + {out_stride} + 64], tmm3",
            count = inout(reg) $step.count => _,
            left = inout(reg) $step.left => _,
            left_below = inout(reg) $step.left.byte_add(SIDE * $step.left_stride) => _,
            left_stride = in(reg) $step.left_stride,
            panel = inout(reg) $step.panel.cast::<u32>().add($column) => _,
            panel_stride = in(reg) PANEL_STRIDE,
            panel_step = const PANEL_STEP,
            out = in(reg) $step.out.add($column),
            out_below = in(reg) $step.out.add($column).byte_add(SIDE * $step.out_stride),
            out_stride = in(reg) $step.out_stride,
            out("tmm0") _, out("tmm1") _, out("tmm2") _, out("tmm3") _,
            out("tmm4") _, out("tmm5") _, out("tmm6") _, out("tmm7") _,
            options(nostack)
        )
    };
}

/// Makes 16 rows times all 64 columns of the panel of `$step` in tmm0 to tmm3, as above.
macro_rules! one_by_four {
    ($step:ident, $($body:literal,)*) => {
        std::arch::asm!(
            "tileloadd tmm0, [{out} + {out_stride}]",
            "tileloadd tmm1, [{out} + {out_stride} + 64]",
            "tileloadd tmm2, [{out} + {out_stride} + 128]",
            "tileloadd tmm3, [{out} + {out_stride} + 192]",
            "2:",
            $($body,)*
            "dec {count}",
            "jnz 2b",
            "tilestored [{out} + {out_stride}], tmm0",
            "tilestored [{out} + {out_stride} + 64], tmm1",
            "tilestored [{out} + {out_stride} + 128], tmm2",
            "tilestored [{out} + {out_stride} + 192], tmm3",
            count = inout(reg) $step.count => _,
            left = inout(reg) $step.left => _,
            left_stride = in(reg) $step.left_stride,
            panel = inout(reg) $step.panel => _,
            panel_stride = in(reg) PANEL_STRIDE,
            panel_step = const PANEL_STEP,
            out = in(reg) $step.out,
            out_stride = in(reg) $step.out_stride,
            out("tmm0") _, out("tmm1") _, out("tmm2") _, out("tmm3") _,
            out("tmm4") _, out("tmm5") _, out("tmm6") _, out("tmm7") _,
            options(nostack)
        )
    };
}

impl Step {
    /// 32 rows times 32 columns of the panel, from `column` on: each tile that is read is used twice.
    ///
    /// # Safety
    /// As for [`tile`] with 32 rows.
    unsafe fn two_by_two(&self, column: usize) {
        // SAFETY: reads and writes what the caller vouches for, sums before anything else.
        unsafe {
            two_by_two!(
                self,
                column,
                "tileloadd tmm4, [{left} + {left_stride}]",
                "tileloadd tmm6, [{panel} + {panel_stride}]",
                "tdpbf16ps tmm0, tmm4, tmm6",
                "tileloadd tmm7, [{panel} + {panel_stride} + 64]",
                "tdpbf16ps tmm1, tmm4, tmm7",
                "tileloadd tmm5, [{left_below} + {left_stride}]",
                "tdpbf16ps tmm2, tmm5, tmm6",
                "tdpbf16ps tmm3, tmm5, tmm7",
                "add {left}, 64",
                "add {left_below}, 64",
                "add {panel}, {panel_step}",
            );
        }
    }

    /// 16 rows times all 64 columns of the panel.
    ///
    /// # Safety
    /// As for [`tile`] with 16 rows.
    unsafe fn one_by_four(&self) {
        // SAFETY: as above.
        unsafe {
            one_by_four!(
                self,
                "tileloadd tmm4, [{left} + {left_stride}]",
                "tileloadd tmm5, [{panel} + {panel_stride}]",
                "tdpbf16ps tmm0, tmm4, tmm5",
                "tileloadd tmm6, [{panel} + {panel_stride} + 64]",
                "tdpbf16ps tmm1, tmm4, tmm6",
                "tileloadd tmm7, [{panel} + {panel_stride} + 128]",
                "tdpbf16ps tmm2, tmm4, tmm7",
                "tileloadd tmm5, [{panel} + {panel_stride} + 192]",
                "tdpbf16ps tmm3, tmm4, tmm5",
                "add {left}, 64",
                "add {panel}, {panel_step}",
            );
        }
    }

    /// 32 rows times 32 columns of the panel, from `column` on, both in three parts: six products, in an order in which one
    /// of the factors stays in its registers.
    ///
    /// # Safety
    /// As for [`tile`] with 32 rows.
    unsafe fn two_by_two_in_parts(&self, column: usize) {
        // SAFETY: as above.
        unsafe {
            two_by_two!(
                self,
                column,
                "tileloadd tmm4, [{left} + {left_stride} + 128]",
                "tileloadd tmm6, [{panel} + {panel_stride}]",
                "tdpbf16ps tmm0, tmm4, tmm6",
                "tileloadd tmm7, [{panel} + {panel_stride} + 64]",
                "tdpbf16ps tmm1, tmm4, tmm7",
                "tileloadd tmm5, [{left_below} + {left_stride} + 128]",
                "tdpbf16ps tmm2, tmm5, tmm6",
                "tdpbf16ps tmm3, tmm5, tmm7",
                "tileloadd tmm4, [{left} + {left_stride} + 64]",
                "tdpbf16ps tmm0, tmm4, tmm6",
                "tdpbf16ps tmm1, tmm4, tmm7",
                "tileloadd tmm5, [{left_below} + {left_stride} + 64]",
                "tdpbf16ps tmm2, tmm5, tmm6",
                "tdpbf16ps tmm3, tmm5, tmm7",
                "tileloadd tmm6, [{panel} + {panel_stride} + {panel_step}]",
                "tdpbf16ps tmm0, tmm4, tmm6",
                "tdpbf16ps tmm2, tmm5, tmm6",
                "tileloadd tmm7, [{panel} + {panel_stride} + {panel_step} + 64]",
                "tdpbf16ps tmm1, tmm4, tmm7",
                "tdpbf16ps tmm3, tmm5, tmm7",
                "tileloadd tmm4, [{left} + {left_stride}]",
                "tdpbf16ps tmm0, tmm4, tmm6",
                "tdpbf16ps tmm1, tmm4, tmm7",
                "tileloadd tmm5, [{left_below} + {left_stride}]",
                "tdpbf16ps tmm2, tmm5, tmm6",
                "tdpbf16ps tmm3, tmm5, tmm7",
                "tileloadd tmm6, [{panel} + {panel_stride} + 2 * {panel_step}]",
                "tdpbf16ps tmm0, tmm4, tmm6",
                "tdpbf16ps tmm2, tmm5, tmm6",
                "tileloadd tmm7, [{panel} + {panel_stride} + 2 * {panel_step} + 64]",
                "tdpbf16ps tmm1, tmm4, tmm7",
                "tdpbf16ps tmm3, tmm5, tmm7",
                "tileloadd tmm6, [{panel} + {panel_stride}]",
                "tdpbf16ps tmm0, tmm4, tmm6",
                "tdpbf16ps tmm2, tmm5, tmm6",
                "tileloadd tmm7, [{panel} + {panel_stride} + 64]",
                "tdpbf16ps tmm1, tmm4, tmm7",
                "tdpbf16ps tmm3, tmm5, tmm7",
                "add {left}, 192",
                "add {left_below}, 192",
                "add {panel}, 3 * {panel_step}",
            );
        }
    }

    /// 16 rows times all 64 columns of the panel, both in three parts.
    ///
    /// # Safety
    /// As for [`tile`] with 16 rows.
    unsafe fn one_by_four_in_parts(&self) {
        // SAFETY: as above.
        unsafe {
            one_by_four!(
                self,
                "tileloadd tmm4, [{left} + {left_stride}]",
                "tileloadd tmm5, [{left} + {left_stride} + 64]",
                "tileloadd tmm6, [{left} + {left_stride} + 128]",
                "tileloadd tmm7, [{panel} + {panel_stride}]",
                "tdpbf16ps tmm0, tmm4, tmm7",
                "tdpbf16ps tmm0, tmm5, tmm7",
                "tdpbf16ps tmm0, tmm6, tmm7",
                "tileloadd tmm7, [{panel} + {panel_stride} + 64]",
                "tdpbf16ps tmm1, tmm4, tmm7",
                "tdpbf16ps tmm1, tmm5, tmm7",
                "tdpbf16ps tmm1, tmm6, tmm7",
                "tileloadd tmm7, [{panel} + {panel_stride} + 128]",
                "tdpbf16ps tmm2, tmm4, tmm7",
                "tdpbf16ps tmm2, tmm5, tmm7",
                "tdpbf16ps tmm2, tmm6, tmm7",
                "tileloadd tmm7, [{panel} + {panel_stride} + 192]",
                "tdpbf16ps tmm3, tmm4, tmm7",
                "tdpbf16ps tmm3, tmm5, tmm7",
                "tdpbf16ps tmm3, tmm6, tmm7",
                "tileloadd tmm7, [{panel} + {panel_stride} + {panel_step}]",
                "tdpbf16ps tmm0, tmm4, tmm7",
                "tdpbf16ps tmm0, tmm5, tmm7",
                "tileloadd tmm7, [{panel} + {panel_stride} + {panel_step} + 64]",
                "tdpbf16ps tmm1, tmm4, tmm7",
                "tdpbf16ps tmm1, tmm5, tmm7",
                "tileloadd tmm7, [{panel} + {panel_stride} + {panel_step} + 128]",
                "tdpbf16ps tmm2, tmm4, tmm7",
                "tdpbf16ps tmm2, tmm5, tmm7",
                "tileloadd tmm7, [{panel} + {panel_stride} + {panel_step} + 192]",
                "tdpbf16ps tmm3, tmm4, tmm7",
                "tdpbf16ps tmm3, tmm5, tmm7",
                "tileloadd tmm7, [{panel} + {panel_stride} + 2 * {panel_step}]",
                "tdpbf16ps tmm0, tmm4, tmm7",
                "tileloadd tmm7, [{panel} + {panel_stride} + 2 * {panel_step} + 64]",
                "tdpbf16ps tmm1, tmm4, tmm7",
                "tileloadd tmm7, [{panel} + {panel_stride} + 2 * {panel_step} + 128]",
                "tdpbf16ps tmm2, tmm4, tmm7",
                "tileloadd tmm7, [{panel} + {panel_stride} + 2 * {panel_step} + 192]",
                "tdpbf16ps tmm3, tmm4, tmm7",
                "add {left}, 192",
                "add {panel}, 3 * {panel_step}",
            );
        }
    }
}
