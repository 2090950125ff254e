//! The forward pass over a window, keeping what the backward pass needs.
//!
//! A [`Tape`] is the working memory of one thread: the activations of its share of the streams. Rows are time-major,
//! so that a layer's inputs are multiplied for the whole window at once and only its recurrent product is done step by
//! step. `layer.hidden` and `layer.cells` begin with one more step: the state carried over from the window before.

use etude_pianist::kernel::{
    Kernel, LANES, Rows, Words, exp, fill_rows, load, product, sigmoid, store, tanh,
};
use etude_pianist::network::{Blueprint, Head, Inputs};
use etude_pianist::vectorised;
use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64Mcg;

use crate::batch::{Batch, Block, Choices};
use crate::tables::look_up;
use crate::weights::{Linear, Network};

/// What one LSTM layer computed: `n` rows, `h` units.
#[derive(Default)]
pub(crate) struct LayerTape {
    /// `[n, inputs]`, with dropout applied; empty where the layer reads the layer below as it is.
    pub(crate) inputs: Vec<f32>,
    /// Factors that dropout multiplied the inputs by; empty without dropout.
    pub(crate) kept: Vec<f32>,
    /// `[n, 4 h]`: activated gates i, f, g, o; the backward pass puts their gradients in their place.
    pub(crate) gates: Vec<f32>,
    /// `[streams + n, h]`.
    pub(crate) cells: Vec<f32>,
    /// `[streams + n, h]`.
    pub(crate) hidden: Vec<f32>,
    /// `[n, h]`: hidden state plus, from the second layer on, the layer's undropped input.
    pub(crate) outputs: Vec<f32>,
}

/// What one head computed for `n` choices.
#[derive(Default)]
pub(crate) struct HeadTape {
    /// `[n, hidden + inputs + units]`: hidden layer, own inputs, the LSTM's output.
    pub(crate) joined: Vec<f32>,
    /// `[n, symbols]`: logits, then the gradient of the loss by them.
    pub(crate) logits: Vec<f32>,
}

/// The activations of one thread's streams.
pub struct Tape {
    pub(crate) kernel: Kernel,
    pub(crate) blueprint: Blueprint,
    pub(crate) layers: Vec<LayerTape>,
    pub(crate) heads: Vec<HeadTape>,
    pub(crate) scratch: Words,
    hidden_layer: Vec<f32>,
    dropout: f32,
    random: Pcg64Mcg,
}

/// Cross-entropy by head, in nats summed over the choices.
pub type Nats = Vec<f64>;

impl Tape {
    /// Working memory for networks of `blueprint` on `kernel`; `dropout` is the share of values dropped between LSTM
    /// layers, drawn from `seed`.
    pub fn new(blueprint: &Blueprint, kernel: Kernel, dropout: f32, seed: u64) -> Tape {
        Tape {
            kernel,
            blueprint: blueprint.clone(),
            layers: (0..blueprint.layers).map(|_| LayerTape::default()).collect(),
            heads: blueprint.heads.iter().map(|_| HeadTape::default()).collect(),
            scratch: Words::default(),
            hidden_layer: Vec::new(),
            dropout,
            random: Pcg64Mcg::seed_from_u64(seed),
        }
    }

    /// Runs the network over `batch` and returns the loss of every head. Leaves `d loss / d logits`, the loss divided
    /// by `steps_in_all` (the steps of all threads), for the backward pass.
    pub fn forward(&mut self, network: &Network, batch: &Batch, steps_in_all: usize) -> Nats {
        for layer in 0..self.layers.len() {
            self.drop_inputs(layer);
            self.carry_state(layer, batch);
            self.run_layer(layer, network, batch);
        }
        let scale = 1.0 / steps_in_all.max(1) as f32;
        (0..self.heads.len()).map(|head| self.run_head(head, network, &batch.heads[head], scale)).collect()
    }

    fn drop_inputs(&mut self, layer: usize) {
        if layer == 0 || self.dropout == 0.0 {
            return;
        }
        let (below, above) = self.layers.split_at_mut(layer);
        let (below, layer) = (&below[layer - 1].outputs, &mut above[0]);
        let scale = 1.0 / (1.0 - self.dropout);
        layer.kept.clear();
        layer.kept.extend(
            below.iter().map(|_| if self.random.random::<f32>() < self.dropout { 0.0 } else { scale }),
        );
        layer.inputs.clear();
        layer.inputs.extend(below.iter().zip(&layer.kept).map(|(x, kept)| x * kept));
    }

