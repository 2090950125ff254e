//! Of two devices, the faster one for so many streams composes, and each number of streams is timed once.

mod common;
#[path = "common/failing.rs"]
mod failing;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::sleep;
use std::time::Duration;

use common::random_pianist;
use etude_pianist::alphabet::{Alphabet, InputRow};
use etude_pianist::composer::{Composer, Request};
use etude_pianist::engine::{Batch, CpuEngine, DeviceError, Engine, Fastest, Precision};
use etude_pianist::network::Blueprint;
use etude_pianist::time::TimeBase;
use failing::Failing;

fn cpu() -> CpuEngine {
    CpuEngine::new(random_pianist(Alphabet::Notes, TimeBase::Seconds, 0.2, 1), Precision::Int8)
}

/// A processor that takes half a millisecond for each stream, and another device that takes two for any number of them.
struct Slow {
    engine: CpuEngine,
    device: &'static str,
    /// For how many streams a step was timed or composed: one batch each.
    batches: Arc<AtomicUsize>,
}

fn slow(device: &'static str) -> (Arc<Slow>, Arc<AtomicUsize>) {
    let batches = Arc::new(AtomicUsize::new(0));
    (Arc::new(Slow { engine: cpu(), device, batches: batches.clone() }), batches)
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

fn requests(count: u64) -> Vec<Request> {
    (0..count).map(|seed| Request { seed, bars: 1, tempo: 240.0, ..Request::default() }).collect()
}

#[test]
fn one_take_and_sixteen_are_composed_where_each_is_fastest_and_timed_once() {
    let ((cpu, on_cpu), (gpu, on_gpu)) = (slow("CPU"), slow("GPU"));
    let fastest: Arc<dyn Engine> = Arc::new(Fastest::new(cpu, gpu));
    let composes_on = |takes| Composer::new(fastest.clone(), &requests(takes)).unwrap().device().to_owned();
    for _ in 0..3 {
        assert_eq!([1, 16, 1].map(composes_on), ["CPU", "GPU", "CPU"]);
    }
    let batches = [on_cpu, on_gpu].map(|batches| batches.load(Ordering::Relaxed));
    assert_eq!(batches, [2 + 6, 2 + 3], "each was timed for 1 and for 16, then composed");
}

#[test]
fn a_device_that_fails_while_it_is_timed_composes_nothing() {
    for calls in [0, 1, 7] {
        let other = Arc::new(Failing::new(cpu(), cpu(), calls));
        let fastest = Arc::new(Fastest::new(Arc::new(cpu()), other));
        let composer = Composer::new(fastest, &requests(1)).unwrap();
        assert!(composer.device().starts_with("CPU") && composer.failure().is_none());
    }
}
