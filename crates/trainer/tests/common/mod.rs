//! Random networks and random music for them to read.

use etude_pianist::alphabet::{Conditions, MAX_HEADS, Metre, Pedal, Step};
use etude_pianist::network::{Blueprint, Head, Layout};
use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64Mcg;

/// Weights as wide as at the start of training, biases too.
pub fn random_parameters(blueprint: &Blueprint) -> Vec<f32> {
    let layout = Layout::new(blueprint);
    let mut random = Pcg64Mcg::seed_from_u64(1);
    let mut flat = vec![0.0; layout.len()];
    for (i, parameter) in layout.parameters.iter().enumerate() {
        let range = 1.0 / (parameter.shape[1] as f32).sqrt();
        layout.of_mut(&mut flat, i).iter_mut().for_each(|x| *x = range * random.random_range(-1.0..1.0));
    }
    flat
}

/// A step with a random symbol for every head.
pub fn random_step(blueprint: &Blueprint, random: &mut Pcg64Mcg) -> Step {
    let mut any = |head: &Head| random.random_range(0..head.symbols) as u16;
    let symbol = |head| blueprint.heads.get(head).map_or(Step::NOTHING, &mut any);
    Step(std::array::from_fn::<_, MAX_HEADS, _>(symbol))
}

/// All conditions on.
pub fn conditions() -> Conditions {
    Conditions {
        pedal: Some(Pedal::Keep),
        density: Some(5.0),
        pitch_classes: Some([1.0 / 12.0; 12]),
        metre: Some(Metre::regular(96)),
    }
}
