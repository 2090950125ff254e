//! The engine that plays a pianist computes what candle computes from the same weights.

mod common;

use candle_core::Device;
use common::{conditions, random_parameters, random_step};
use etude_pianist::alphabet::Alphabet;
use etude_pianist::card::Card;
use etude_pianist::engine::{CpuEngine, Engine, Precision, ReferenceEngine};
use etude_pianist::model_file::Pianist;
use etude_pianist::time::TimeBase;
use rand::SeedableRng;
use rand_pcg::Pcg64Mcg;

/// Largest difference between two logits.
const TOLERANCE: f32 = 1e-5;
const STEPS: usize = 20;

#[test]
fn the_engine_gives_the_logits_of_candle() {
    for alphabet in [Alphabet::Notes, Alphabet::Events] {
        for (layers, units, streams) in [(1, 1, 1), (2, 33, 7), (3, 50, 3)] {
            let parameters = random_parameters(&alphabet.blueprint(layers, units));
            let card = Card::default();
            let pianist = Pianist::new(alphabet, TimeBase::Beats, layers, units, parameters, card);
            compare(&pianist, streams);
        }
    }
}

fn compare(pianist: &Pianist, streams: usize) {
    let candle = ReferenceEngine::new(pianist.clone(), &Device::Cpu).unwrap();
    let engine = CpuEngine::new(pianist.clone(), Precision::F32);
    let (mut expected, mut got) = (candle.batch(streams).unwrap(), engine.batch(streams).unwrap());
    let mut contexts: Vec<_> = (0..streams).map(|_| pianist.alphabet.context()).collect();
    let mut random = Pcg64Mcg::seed_from_u64(3);
    let all: Vec<usize> = (0..streams).collect();
    for _ in 0..STEPS {
        for batch in [&mut expected, &mut got] {
            for (stream, context) in contexts.iter().enumerate() {
                context.listen(&conditions(), batch.input_row(stream));
            }
            batch.advance(&all).unwrap();
        }
        for (stream, context) in contexts.iter_mut().enumerate() {
            let step = random_step(&pianist.blueprint, &mut random);
            while let Some(head) = context.asks() {
                for batch in [&mut expected, &mut got] {
                    context.read(&conditions(), batch.head_row(head, 0));
                    batch.head(head, &[stream]).unwrap();
                }
                assert_close(got.logits(0), expected.logits(0));
                context.choose(step.0[head]);
            }
            context.begin();
        }
    }
}

fn assert_close(got: &[f32], expected: &[f32]) {
    assert_eq!(got.len(), expected.len());
    for (got, expected) in got.iter().zip(expected) {
        assert!((got - expected).abs() < TOLERANCE, "{got} instead of {expected}");
    }
}
