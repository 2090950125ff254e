//! The engine computes what the network's page says, whoever shares the batch, on every kernel.

mod common;
#[path = "common/instructions.rs"]
mod instructions;
#[path = "common/sized.rs"]
mod sized;
#[path = "common/steps.rs"]
mod steps;

use common::random_pianist;
use etude_pianist::alphabet::{Alphabet, InputRow};
use etude_pianist::engine::{CpuEngine, Engine, Instructions, Precision};
use etude_pianist::model_file::Pianist;
use etude_pianist::network::Inputs;
use etude_pianist::time::TimeBase;
use instructions::every_instruction_set;
use sized::sized_pianist;
use steps::{assert_company_makes_no_difference, fill, step};

/// `matrix x vector + bias` with the plainest loop, in f64.
fn affine(pianist: &Pianist, matrix: usize, bias: usize, vector: &[f64]) -> Vec<f64> {
    let (matrix, bias) = (pianist.values(matrix), pianist.values(bias));
    let rows = matrix.chunks_exact(vector.len());
    let dot = |row: &[f32]| row.iter().zip(vector).map(|(w, x)| f64::from(*w) * x).sum::<f64>();
    rows.zip(bias).map(|(row, bias)| dot(row) + f64::from(bias)).collect()
}

fn embed(pianist: &Pianist, inputs: &Inputs, tables: &[usize], step: usize, stream: usize) -> Vec<f64> {
    let (mut categories, mut dense) = (vec![0; inputs.categories.len()], vec![0.0; inputs.dense]);
    fill(inputs, InputRow { categories: &mut categories, dense: &mut dense }, step, stream);
    let mut values = Vec::new();
    for ((table, category), symbol) in tables.iter().zip(&inputs.categories).zip(categories) {
        let table = pianist.values(*table);
        values.extend_from_slice(&table[usize::from(symbol) * category.width..][..category.width]);
    }
    values.extend(dense);
    values.into_iter().map(f64::from).collect()
}

/// The page at the top of `network.rs`, word for word.
fn plain_logits(pianist: &Pianist, steps: usize, stream: usize) -> Vec<f64> {
    let (layout, blueprint) = (&pianist.layout, &pianist.blueprint);
    let units = blueprint.units;
    let sigmoid = |x: f64| 1.0 / (1.0 + (-x).exp());
    let mut state = vec![(vec![0.0; units], vec![0.0; units]); blueprint.layers];
    let mut y = Vec::new();
    for step in 0..steps {
        y = embed(pianist, &blueprint.inputs, &layout.embeddings, step, stream);
        for (layer, (h, c)) in state.iter_mut().enumerate() {
            let parameters = layout.layers[layer];
            let from_input = affine(pianist, parameters.input, parameters.bias, &y);
            let bias = pianist.values(parameters.bias);
            let from_past = affine(pianist, parameters.recurrent, parameters.bias, h);
            let gate = |k: usize| from_input[k] + from_past[k] - f64::from(bias[k]);
            for u in 0..units {
                let [i, f, g, o] = [0, 1, 2, 3].map(|part| gate(part * units + u));
                c[u] = sigmoid(f) * c[u] + sigmoid(i) * g.tanh();
                h[u] = sigmoid(o) * c[u].tanh();
            }
            y = (0..units).map(|u| if layer == 0 { h[u] } else { y[u] + h[u] }).collect();
        }
    }
    let mut logits = Vec::new();
    for (head, parameters) in blueprint.heads.iter().zip(&layout.heads) {
        let s = embed(pianist, &head.inputs, &parameters.embeddings, steps - 1, stream);
        let hidden = [s.clone(), y.clone()].concat();
        let mut u = affine(pianist, parameters.hidden, parameters.hidden_bias, &hidden);
        u.iter_mut().for_each(|x| *x = x.max(0.0));
        logits.extend(affine(pianist, parameters.output, parameters.output_bias, &[u, s].concat()));
    }
    logits
}

const PRECISIONS: [Precision; 3] = [Precision::F32, Precision::Bf16, Precision::Int8];

