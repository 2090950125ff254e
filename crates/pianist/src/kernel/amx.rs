//! Tiles on Intel's Advanced Matrix Extensions: eight registers of 16 rows of 64 bytes, and an instruction that adds the
//! product of two of them to a third, bf16 to f32 or int8 to i32 (Intel 64 and IA-32 Architectures Software Developer's
//! Manual, volume 1, chapter 18). Here is who may use them, and setting them up.

mod blocks;

use std::marker::PhantomData;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicBool, Ordering};

pub(super) use blocks::tile;

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