    /// Moves the last state of the window before to the front; zeros for fresh streams and the first window.
    fn carry_state(&mut self, layer: usize, batch: &Batch) {
        let units = self.blueprint.units;
        let layer = &mut self.layers[layer];
        let (rows, state) = (batch.rows() * units, batch.streams * units);
        for values in [&mut layer.cells, &mut layer.hidden] {
            let last = values.len().saturating_sub(state);
            values.copy_within(last.., 0);
            values.resize(state + rows, 0.0);
            for (stream, _) in batch.fresh.iter().enumerate().filter(|(_, fresh)| **fresh) {
                values[stream * units..][..units].fill(0.0);
            }
        }
        layer.gates.resize(rows * 4, 0.0);
        layer.outputs.resize(rows, 0.0);
    }

    fn run_layer(&mut self, index: usize, network: &Network, batch: &Batch) {
        let (units, streams, kernel) = (self.blueprint.units, batch.streams, self.kernel);
        let (weights, categories) = (&network.layers[index], self.blueprint.inputs.categories.len());
        let bias = network.parameter(network.layout.layers[index].bias);
        let (below, layer) = self.layers.split_at_mut(index);
        let LayerTape { inputs, gates, cells, hidden, outputs, .. } = &mut layer[0];
        let reads = layer_inputs(below, inputs, batch);
        let (width, size) = (weights.input.columns.len(), streams * units);
        for run in batch.runs() {
            let rows = batch.rows_of(&run);
            let run_gates = &mut gates[rows.start * 4 * units..rows.end * 4 * units];
            if index == 0 {
                let symbols = &batch.inputs.categories[rows.start * categories..rows.end * categories];
                look_up(kernel, &network.tables, symbols, bias, run_gates);
            } else {
                fill_rows(run_gates, bias);
            }
            let reads = Rows::dense(&reads[rows.start * width..], width);
            let input = &weights.input.forward;
            product(reads, rows.len(), input, run_gates, 4 * units, true, &mut self.scratch);
            for (step, gates) in run.zip(run_gates.chunks_exact_mut(4 * size)) {
                let (past, present) = hidden.split_at_mut((step + 1) * size);
                let (recurrent, before) =
                    (&weights.recurrent.forward, Rows::dense(&past[step * size..], units));
                product(before, streams, recurrent, gates, 4 * units, true, &mut self.scratch);
                let (past, cells) = cells.split_at_mut((step + 1) * size);
                let (past, cells) = (&past[step * size..], &mut cells[..size]);
                cell_forward(kernel, units, gates, past, cells, &mut present[..size]);
            }
        }
        outputs.copy_from_slice(&hidden[size..]);
        if let Some(below) = below.last() {
            outputs.iter_mut().zip(&below.outputs).for_each(|(out, below)| *out += below);
        }
    }

    fn run_head(&mut self, index: usize, network: &Network, choices: &Choices, scale: f32) -> f64 {
        let (units, head) = (self.blueprint.units, &self.blueprint.heads[index]);
        let (count, width, kernel) = (choices.rows.len(), joined_width(head, units), self.kernel);
        let (parameters, weights) = (&network.layout.heads[index], &network.heads[index]);
        let tape = &mut self.heads[index];
        tape.joined.resize(count * width, 0.0);
        tape.logits.resize(count * head.symbols, 0.0);
        if count == 0 {
            return 0.0;
        }
        let tables: Vec<&[f32]> = parameters.embeddings.iter().map(|&i| network.parameter(i)).collect();
        gather(&head.inputs, &tables, &choices.inputs, &mut tape.joined[head.hidden..], width);
        let outputs = &self.layers[self.blueprint.layers - 1].outputs;
        for (joined, &row) in tape.joined.chunks_exact_mut(width).zip(&choices.rows) {
            joined[width - units..].copy_from_slice(&outputs[row as usize * units..][..units]);
        }

        self.hidden_layer.resize(count * head.hidden, 0.0);
        fill_rows(&mut self.hidden_layer, network.parameter(parameters.hidden_bias));
        let reads = Rows { data: &tape.joined[head.hidden..], stride: width, width: width - head.hidden };
        apply(&weights.hidden, reads, count, &mut self.hidden_layer, &mut self.scratch);
        let activated = self.hidden_layer.chunks_exact(head.hidden);
        for (joined, hidden) in tape.joined.chunks_exact_mut(width).zip(activated) {
            joined.iter_mut().zip(hidden).for_each(|(out, x)| *out = x.max(0.0));
        }

        fill_rows(&mut tape.logits, network.parameter(parameters.output_bias));
        let reads = Rows { data: &tape.joined, stride: width, width: width - units };
        apply(&weights.output, reads, count, &mut tape.logits, &mut self.scratch);
        cross_entropy(kernel, &mut tape.logits, &choices.targets, scale)
    }
}