/// A pianist's engine in every way that this machine can run.
fn engines(pianist: &Pianist) -> Vec<CpuEngine> {
    let ways =
        every_instruction_set().into_iter().flat_map(|way| PRECISIONS.map(|precision| (precision, way)));
    ways.map(|(precision, way)| CpuEngine::with_instructions(pianist.clone(), precision, way)).collect()
}

/// Layers, units and streams that fill no register, panel or tile to its end.
const ODD_SHAPES: [(usize, usize, usize); 5] = [(1, 1, 1), (2, 9, 7), (3, 33, 2), (1, 67, 13), (2, 130, 5)];

/// Parameters small enough for the sums of `units` to stay where rounding is what matters.
fn odd_pianist(alphabet: Alphabet, layers: usize, units: usize) -> Pianist {
    sized_pianist(alphabet, layers, units, 1.0 / (units as f32).sqrt().max(3.0))
}

#[test]
fn every_engine_computes_what_the_page_says_as_exactly_as_its_precision_whatever_the_shape() {
    const STEPS: usize = 4;
    for (layers, units, streams) in ODD_SHAPES {
        for alphabet in [Alphabet::Notes, Alphabet::Events] {
            let pianist = odd_pianist(alphabet, layers, units);
            let all: Vec<usize> = (0..streams).collect();
            let expected = all.iter().map(|stream| plain_logits(&pianist, STEPS, *stream));
            let expected: Vec<f64> = expected.flatten().collect();
            for (engine, tolerance) in engines(&pianist).iter().zip([1e-5, 0.03, 0.1].into_iter().cycle()) {
                let mut batch = engine.batch(streams).unwrap();
                let logits =
                    (0..STEPS).map(|t| step(&pianist, &mut *batch, t, &all).concat()).last().unwrap();
                for (got, expected) in logits.iter().zip(&expected) {
                    let error = (f64::from(*got) - expected).abs();
                    assert!(error < tolerance, "{units} units, {}: {got}, not {expected}", engine.device());
                }
            }
        }
    }
}

#[test]
fn a_stream_hears_the_same_whoever_shares_its_batch() {
    let pianist = random_pianist(Alphabet::Notes, TimeBase::Seconds, 0.3, 2);
    for engine in engines(&pianist) {
        assert_company_makes_no_difference(&pianist, &engine);
    }
}

#[test]
fn int8_is_the_same_bit_for_bit_on_all_instructions() {
    let small = [(Alphabet::Notes, 0.3), (Alphabet::Notes, 60.0), (Alphabet::Events, 2.0)];
    let small = small.map(|(alphabet, scale)| random_pianist(alphabet, TimeBase::Beats, scale, 4));
    let odd = ODD_SHAPES.map(|(layers, units, _)| odd_pianist(Alphabet::Notes, layers, units));
    for pianist in small.into_iter().chain(odd) {
        let bits = |instructions| {
            let engine = CpuEngine::with_instructions(pianist.clone(), Precision::Int8, instructions);
            let mut batch = engine.batch(7).unwrap();
            let steps = (0..20).map(|t| step(&pianist, &mut *batch, t, &[0, 1, 2, 3, 4, 5, 6]).concat());
            steps.flatten().map(f32::to_bits).collect::<Vec<_>>()
        };
        let expected = bits(Instructions::Portable);
        for instructions in every_instruction_set() {
            assert!(bits(instructions) == expected, "{instructions} differs");
        }
    }
}

#[test]
fn a_step_allocates_nothing_once_warm() {
    let pianist = random_pianist(Alphabet::Notes, TimeBase::Seconds, 0.3, 3);
    for engine in engines(&pianist) {
        let mut batch = engine.batch(2).unwrap();
        let mut run = || {
            batch.advance(&[0, 1]).unwrap();
            (0..pianist.blueprint.heads.len()).for_each(|head| batch.head(head, &[0, 1]).unwrap());
        };
        run();
        assert_eq!(allocation_counter::measure(run).count_total, 0, "{}", engine.device());
    }
}
