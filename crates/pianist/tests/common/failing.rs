//! A graphics processor that fails in the midst of its work.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use etude_pianist::alphabet::{Alphabet, InputRow};
use etude_pianist::engine::{Batch, CpuEngine, DeviceError, Engine};
use etude_pianist::network::Blueprint;
use etude_pianist::time::TimeBase;

/// An engine whose device is lost after so many calls, and that computes as another one does until then.
pub struct Failing {
    /// How many calls go well yet.
    pub calls_left: Arc<AtomicUsize>,
    engine: Arc<CpuEngine>,
    fallback: Arc<CpuEngine>,
}

impl Failing {
    /// One that computes as `engine` for so many calls, and lets `fallback` go on.
    pub fn new(engine: CpuEngine, fallback: CpuEngine, calls: usize) -> Failing {
        let calls_left = Arc::new(AtomicUsize::new(calls));
        Failing { calls_left, engine: Arc::new(engine), fallback: Arc::new(fallback) }
    }
}

struct FailingBatch {
    calls_left: Arc<AtomicUsize>,
    batch: Box<dyn Batch>,
}

fn call(calls_left: &AtomicUsize) -> Result<(), DeviceError> {
    let less = |left: usize| left.checked_sub(1);
    match calls_left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less) {
        Ok(_) => Ok(()),
        Err(_) => Err(DeviceError { device: "GPU".to_owned(), reason: "it was unplugged".to_owned() }),
    }
}

impl Engine for Failing {
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
        "GPU"
    }

    fn batch(&self, streams: usize) -> Result<Box<dyn Batch>, DeviceError> {
        call(&self.calls_left)?;
        let batch = self.engine.batch(streams)?;
        Ok(Box::new(FailingBatch { calls_left: self.calls_left.clone(), batch }))
    }

    fn fallback(&self) -> Option<Arc<dyn Engine>> {
        Some(self.fallback.clone())
    }
}

impl Batch for FailingBatch {
    fn input_row(&mut self, row: usize) -> InputRow<'_> {
        self.batch.input_row(row)
    }

    fn head_row(&mut self, head: usize, row: usize) -> InputRow<'_> {
        self.batch.head_row(head, row)
    }

    fn advance(&mut self, streams: &[usize]) -> Result<(), DeviceError> {
        call(&self.calls_left)?;
        self.batch.advance(streams)
    }

    fn head(&mut self, head: usize, streams: &[usize]) -> Result<(), DeviceError> {
        call(&self.calls_left)?;
        self.batch.head(head, streams)
    }

    fn logits(&self, row: usize) -> &[f32] {
        self.batch.logits(row)
    }
}
