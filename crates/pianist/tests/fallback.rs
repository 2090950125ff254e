//! A device that fails in mid-take costs no note.

mod common;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use common::random_pianist;
use etude_pianist::alphabet::{Alphabet, InputRow};
use etude_pianist::composer::{Composer, Request, Take};
use etude_pianist::engine::{Batch, CpuEngine, DeviceError, Engine, Precision};
use etude_pianist::network::Blueprint;
use etude_pianist::note::{Key, Note, Performance, Velocity};
use etude_pianist::time::TimeBase;

/// An engine whose device is lost after so many calls, and that computes as another one does until then.
struct Failing {
    calls_left: Arc<AtomicUsize>,
    engine: Arc<CpuEngine>,
    fallback: Arc<CpuEngine>,
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

/// A pianist's engine that fails after so many calls; its fallback plays the pianist with the seed `fallback`.
fn failing(alphabet: Alphabet, calls: usize, fallback: u64) -> Arc<Failing> {
    let engine = |seed| {
        let pianist = random_pianist(alphabet, TimeBase::Seconds, 0.2, seed);
        Arc::new(CpuEngine::new(pianist, Precision::Int8))
    };
    Arc::new(Failing {
        calls_left: Arc::new(AtomicUsize::new(calls)),
        engine: engine(1),
        fallback: engine(fallback),
    })
}

fn requests() -> Vec<Request> {
    let note = |onset, midi| Note {
        onset,
        duration: 1.0,
        key: Key::from_midi(midi).unwrap(),
        velocity: Velocity::new(70),
    };
    let primer = Performance { notes: vec![note(0.0, 60), note(1.5, 64)], pedal: Vec::new() };
    let request = |seed| Request { seed, bars: 2, tempo: 15.0, ..Request::default() };
    vec![request(1), Request { primer: Some(primer), ..request(2) }, Request { bars: 1, ..request(3) }]
}

fn compose(engine: Arc<Failing>) -> (Vec<Take>, Option<DeviceError>) {
    let mut composer = Composer::new(engine, &requests()).unwrap();
    composer.advance(f64::INFINITY);
    let failure = composer.failure().cloned();
    (composer.finish(), failure)
}

#[test]
fn takes_are_the_same_wherever_the_device_fails_if_the_fallback_computes_the_same() {
    for alphabet in [Alphabet::Notes, Alphabet::Events] {
        let (expected, none) = compose(failing(alphabet, usize::MAX, 1));
        assert_eq!(none, None);
        for calls in (0..12).chain((20..70).step_by(9)) {
            let (takes, failure) = compose(failing(alphabet, calls, 1));
            assert_eq!(takes, expected, "{alphabet}: {calls} calls");
            assert_eq!(failure.unwrap().to_string(), "GPU: it was unplugged");
        }
    }
}

#[test]
fn notes_before_a_failure_stay_and_the_take_goes_on_to_its_end() {
    let (healthy, _) = compose(failing(Alphabet::Notes, usize::MAX, 1));
    let engine = failing(Alphabet::Notes, usize::MAX, 2);
    let mut composer = Composer::new(engine.clone(), &requests()).unwrap();
    composer.advance(4.0);
    let decided = composer.decided();
    engine.calls_left.store(0, Ordering::Relaxed);
    composer.advance(f64::INFINITY);
    assert_eq!(composer.failure().unwrap().device, "GPU");
    assert!(composer.device().starts_with("CPU") && composer.is_complete());
    for (take, healthy) in composer.finish().iter().zip(&healthy) {
        let begun = |take: &Take| -> Vec<_> {
            let notes = take.performance.notes.iter().filter(|note| note.onset < decided);
            notes.map(|note| (note.onset.to_bits(), note.key, note.velocity)).collect()
        };
        assert_eq!(begun(take), begun(healthy));
        if take.quarters > 4.0 {
            assert_ne!(take.performance, healthy.performance, "another pianist went on");
        }
    }
}
