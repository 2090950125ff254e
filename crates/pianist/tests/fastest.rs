//! Of two devices, the one composes that is faster for the number of streams, and each number is timed once.

mod common;
#[path = "common/disguised.rs"]
mod disguised;
#[path = "common/failing.rs"]
mod failing;
#[path = "common/slow.rs"]
mod slow;

use std::sync::Arc;
use std::sync::atomic::Ordering;

use common::random_pianist;
use etude_pianist::alphabet::Alphabet;
use etude_pianist::composer::{Composer, Request};
use etude_pianist::engine::{CpuEngine, Engine, Fastest, Precision};
use etude_pianist::time::TimeBase;
use failing::failing;
use slow::slow;

fn cpu() -> CpuEngine {
    CpuEngine::new(random_pianist(Alphabet::Notes, TimeBase::Seconds, 0.2, 1), Precision::Int8)
}

fn requests(count: u64) -> Vec<Request> {
    (0..count).map(|seed| Request { seed, bars: 1, tempo: 240.0, ..Request::default() }).collect()
}

#[test]
fn one_take_and_sixteen_are_composed_where_each_is_fastest_and_timed_once() {
    let ((cpu, on_cpu), (gpu, on_gpu)) = (slow(cpu(), "CPU"), slow(cpu(), "GPU"));
    let fastest: Arc<dyn Engine> = Arc::new(Fastest::new(Arc::new(cpu), Arc::new(gpu)));
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
        let other = Arc::new(failing(cpu(), cpu(), calls).0);
        let fastest = Arc::new(Fastest::new(Arc::new(cpu()), other));
        let composer = Composer::new(fastest, &requests(1)).unwrap();
        assert!(composer.device().starts_with("CPU") && composer.failure().is_none());
    }
}
