//! Two devices, each of which is faster than the other for some batches.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::sleep;
use std::time::Duration;

use etude_pianist::engine::CpuEngine;

use crate::disguised::{Call, Disguised};

/// If `device` is `CPU`, a processor that takes half a millisecond for each stream, else another device that takes two for
/// any number of them; and how many batches it was asked to begin, to time them or to compose.
pub fn slow(engine: CpuEngine, device: &'static str) -> (Disguised, Arc<AtomicUsize>) {
    let batches = Arc::new(AtomicUsize::default());
    let begun = batches.clone();
    let act = move |call, streams| {
        match call {
            Call::Begin => drop(begun.fetch_add(1, Ordering::Relaxed)),
            Call::Advance if device == "CPU" => sleep(Duration::from_micros(500) * streams as u32),
            Call::Advance => sleep(Duration::from_millis(2)),
            Call::Head => (),
        }
        Ok(())
    };
    (Disguised::new(device, engine, None, act), batches)
}