/// What a layer multiplied: `[n, units]`, in the first layer the dense `[n, values]`. `below` are the layers below it,
/// `dropped` are its inputs after dropout, if there is any.
pub(crate) fn layer_inputs<'a>(below: &'a [LayerTape], dropped: &'a [f32], batch: &'a Batch) -> &'a [f32] {
    match below.last() {
        None => &batch.inputs.dense,
        Some(_) if !dropped.is_empty() => dropped,
        Some(below) => &below.outputs,
    }
}

/// Width of a row of [`HeadTape::joined`].
pub(crate) fn joined_width(head: &Head, units: usize) -> usize {
    head.hidden + head.inputs.width() + units
}

/// `out += reads x weights`, for `out` already filled with the bias.
fn apply(weights: &Linear, reads: Rows, count: usize, out: &mut [f32], scratch: &mut Words) {
    product(reads, count, &weights.forward, out, weights.forward.columns(), true, scratch);
}

/// Looks up the embeddings of every row and puts the dense values behind them.
fn gather(inputs: &Inputs, tables: &[&[f32]], block: &Block, out: &mut [f32], stride: usize) {
    let count = inputs.categories.len();
    for (r, out) in out.chunks_mut(stride).enumerate() {
        let mut at = 0;
        let symbols = &block.categories[r * count..][..count];
        for ((category, table), &symbol) in inputs.categories.iter().zip(tables).zip(symbols) {
            out[at..][..category.width]
                .copy_from_slice(&table[symbol as usize * category.width..][..category.width]);
            at += category.width;
        }
        out[at..][..inputs.dense].copy_from_slice(&block.dense[r * inputs.dense..][..inputs.dense]);
    }
}

vectorised! {
/// Activates the gates of one step in place and computes the new cells and hidden states.
fn cell_forward(units: usize, gates: &mut [f32], past: &[f32], cells: &mut [f32], hidden: &mut [f32]) {
    let states = past.chunks_exact(units).zip(cells.chunks_exact_mut(units)).zip(hidden.chunks_exact_mut(units));
    for (gates, ((past, cells), hidden)) in gates.chunks_exact_mut(4 * units).zip(states) {
        for first in (0..units).step_by(LANES) {
            let gate = |index: usize| load(&gates[index * units..][..units], first);
            let (mut i, mut f, mut g, mut o) = (gate(0), gate(1), gate(2), gate(3));
            let mut cell = load(past, first);
            let mut state = [0.0; LANES];
            for u in 0..LANES {
                (i[u], f[u], g[u], o[u]) = (sigmoid(i[u]), sigmoid(f[u]), tanh(g[u]), sigmoid(o[u]));
                cell[u] = f[u] * cell[u] + i[u] * g[u];
                state[u] = o[u] * tanh(cell[u]);
            }
            for (index, gate) in [i, f, g, o].iter().enumerate() {
                store(&mut gates[index * units..][..units], first, gate);
            }
            store(cells, first, &cell);
            store(hidden, first, &state);
        }
    }
}
}

vectorised! {
/// The cross-entropy of all targets in nats; logits become `scale * (softmax - target)`, its gradient.
fn cross_entropy(logits: &mut [f32], targets: &[u16], scale: f32) -> f64 {
    let symbols = logits.len() / targets.len();
    let mut nats = 0.0;
    for (logits, &target) in logits.chunks_exact_mut(symbols).zip(targets) {
        let highest = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let chosen = logits[target as usize] - highest;
        logits.iter_mut().for_each(|logit| *logit = exp(*logit - highest));
        let sum: f32 = logits.iter().sum();
        logits.iter_mut().for_each(|logit| *logit *= scale / sum);
        logits[target as usize] -= scale;
        nats += f64::from(sum.ln() - chosen);
    }
    nats
}
}
