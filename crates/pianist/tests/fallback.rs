//! A device that fails in mid-take costs no note.

mod common;
#[path = "common/disguised.rs"]
mod disguised;
#[path = "common/failing.rs"]
mod failing;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use common::random_pianist;
use disguised::Disguised;
use etude_pianist::alphabet::Alphabet;
use etude_pianist::composer::{Composer, Request, Take};
use etude_pianist::engine::{CpuEngine, DeviceError, Precision};
use etude_pianist::note::{Key, Note, Performance, Velocity};
use etude_pianist::time::TimeBase;

/// A pianist's engine that fails after `calls` calls, and how many are left; its fallback plays the pianist with the seed
/// `fallback`.
fn failing(alphabet: Alphabet, calls: usize, fallback: u64) -> (Arc<Disguised>, Arc<AtomicUsize>) {
    let engine = |seed| {
        let pianist = random_pianist(alphabet, TimeBase::Seconds, 0.2, seed);
        CpuEngine::new(pianist, Precision::Int8)
    };
    let (engine, calls_left) = failing::failing(engine(1), engine(fallback), calls);
    (Arc::new(engine), calls_left)
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

fn compose((engine, _): (Arc<Disguised>, Arc<AtomicUsize>)) -> (Vec<Take>, Option<DeviceError>) {
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
    let (engine, calls_left) = failing(Alphabet::Notes, usize::MAX, 2);
    let mut composer = Composer::new(engine, &requests()).unwrap();
    composer.advance(4.0);
    let decided = composer.decided();
    calls_left.store(0, Ordering::Relaxed);
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
