//! The engine that plays a pianist computes what candle computes from the same weights.

mod common;

use candle_core::{Device, Tensor};
use common::{conditions, random_parameters, random_step};
use etude_pianist::alphabet::{Alphabet, Context, InputRow};
use etude_pianist::card::Card;
use etude_pianist::engine::{Engine, Memory};
use etude_pianist::kernel::{Kernel, Precision};
use etude_pianist::model_file::Pianist;
use etude_pianist::network::Inputs;
use etude_pianist::network::reference::{InputRows, Reference, State};
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
    let engine = Engine::new(pianist, Kernel::best(Precision::F32));
    let candle = Reference::new(&pianist.blueprint, &Device::Cpu).unwrap();
    candle.load(&pianist.parameters).unwrap();
    let (mut memory, mut state) = (engine.memory(streams), candle.silence(streams).unwrap());
    let mut contexts: Vec<_> = (0..streams).map(|_| pianist.alphabet.context()).collect();
    let mut random = Pcg64Mcg::seed_from_u64(3);
    for _ in 0..STEPS {
        let outputs = listen(pianist, &engine, &mut memory, &candle, &mut state, &mut contexts);
        for (stream, context) in contexts.iter_mut().enumerate() {
            let step = random_step(&pianist.blueprint, &mut random);
            while let Some(head) = context.asks() {
                let mut seen = Rows::new(&pianist.blueprint.heads[head].inputs);
                context.read(&conditions(), seen.add());
                context.read(&conditions(), memory.head_row(head, 0));
                engine.head(&mut memory, head, &[stream]);
                let output = outputs.narrow(0, stream, 1).unwrap();
                let expected = candle.logits(head, &output, seen.all()).unwrap();
                assert_close(memory.logits(0), &expected);
                context.choose(step.0[head]);
            }
        }
    }
}

/// Lets engine and candle hear the next step of every context; returns candle's outputs.
fn listen(
    pianist: &Pianist,
    engine: &Engine,
    memory: &mut Memory,
    candle: &Reference,
    state: &mut State,
    contexts: &mut [Box<dyn Context>],
) -> Tensor {
    let mut heard = Rows::new(&pianist.blueprint.inputs);
    for (stream, context) in contexts.iter_mut().enumerate() {
        context.begin();
        context.listen(&conditions(), heard.add());
        context.listen(&conditions(), memory.input_row(stream));
    }
    engine.advance(memory, &(0..contexts.len()).collect::<Vec<_>>());
    let (outputs, after) = candle.listen(heard.all(), state, 0.0).unwrap();
    *state = after;
    outputs
}

fn assert_close(got: &[f32], expected: &Tensor) {
    let expected = expected.flatten_all().unwrap().to_vec1::<f32>().unwrap();
    assert_eq!(got.len(), expected.len());
    for (got, expected) in got.iter().zip(expected) {
        assert!((got - expected).abs() < TOLERANCE, "{got} instead of {expected}");
    }
}

/// Rows of inputs for candle.
struct Rows<'a> {
    inputs: &'a Inputs,
    categories: Vec<u16>,
    dense: Vec<f32>,
}

impl Rows<'_> {
    fn new(inputs: &Inputs) -> Rows<'_> {
        Rows { inputs, categories: Vec::new(), dense: Vec::new() }
    }

    fn add(&mut self) -> InputRow<'_> {
        let (categories, dense) = (self.categories.len(), self.dense.len());
        self.categories.resize(categories + self.inputs.categories.len(), 0);
        self.dense.resize(dense + self.inputs.dense, 0.0);
        InputRow { categories: &mut self.categories[categories..], dense: &mut self.dense[dense..] }
    }

    fn all(&self) -> InputRows<'_> {
        InputRows { categories: &self.categories, dense: &self.dense }
    }
}
