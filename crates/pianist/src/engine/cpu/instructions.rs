//! Which instructions the engine's products run on.

use std::fmt;

use crate::kernel::Kernel;

/// An instruction set; what a processor has is found at run time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Instructions {
    /// Plain Rust; every processor.
    Portable,
    /// 64-bit ARM.
    Neon,
    /// x86-64 with AVX2 and FMA.
    Avx2,
    /// x86-64 with AVX-512 F, BW, DQ, VL and VNNI.
    Avx512,
    /// The same with AMX INT8, on Linux: see [`request_tiles`](crate::kernel::request_tiles).
    Amx,
}

impl Instructions {
    /// Every instruction set, slowest first.
    const ALL: [Instructions; 5] = [
        Instructions::Portable,
        Instructions::Neon,
        Instructions::Avx2,
        Instructions::Avx512,
        Instructions::Amx,
    ];

    /// The fastest that this machine has.
    pub fn best() -> Instructions {
        Instructions::available().last().copied().unwrap_or(Instructions::Portable)
    }

    /// What this machine has, slowest first.
    pub fn available() -> Vec<Instructions> {
        Instructions::ALL.into_iter().filter(|instructions| instructions.is_available()).collect()
    }

    /// Whether this machine has them.
    pub fn is_available(self) -> bool {
        #[cfg(target_arch = "x86_64")]
        let (vnni, amx) = (is_x86_feature_detected!("avx512vnni"), crate::kernel::amx::has_int8());
        #[cfg(not(target_arch = "x86_64"))]
        let (vnni, amx) = (false, false);
        match self {
            Instructions::Portable => true,
            Instructions::Neon => cfg!(target_arch = "aarch64"),
            Instructions::Avx2 => Kernel::Avx2.is_available(),
            Instructions::Avx512 => Kernel::Avx512.is_available() && vnni,
            Instructions::Amx => Instructions::Avx512.is_available() && amx,
        }
    }

    /// The kernel for loops over single values on the same processor.
    pub(super) fn kernel(self) -> Kernel {
        match self {
            // NEON is a part of every 64-bit ARM, so that plain loops are compiled to it anyway.
            Instructions::Portable | Instructions::Neon => Kernel::Portable,
            Instructions::Avx2 => Kernel::Avx2,
            Instructions::Avx512 | Instructions::Amx => Kernel::Avx512,
        }
    }
}

impl fmt::Display for Instructions {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(match self {
            Instructions::Portable => "portable",
            Instructions::Neon => "NEON",
            Instructions::Avx2 => "AVX2",
            Instructions::Avx512 => "AVX-512",
            Instructions::Amx => "AMX",
        })
    }
}
