//! AdamW with clipping of the gradient's norm.

use etude_pianist::kernel::Kernel;
use etude_pianist::network::Layout;
use etude_pianist::vectorised;
use rayon::prelude::*;

/// Decay of the mean of gradients, and of their squares; the latter is short, as runs are short.
const BETA: (f32, f32) = (0.9, 0.99);
const EPSILON: f32 = 1e-8;
/// How much of a weight (not of a bias) decays per unit of learning rate.
const WEIGHT_DECAY: f32 = 0.01;
/// A longer gradient is shortened to this norm.
const LONGEST: f64 = 1.0;
/// Parameters that one task updates.
const CHUNK: usize = 1 << 16;

/// The state of AdamW (Loshchilov and Hutter, "Decoupled weight decay regularization", 2019).
pub struct AdamW {
    kernel: Kernel,
    /// Mean of the gradients.
    pub means: Vec<f32>,
    /// Mean of their squares.
    pub squares: Vec<f32>,
    /// Updates so far.
    pub updates: u64,
    /// `WEIGHT_DECAY` or 0 for each parameter of the layout, with where it ends.
    decays: Vec<(usize, f32)>,
}

impl AdamW {
    /// A state without any update.
    pub fn new(layout: &Layout, kernel: Kernel) -> AdamW {
        let decays = layout
            .parameters
            .iter()
            .map(|parameter| (parameter.range.end, if parameter.is_bias() { 0.0 } else { WEIGHT_DECAY }))
            .collect();
        let zeros = vec![0.0; layout.len()];
        AdamW { kernel, means: zeros.clone(), squares: zeros, updates: 0, decays }
    }

    /// One update of `parameters`. Returns the gradient's norm before clipping.
    pub fn update(&mut self, parameters: &mut [f32], gradient: &[f32], learning_rate: f32) -> f64 {
        self.updates += 1;
        let norm = gradient.par_chunks(CHUNK).map(sum_of_squares).sum::<f64>().sqrt();
        // A gradient that is not finite must not reach the weights.
        if !norm.is_finite() {
            return norm;
        }
        let step = Step {
            learning_rate,
            scale: (LONGEST / norm.max(LONGEST)) as f32,
            correction: 1.0 - BETA.0.powf(self.updates as f32),
            correction_of_squares: 1.0 - BETA.1.powf(self.updates as f32),
        };
        let (kernel, decays) = (self.kernel, &self.decays);
        let states = self.means.par_chunks_mut(CHUNK).zip(self.squares.par_chunks_mut(CHUNK));
        let values = parameters.par_chunks_mut(CHUNK).zip(gradient.par_chunks(CHUNK));
        values.zip(states).enumerate().for_each(|(chunk, ((values, gradient), (means, squares)))| {
            let mut from = 0;
            for &(end, decay) in decays {
                let until = end.saturating_sub(chunk * CHUNK).min(values.len());
                if until > from {
                    let part = from..until;
                    let (values, gradient) = (&mut values[part.clone()], &gradient[part.clone()]);
                    let (means, squares) = (&mut means[part.clone()], &mut squares[part]);
                    apply(kernel, &step, values, gradient, means, squares, decay);
                    from = until;
                }
            }
        });
        norm
    }
}

fn sum_of_squares(values: &[f32]) -> f64 {
    // Sixteen sums, so that the loop vectorises.
    let mut sums = [0.0f32; 16];
    for values in values.chunks(16) {
        sums.iter_mut().zip(values).for_each(|(sum, value)| *sum += value * value);
    }
    sums.iter().map(|&sum| f64::from(sum)).sum()
}

/// The numbers that one update has in common for all parameters.
struct Step {
    learning_rate: f32,
    scale: f32,
    correction: f32,
    correction_of_squares: f32,
}

vectorised! {
fn apply(step: &Step, values: &mut [f32], gradient: &[f32], means: &mut [f32], squares: &mut [f32], decay: f32) {
    let keep = 1.0 - step.learning_rate * decay;
    let rate = step.learning_rate / step.correction;
    let states = means.iter_mut().zip(squares);
    for ((value, gradient), (mean, square)) in values.iter_mut().zip(gradient).zip(states) {
        let gradient = gradient * step.scale;
        *mean += (1.0 - BETA.0) * (gradient - *mean);
        *square += (1.0 - BETA.1) * (gradient * gradient - *square);
        *value = *value * keep - rate * *mean / ((*square / step.correction_of_squares).sqrt() + EPSILON);
    }
}
}
