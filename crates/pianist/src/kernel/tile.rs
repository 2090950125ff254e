//! The innermost loop of training: a few rows times one panel of 64 columns, their sums held in registers.
//!
//! It multiplies matrices of any shape, f32 or rounded to bf16, and both factors are packed again and again: weights
//! when they have changed, all else for every product. Composing has tiles of its own, see `engine/cpu/tile.rs`: its
//! weights never change, may be int8, and are multiplied with few rows.
//!
//! Six rows of four 16-lane registers use 24 of AVX-512's 32 registers, enough sums in flight to keep both multipliers
//! busy; narrower instructions make the same tile in several passes. AMX makes 32 rows in two.

#[cfg(target_arch = "x86_64")]
mod x86;

use super::Kernel;
use super::words::Line;

/// Columns of a panel.
pub(super) const PANEL: usize = 64;
/// Most rows of a tile of AMX, and so of any kernel.
pub(super) const MAX_ROWS: usize = 32;
/// Most rows of a tile of the other kernels.
pub(super) const REGISTER_ROWS: usize = 6;

/// Cache lines that one packed row of a panel takes.
pub(super) const LINES_PER_ROW: usize = PANEL / Line::WORDS;

impl Kernel {
    /// Most rows of a tile.
    pub(super) fn tile_rows(self) -> usize {
        if self.uses_tiles() { MAX_ROWS } else { REGISTER_ROWS }
    }
}

/// A kernel that this machine can run, and is ready to on this thread until this is dropped.
pub(super) struct Ready {
    kernel: Kernel,
    #[cfg(target_arch = "x86_64")]
    _registers: Option<super::amx::Registers>,
}

impl Ready {
    /// Gets `kernel` ready.
    ///
    /// # Panics
    /// If this machine can't run it.
    pub(super) fn new(kernel: Kernel) -> Ready {
        assert!(kernel.is_available(), "{kernel:?} is not available on this machine");
        Ready {
            kernel,
            // SAFETY: the kernel was just found to be available.
            #[cfg(target_arch = "x86_64")]
            _registers: kernel
                .uses_tiles()
                .then(|| unsafe { super::amx::Registers::set_up(super::amx::SIDE) }),
        }
    }
}

/// The left factor of a tile: word `k` of row `r` is at `words[r * row_stride + k * word_stride]`.
#[derive(Clone, Copy)]
pub(super) struct Left<'a> {
    pub(super) words: &'a [u32],
    pub(super) row_stride: usize,
    pub(super) word_stride: usize,
}

/// Where the sums of a tile go: row `r` starts at `values[r * stride]`.
pub(super) struct Out<'a> {
    pub(super) values: &'a mut [f32],
    pub(super) stride: usize,
    /// Whether they are added to what is there.
    pub(super) accumulate: bool,
}

/// Sums left times panel, over the panel's whole depth, into `rows` rows of 64 values.
///
/// # Panics
/// If `left` is too short for `rows` rows of the panel's depth, or `out` for as many, or these are not multiples of the
/// kernel's unit.
pub(super) fn tile(ready: &Ready, rows: usize, left: Left, panel: &[Line], out: Out) {
    let (kernel, depth) = (ready.kernel, panel.len() / LINES_PER_ROW);
    assert!((1..=kernel.tile_rows()).contains(&rows) && panel.len().is_multiple_of(LINES_PER_ROW));
    assert!(rows.is_multiple_of(kernel.unit()) && depth.is_multiple_of(kernel.unit() * kernel.parts()));
    assert!((rows - 1) * out.stride + PANEL <= out.values.len());
    assert!(depth == 0 || (rows - 1) * left.row_stride + (depth - 1) * left.word_stride < left.words.len());
    match rows {
        #[cfg(target_arch = "x86_64")]
        _ if kernel.uses_tiles() => tile_of_tiles(kernel, rows, left, panel, out),
        1 => tile_of::<1>(kernel, left, panel, out),
        2 => tile_of::<2>(kernel, left, panel, out),
        3 => tile_of::<3>(kernel, left, panel, out),
        4 => tile_of::<4>(kernel, left, panel, out),
        5 => tile_of::<5>(kernel, left, panel, out),
        _ => tile_of::<6>(kernel, left, panel, out),
    }
}

/// The tile of AMX, which always adds.
#[cfg(target_arch = "x86_64")]
fn tile_of_tiles(kernel: Kernel, rows: usize, left: Left, panel: &[Line], out: Out) {
    assert_eq!(left.word_stride, 1, "AMX reads the words of a row side by side");
    if !out.accumulate {
        out.values.chunks_mut(out.stride).take(rows).for_each(|row| row[..PANEL].fill(0.0));
    }
    if !panel.is_empty() {
        // SAFETY: `tile` checked that all words and values lie within `left.words` and `out.values`, in whole tiles;
        // the registers are set up as long as there is a `Ready`.
        unsafe { super::amx::tile(kernel.parts(), rows, left, panel, out) };
    }
}

fn tile_of<const ROWS: usize>(kernel: Kernel, left: Left, panel: &[Line], out: Out) {
    // SAFETY: `tile` checked that all words and values lie within `left.words` and `out.values`, and a `Ready` is only
    // made of an available kernel.
    #[cfg(target_arch = "x86_64")]
    unsafe {
        match kernel {
            Kernel::Portable => portable::<ROWS>(left, panel, out),
            Kernel::Avx2 => x86::avx2::<ROWS>(left, panel, out),
            Kernel::Avx512 => x86::avx512::<ROWS>(left, panel, out),
            Kernel::Avx512Bf16 => x86::avx512_bf16::<ROWS>(left, panel, out),
            Kernel::AmxF32 | Kernel::AmxBf16 => unreachable!("they have tiles of their own"),
        }
    }
    #[cfg(not(target_arch = "x86_64"))]
    {
        let _ = kernel;
        portable::<ROWS>(left, panel, out)
    }
}

fn portable<const ROWS: usize>(left: Left, panel: &[Line], out: Out) {
    for column in 0..LINES_PER_ROW {
        let mut acc = [[0.0f32; 16]; ROWS];
        for (k, lines) in panel.chunks_exact(LINES_PER_ROW).enumerate() {
            for (r, acc) in acc.iter_mut().enumerate() {
                let x = f32::from_bits(left.words[r * left.row_stride + k * left.word_stride]);
                for (sum, word) in acc.iter_mut().zip(&lines[column].0) {
                    *sum += x * f32::from_bits(*word);
                }
            }
        }
        for (r, acc) in acc.iter().enumerate() {
            for (value, sum) in out.values[r * out.stride + column * 16..].iter_mut().zip(acc) {
                *value = if out.accumulate { *value + sum } else { *sum };
            }
        }
    }
}
