//! A graphics processor that fails in the midst of its work.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use etude_pianist::engine::{CpuEngine, DeviceError};

use crate::disguised::Disguised;

/// An engine that computes as `engine` for `calls` calls, until its device is lost, and lets `fallback` go on; and how many
/// calls are left.
pub fn failing(engine: CpuEngine, fallback: CpuEngine, calls: usize) -> (Disguised, Arc<AtomicUsize>) {
    let calls_left = Arc::new(AtomicUsize::new(calls));
    let left = calls_left.clone();
    let act = move |_, _| {
        let less = |left: usize| left.checked_sub(1);
        let lost = || DeviceError { device: "GPU".to_owned(), reason: "it was unplugged".to_owned() };
        left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less).map(drop).map_err(|_| lost())
    };
    (Disguised::new("GPU", engine, Some(fallback), act), calls_left)
}
