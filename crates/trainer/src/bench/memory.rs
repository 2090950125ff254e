//! How much memory this process holds, where the system tells: on Linux.

use std::fs;

/// The memory that was held before something was done.
pub struct Memory {
    before: Option<f64>,
}

impl Memory {
    /// Begins to look.
    pub fn now() -> Memory {
        // Without this, the most that was held includes all that happened before.
        let _ = fs::write("/proc/self/clear_refs", "5");
        Memory { before: held("VmRSS") }
    }

    /// Bytes that are held now and were not before.
    pub fn growth(&self) -> Option<f64> {
        Some(held("VmRSS")? - self.before?)
    }

    /// The most bytes that were held since, and not before.
    pub fn peak(&self) -> Option<f64> {
        Some(held("VmHWM")? - self.before?)
    }
}

/// A field of the kernel's account of this process, in bytes.
fn held(field: &str) -> Option<f64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(field)?.strip_prefix(':'))?;
    line.trim().strip_suffix(" kB")?.parse().ok().map(|kilobytes: f64| 1024.0 * kilobytes)
}
