//! Matrix products and activations on the fastest instructions that the processor has.
//!
//! Everything the network does in bulk is one of two products, both on `f32` matrices in row-major order:
//! [`product`], rows times a packed weight matrix, and [`accumulate_outer`], the sum of outer products that a weight's
//! gradient is. A [`Kernel`] names the instructions and, with it, whether factors are rounded to bf16 (sums never are).

/// Defines a function of plain loops that is compiled for every kernel's instructions, so that the loops use the full
/// vector width. It gets one argument more than is written: the kernel to run, its first. Loops that also ask what the
/// kernel packs are passed it once more, as `format`.
///
/// # Panics
/// The function panics if this machine can't run the kernel.
#[macro_export]
macro_rules! vectorised {
    ($(#[$meta:meta])* $vis:vis fn $name:ident($($arg:ident: $type:ty),* $(,)?) $(-> $result:ty)? $body:block) => {
        $(#[$meta])*
        $vis fn $name(kernel: $crate::kernel::Kernel, $($arg: $type),*) $(-> $result)? {
            #[inline(always)]
            fn plain($($arg: $type),*) $(-> $result)? $body

            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx2,fma")]
            fn avx2($($arg: $type),*) $(-> $result)? {
                plain($($arg),*)
            }

            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx2,fma")]
            fn avx512($($arg: $type),*) $(-> $result)? {
                plain($($arg),*)
            }

            assert!(kernel.is_available(), "{kernel:?} is not available on this machine");
            match kernel {
                $crate::kernel::Kernel::Portable => plain($($arg),*),
                // SAFETY: the processor has the features: the kernel was just found to be available.
                #[cfg(target_arch = "x86_64")]
                $crate::kernel::Kernel::Avx2 => unsafe { avx2($($arg),*) },
                // SAFETY: as above.
                #[cfg(target_arch = "x86_64")]
                _ => unsafe { avx512($($arg),*) },
                #[cfg(not(target_arch = "x86_64"))]
                _ => unreachable!("only the portable kernel is available"),
            }
        }
    };
}

mod activation;
#[cfg(target_arch = "x86_64")]
pub(crate) mod amx;
mod lanes;
mod left;
mod outer;
mod panels;
mod parts;
mod tile;
mod words;

pub use activation::{exp, sigmoid, tanh};
#[cfg(target_arch = "x86_64")]
pub use amx::request_tiles;
pub use lanes::{LANES, load, store};
pub use outer::{Outer, Summand, accumulate_outer};
pub use panels::{Panels, Rows, fill_rows, product};
pub use words::Words;

pub(crate) use activation::{ROUNDER, cell_output, ln, next_cell};
use parts::PARTS;
pub(crate) use parts::bf16_bits;
use std::sync::LazyLock;
use words::Line;

/// Other processors have no tiles to ask for.
#[cfg(not(target_arch = "x86_64"))]
pub fn request_tiles() -> bool {
    false
}

/// The instructions that a product runs on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kernel {
    /// Plain Rust; every processor.
    Portable,
    /// x86-64 with AVX2 and FMA.
    Avx2,
    /// x86-64 with AVX-512 F, BW, DQ and VL.
    Avx512,
    /// x86-64 with AMX BF16 on Linux: every factor as the sum of three of bf16, as exact as f32. See [`request_tiles`].
    AmxF32,
    /// x86-64 with AVX-512 BF16: factors are rounded to bf16, products are summed in f32.
    Avx512Bf16,
    /// x86-64 with AMX BF16 on Linux: the same, 16 by 16 sums at a time.
    AmxBf16,
}

/// How exact the factors of a product are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Precision {
    /// Factors and sums in f32.
    F32,
    /// Factors rounded to bf16 where the processor multiplies them natively, sums in f32.
    Bf16,
}

impl Kernel {
    /// Every kernel, slowest first.
    const ALL: [Kernel; 6] =
        [Kernel::Portable, Kernel::Avx2, Kernel::Avx512, Kernel::AmxF32, Kernel::Avx512Bf16, Kernel::AmxBf16];

    /// The fastest kernel of this machine that is at least as exact as `precision`.
    pub fn best(precision: Precision) -> Kernel {
        let exact = |kernel: &Kernel| precision == Precision::Bf16 || !kernel.rounds_to_bf16();
        Kernel::available().into_iter().rfind(exact).unwrap_or(Kernel::Portable)
    }

    /// The kernels that this machine can run, slowest first.
    pub fn available() -> Vec<Kernel> {
        Kernel::ALL.into_iter().filter(|kernel| kernel.is_available()).collect()
    }

    /// Whether this machine can run it.
    pub fn is_available(self) -> bool {
        // Looked up, because the kernels ask at each call.
        static AVAILABLE: LazyLock<[bool; 6]> = LazyLock::new(|| Kernel::ALL.map(Kernel::has_instructions));
        #[cfg(target_arch = "x86_64")]
        if self.uses_tiles() && !amx::has_bf16() {
            return false;
        }
        AVAILABLE[self as usize]
    }

    #[cfg(target_arch = "x86_64")]
    fn has_instructions(self) -> bool {
        let avx2 = is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma");
        let avx512 = avx2
            && is_x86_feature_detected!("avx512f")
            && is_x86_feature_detected!("avx512bw")
            && is_x86_feature_detected!("avx512dq")
            && is_x86_feature_detected!("avx512vl");
        match self {
            Kernel::Portable => true,
            Kernel::Avx2 => avx2,
            Kernel::Avx512 => avx512,
            Kernel::Avx512Bf16 => avx512 && is_x86_feature_detected!("avx512bf16"),
            // Its tiles are asked for, but its loops over single values are those of AVX-512.
            Kernel::AmxF32 | Kernel::AmxBf16 => avx512,
        }
    }

    #[cfg(not(target_arch = "x86_64"))]
    fn has_instructions(self) -> bool {
        self == Kernel::Portable
    }

    /// Whether factors are rounded to bf16.
    pub fn rounds_to_bf16(self) -> bool {
        matches!(self, Kernel::Avx512Bf16 | Kernel::AmxBf16)
    }

    /// Whether it multiplies with AMX.
    fn uses_tiles(self) -> bool {
        matches!(self, Kernel::AmxF32 | Kernel::AmxBf16)
    }

    /// Values of one column that sit side by side in a packed word: 2 for bf16, else 1.
    fn values_per_word(self) -> usize {
        if matches!(self, Kernel::Portable | Kernel::Avx2 | Kernel::Avx512) { 1 } else { 2 }
    }

    /// Words that the values of one are packed in: 3 where every value is the sum of three.
    fn parts(self) -> usize {
        if self == Kernel::AmxF32 { PARTS } else { 1 }
    }

    /// Packed matrices have a multiple of this many rows, and of this many words in a row: 16 with AMX, whose instructions
    /// take whole tiles, 1 elsewhere. Rows are filled up with zeros, which add nothing to a sum; what further rows hold does
    /// not matter, as their sums are dropped. Where values have several parts, these words of the first part are followed
    /// by as many of each other part.
    fn unit(self) -> usize {
        if self.uses_tiles() { Line::WORDS } else { 1 }
    }
}
