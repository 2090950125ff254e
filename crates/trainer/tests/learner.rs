//! Learning is the same whatever computes it and however the streams are shared out.

use candle_core::Device;
use etude_pianist::alphabet::{Alphabet, Pedal};
use etude_pianist::kernel::{Kernel, Precision};
use etude_pianist::network::Layout;
use etude_pianist::note::{Key, Note, Performance, Velocity};
use etude_pianist::time::TimeBase;
use etude_trainer::backend::candle::Candle;
use etude_trainer::backend::{Backend, Fused};
use etude_trainer::learner::{Learner, Size};
use etude_trainer::loss::Loss;
use etude_trainer::optimizer::AdamW;
use etude_trainer::passage::Passage;
use etude_trainer::weights::initial_parameters;
use std::sync::atomic::{AtomicUsize, Ordering};

const SIZE: Size = Size { streams: 5, steps: 12, threads: 1, dropout: 0.0 };
const UPDATES: usize = 6;

#[test]
fn candle_learns_what_the_fused_path_learns() {
    let blueprint = Alphabet::Notes.blueprint(2, 20);
    let candle = Candle::new(&blueprint, 0.0, &Device::Cpu).unwrap();
    assert_same(&losses(vec![Box::new(candle)]), &losses(fused(1)));
}

#[test]
fn the_number_of_threads_does_not_matter() {
    assert_same(&losses(fused(3)), &losses(fused(1)));
}

fn fused(threads: usize) -> Vec<Box<dyn Backend>> {
    let blueprint = Alphabet::Notes.blueprint(2, 20);
    let fused =
        |_| Box::new(Fused::new(&blueprint, Kernel::best(Precision::F32), 0.0, 0)) as Box<dyn Backend>;
    (0..threads).map(fused).collect()
}

/// The losses of the first updates.
fn losses(backends: Vec<Box<dyn Backend>>) -> Vec<Loss> {
    let blueprint = Alphabet::Notes.blueprint(2, 20);
    let kernel = Kernel::best(Precision::F32);
    let optimizer = AdamW::new(&Layout::new(&blueprint), kernel);
    // Every worker is dealt the passages of its own streams, so that each stream hears the same one in every run.
    let count = backends.len();
    let dealt: Vec<_> = (0..count).map(|i| AtomicUsize::new(i * SIZE.streams / count)).collect();
    let parameters = initial_parameters(&blueprint, 1);
    let mut learner = Learner::new(&blueprint, parameters, optimizer, kernel, SIZE, backends);
    let next = |worker: usize| Some(passage(dealt[worker].fetch_add(1, Ordering::Relaxed)));
    (0..UPDATES).map(|_| learner.learn(0.003, next, |_, _| {}).unwrap()).collect()
}

/// A scale that begins on key `number`.
fn passage(number: usize) -> Passage {
    let note = |i: usize| Note {
        onset: 0.25 * i as f64,
        duration: 0.2,
        key: Key::from_index(number + i % 12).unwrap(),
        velocity: Velocity::new(60 + i as u8 % 8),
    };
    let performance = Performance { notes: (0..SIZE.steps * UPDATES).map(note).collect(), pedal: Vec::new() };
    Passage::new(Alphabet::Notes, TimeBase::Seconds, &performance, &[], Pedal::Keep)
}

fn assert_same(got: &[Loss], expected: &[Loss]) {
    for (got, expected) in got.iter().zip(expected) {
        let relative = got.nats_per_note() / expected.nats_per_note() - 1.0;
        assert!(relative.abs() < 1e-4, "{} instead of {}", got.nats_per_note(), expected.nats_per_note());
    }
    let (first, last) = (&expected[0], &expected[UPDATES - 1]);
    assert!(last.nats_per_note() < first.nats_per_note(), "nothing was learned");
}
