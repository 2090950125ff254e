//! Tiles on Intel's Advanced Matrix Extensions: eight registers of 16 rows of 64 bytes, and an instruction that adds the
//! product of two of them to a third, bf16 to f32 or int8 to i32 (Intel 64 and IA-32 Architectures Software Developer's
//! Manual, volume 1, chapter 18).
//!
//! Rust has no stable intrinsics for them, so a block is one piece of assembly: the compiler knows nothing of tile
//! registers and could not keep sums in them from one piece to the next.

use std::marker::PhantomData;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicBool, Ordering};

use super::parts::PARTS;
use super::tile::{LINES_PER_ROW, Left, Out, PANEL};
use super::words::Line;

/// Most rows of a tile, and its words in a row.
pub(crate) const SIDE: usize = 16;

/// Whether [`request_tiles`] was granted.
static GRANTED: AtomicBool = AtomicBool::new(false);

/// Asks the system to let this process use the processor's tiles (AMX); says whether they can be used from now on.
///
/// Linux wants to be asked, because threads then need more memory when they are interrupted. That is for a program to
/// decide, not for a library or a plugin in somebody else's process, so nothing uses tiles before this.
pub fn request_tiles() -> bool {
    let granted = has(AMX_TILE) && is_granted();
    GRANTED.store(granted, Ordering::Relaxed);
    granted
}

#[cfg(target_os = "linux")]
fn is_granted() -> bool {
    /// The state component of the tile registers' contents (Linux, Documentation/arch/x86/xstate.rst).
    const XFEATURE_XTILEDATA: libc::c_ulong = 18;
    const ARCH_REQ_XCOMP_PERM: libc::c_int = 0x1023;
    // SAFETY: the call only changes what this process may use; unknown to older systems, it fails.
    unsafe { libc::syscall(libc::SYS_arch_prctl, ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA) == 0 }
}

#[cfg(not(target_os = "linux"))]
fn is_granted() -> bool {
    false
}

/// Bits of the processor's features (leaf 7, EDX).
const AMX_BF16: u32 = 1 << 22;
const AMX_TILE: u32 = 1 << 24;
const AMX_INT8: u32 = 1 << 25;

fn has(features: u32) -> bool {
    static FEATURES: LazyLock<u32> = LazyLock::new(|| std::arch::x86_64::__cpuid_count(7, 0).edx);
    *FEATURES & features == features
}

/// Whether tiles of bf16 can be used.
pub(crate) fn has_bf16() -> bool {
    has(AMX_TILE | AMX_BF16) && GRANTED.load(Ordering::Relaxed)
}

/// Whether tiles of int8 can be used.
pub(crate) fn has_int8() -> bool {
    has(AMX_TILE | AMX_INT8) && GRANTED.load(Ordering::Relaxed)
}

/// What `ldtilecfg` reads: palette 1, and the shape of each of the eight registers.
#[repr(C, align(64))]
struct Shapes {
    palette: u8,
    start_row: u8,
    reserved: [u8; 14],
    bytes_per_row: [u16; 16],
    rows: [u8; 16],
}

/// Tile registers that are set up on this thread, until it is dropped.
pub(crate) struct Registers(PhantomData<*const ()>);

impl Registers {
    /// Sets them up, all with 64 bytes in a row: the first five with `rows` rows, for sums and left factors, the others
    /// with 16.
    ///
    /// # Safety
    /// [`has_bf16`] or [`has_int8`].
    ///
    /// # Panics
    /// If there are no rows, or more than 16.
    pub(crate) unsafe fn set_up(rows: usize) -> Registers {
        assert!((1..=SIDE).contains(&rows), "a tile has 1 to 16 rows");
        let mut shapes =
            Shapes { palette: 1, start_row: 0, reserved: [0; 14], bytes_per_row: [0; 16], rows: [0; 16] };
        shapes.bytes_per_row[..8].fill(64);
        shapes.rows[..5].fill(rows as u8);
        shapes.rows[5..8].fill(SIDE as u8);
        // SAFETY: the instruction exists, and the shapes are valid.
        unsafe {
            std::arch::asm!("ldtilecfg [{}]", in(reg) &shapes, options(nostack, preserves_flags, readonly))
        };
        Registers(PhantomData)
    }
}

impl Drop for Registers {
    fn drop(&mut self) {
        // SAFETY: the instruction exists, or `set_up` would not have been called.
        unsafe { std::arch::asm!("tilerelease", options(nostack, preserves_flags, nomem)) };
    }
}

/// Adds left times panel, packed in 1 or 3 parts, to `rows` rows of 64 values of `out`; `rows` is 16 or 32.
///
/// # Safety
/// `Registers` are set up with 16 rows, the words of a row of `left` lie side by side, and `left` holds `rows` rows of the
/// panel's depth, a multiple of 16 words for each part, `out` as many rows of 64 values.
pub(super) unsafe fn tile(parts: usize, rows: usize, left: Left, panel: &[Line], out: Out) {
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
