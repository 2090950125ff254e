//! The fused training path against candle's autograd: same losses, same gradients.

mod common;

use candle_core::Device;
use common::{conditions, random_parameters, random_step};
use etude_pianist::alphabet::{Alphabet, Context};
use etude_pianist::kernel::{Kernel, request_tiles};
use etude_pianist::network::{Blueprint, Layout};
use etude_trainer::backend::candle::Candle;
use etude_trainer::backend::{Backend, Fused};
use etude_trainer::batch::Batch;
use etude_trainer::forward::Nats;
use etude_trainer::weights::Network;
use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64Mcg;

/// A network and a window of odd sizes.
#[derive(Debug, Clone, Copy)]
struct Shape {
    layers: usize,
    units: usize,
    streams: usize,
    steps: usize,
}

const SHAPES: [Shape; 6] = [
    Shape { layers: 1, units: 1, streams: 1, steps: 1 },
    Shape { layers: 1, units: 17, streams: 3, steps: 5 },
    Shape { layers: 2, units: 40, streams: 7, steps: 1 },
    Shape { layers: 2, units: 65, streams: 1, steps: 37 },
    Shape { layers: 3, units: 31, streams: 7, steps: 37 },
    // More rows than go through a layer together.
    Shape { layers: 2, units: 18, streams: 180, steps: 7 },
];

/// Losses and gradients are compared over this many windows, the state carried from one to the next.
const WINDOWS: usize = 2;

/// Largest difference allowed, relative to the largest gradient of the same parameter.
fn tolerance(kernel: Kernel) -> f32 {
    if kernel.rounds_to_bf16() { 1e-2 } else { 1e-5 }
}

#[test]
fn the_fused_path_learns_notes_as_candle_does() {
    compare(Alphabet::Notes);
}

#[test]
fn the_fused_path_learns_events_as_candle_does() {
    compare(Alphabet::Events);
}

#[test]
fn with_dropout_the_gradient_is_that_of_the_network_that_was_drawn() {
    const STEP: f32 = 0.05;
    let shape = Shape { layers: 3, units: 40, streams: 180, steps: 5 };
    let blueprint = Alphabet::Events.blueprint(shape.layers, shape.units);
    let parameters = random_parameters(&blueprint);
    let batch = &windows(Alphabet::Events, &blueprint, shape)[0];
    // The same seed draws the same network every time.
    let loss_and_gradient = |parameters: Vec<f32>| {
        let network = Network::new(&blueprint, parameters, Kernel::Portable);
        learn(&mut Fused::new(&blueprint, Kernel::Portable, 0.4, 5), &network, batch)
    };
    let gradient = loss_and_gradient(parameters.clone()).1;
    let norm = gradient.iter().map(|x| x * x).sum::<f32>().sqrt();
    let uphill = |step: f32| {
        let moved = parameters.iter().zip(&gradient).map(|(x, slope)| x + step * slope / norm);
        loss_and_gradient(moved.collect()).0.iter().sum::<f64>() / batch.rows() as f64
    };
    let slope = (uphill(STEP) - uphill(-STEP)) / (2.0 * f64::from(STEP));
    assert!((slope / f64::from(norm) - 1.0).abs() < 1e-3, "slope {slope}, but a gradient of length {norm}");
}

fn compare(alphabet: Alphabet) {
    for shape in SHAPES {
        let blueprint = alphabet.blueprint(shape.layers, shape.units);
        let parameters = smooth_parameters(&blueprint);
        let windows = windows(alphabet, &blueprint, shape);
        let mut candle = Candle::new(&blueprint, 0.0, &Device::Cpu).unwrap();
        let network = Network::new(&blueprint, parameters.clone(), Kernel::Portable);
        let expected: Vec<_> = windows.iter().map(|batch| learn(&mut candle, &network, batch)).collect();
        request_tiles();
        for kernel in Kernel::available() {
            let network = Network::new(&blueprint, parameters.clone(), kernel);
            let mut fused = Fused::new(&blueprint, kernel, 0.0, 0);
            for (batch, (nats, gradient)) in windows.iter().zip(&expected) {
                let got = learn(&mut fused, &network, batch);
                let what = format!("{kernel:?}, {shape:?}");
                assert_losses(&got.0, nats, tolerance(kernel), &what);
                assert_gradients(&network.layout, &got.1, gradient, tolerance(kernel), &what);
            }
        }
    }
}

fn learn(backend: &mut impl Backend, network: &Network, batch: &Batch) -> (Nats, Vec<f32>) {
    let nats = backend.learn(network, batch, batch.rows()).unwrap();
    (nats, backend.gradient().to_vec())
}

fn assert_losses(got: &Nats, expected: &Nats, tolerance: f32, what: &str) {
    for (got, expected) in got.iter().zip(expected) {
        assert!(
            (got - expected).abs() <= f64::from(tolerance) * expected,
            "{what}: {got} instead of {expected}"
        );
    }
}

fn assert_gradients(layout: &Layout, got: &[f32], expected: &[f32], tolerance: f32, what: &str) {
    for (i, parameter) in layout.parameters.iter().enumerate() {
        let (got, expected) = (layout.of(got, i), layout.of(expected, i));
        let largest = expected.iter().fold(0.0f32, |largest, x| largest.max(x.abs()));
        let error = got.iter().zip(expected).fold(0.0f32, |error, (a, b)| error.max((a - b).abs()));
        let name = &parameter.name;
        assert!(error <= tolerance * largest, "{what}, {name}: off by {error}, the largest is {largest}");
    }
}

/// Parameters around which rounding changes gradients only a little: exact in bf16, and every rectified unit well on
/// or well off, since gradients jump where one turns on.
fn smooth_parameters(blueprint: &Blueprint) -> Vec<f32> {
    const WELL_ON: f32 = 3.0;
    let mut flat = random_parameters(blueprint);
    flat.iter_mut().for_each(|x| *x = f32::from_bits(x.to_bits() & 0xffff_0000));
    let layout = Layout::new(blueprint);
    for head in &layout.heads {
        let units = layout.of_mut(&mut flat, head.hidden_bias).iter_mut().enumerate();
        units.for_each(|(i, bias)| *bias = if i % 2 == 0 { WELL_ON } else { -WELL_ON });
    }
    flat
}

/// Windows that follow one another. Streams begin and end their pieces anywhere; the first goes on all the time.
fn windows(alphabet: Alphabet, blueprint: &Blueprint, shape: Shape) -> Vec<Batch> {
    let mut random = Pcg64Mcg::seed_from_u64(2);
    let conditions = conditions();
    let mut contexts: Vec<Box<dyn Context>> = (0..shape.streams).map(|_| alphabet.context()).collect();
    let window = |window: usize| {
        let mut batch = Batch::new(shape.steps, shape.streams, blueprint.heads.len());
        let mut ends = vec![shape.steps; shape.streams];
        for stream in 0..shape.streams {
            batch.fresh[stream] = window == 0 || stream > 0 && random.random();
            if stream > 0 {
                ends[stream] = random.random_range(0..=shape.steps);
            }
            if batch.fresh[stream] {
                contexts[stream] = alphabet.context();
            }
        }
        for step in 0..shape.steps {
            for (context, end) in contexts.iter_mut().zip(&ends) {
                let spelled = random_step(blueprint, &mut random);
                if step < *end {
                    batch.add(blueprint, Some((context.as_mut(), &conditions, spelled)));
                } else {
                    batch.add(blueprint, None);
                }
            }
        }
        batch
    };
    (0..WINDOWS).map(window).collect()
}
