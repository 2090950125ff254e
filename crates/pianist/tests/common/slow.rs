//! Two devices, each of which is faster than the other for some batches.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::sleep;
use std::time::Duration;

use etude_pianist::alphabet::{Alphabet, InputRow};
use etude_pianist::engine::{Batch, CpuEngine, DeviceError, Engine};
use etude_pianist::network::Blueprint;
use etude_pianist::time::TimeBase;

/// A processor that takes half a millisecond for each stream, and another device that takes two for any number of them.
pub struct Slow {
    /// How many batches were begun, to time them or to compose.
    pub batches: Arc<AtomicUsize>,
    engine: CpuEngine,
    device: &'static str,
}

impl Slow {
    /// The processor if `device` is `CPU`, which computes as `engine`.
    pub fn new(engine: CpuEngine, device: &'static str) -> Slow {
        Slow { batches: Arc::default(), engine, device }
    }
}

struct SlowBatch {
    batch: Box<dyn Batch>,
    is_processor: bool,
}

impl Engine for Slow {
    fn alphabet(&self) -> Alphabet {
        self.engine.alphabet()
    }

    fn time_base(&self) -> TimeBase {
        self.engine.time_base()
    }

    fn blueprint(&self) -> &Blueprint {
        self.engine.blueprint()
    }

    fn device(&self) -> &str {
        self.device
    }

    fn batch(&self, streams: usize) -> Result<Box<dyn Batch>, DeviceError> {
        self.batches.fetch_add(1, Ordering::Relaxed);
        let is_processor = self.device == "CPU";
        Ok(Box::new(SlowBatch { batch: self.engine.batch(streams)?, is_processor }))
    }
}

impl Batch for SlowBatch {
    fn input_row(&mut self, row: usize) -> InputRow<'_> {
        self.batch.input_row(row)
    }

    fn head_row(&mut self, head: usize, row: usize) -> InputRow<'_> {
        self.batch.head_row(head, row)
    }

    fn advance(&mut self, streams: &[usize]) -> Result<(), DeviceError> {
        sleep(Duration::from_micros(if self.is_processor { 500 * streams.len() as u64 } else { 2_000 }));
        self.batch.advance(streams)
    }

    fn head(&mut self, head: usize, streams: &[usize]) -> Result<(), DeviceError> {
        self.batch.head(head, streams)
    }

    fn logits(&self, row: usize) -> &[f32] {
        self.batch.logits(row)
    }
}
