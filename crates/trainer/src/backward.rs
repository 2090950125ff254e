//! Back-propagation through time over the window that a [`Tape`] holds.

use std::ops::Range;

use etude_pianist::kernel::{
    Kernel, LANES, Outer, Rows, Summand, Words, accumulate_outer, load, product, store, tanh,
};
use etude_pianist::network::Inputs;
use etude_pianist::vectorised;

use crate::batch::{Batch, Block, Choices};
use crate::forward::{HeadTape, LayerTape, Tape, joined_width, layer_inputs};
use crate::tables::TableGradients;
use crate::weights::{Linear, Network};

/// Working memory of the backward pass, and the gradient of the loss by every parameter.
pub struct Gradients {
    /// In the order of the layout.
    pub flat: Vec<f32>,
    kernel: Kernel,
    outer: Outer,
    tables: TableGradients,
    /// `[n, units]`: the gradient by the outputs of the layer at hand.
    outputs: Vec<f32>,
    /// `[n, units]`: the same by its inputs.
    inputs: Vec<f32>,
    /// `[n, units]`: the same by its inputs after dropout.
    dropped: Vec<f32>,
    /// `[streams, units]`: the gradient by the cells, passed from step to step.
    cells: Vec<f32>,
    /// `[n, hidden + inputs]`, `[n, hidden]` and `[n, inputs + units]`: by what a head's two layers read.
    by_output_reads: Vec<f32>,
    by_hidden: Vec<f32>,
    by_hidden_reads: Vec<f32>,
}

impl Gradients {
    /// Zero gradients for a network of `parameters` parameters.
    pub fn new(parameters: usize, kernel: Kernel) -> Gradients {
        Gradients {
            flat: vec![0.0; parameters],
            kernel,
            outer: Outer::new(kernel),
            tables: TableGradients::default(),
            outputs: Vec::new(),
            inputs: Vec::new(),
            dropped: Vec::new(),
            cells: Vec::new(),
            by_output_reads: Vec::new(),
            by_hidden: Vec::new(),
            by_hidden_reads: Vec::new(),
        }
    }

    /// Sets the gradients for `batch`, over which `tape` has just run forward. The state carried in from the window
    /// before counts as constant.
    pub fn backward(&mut self, tape: &mut Tape, network: &Network, batch: &Batch) {
        self.flat.fill(0.0);
        self.outputs.clear();
        self.outputs.resize(batch.rows() * tape.blueprint.units, 0.0);
        for (head, choices) in batch.heads.iter().enumerate() {
            self.through_head(head, tape, network, choices);
        }
        for layer in (0..tape.blueprint.layers).rev() {
            self.through_layer(layer, tape, network, batch);
        }
    }

    fn through_head(&mut self, index: usize, tape: &mut Tape, network: &Network, choices: &Choices) {
        let (units, head) = (tape.blueprint.units, &tape.blueprint.heads[index]);
        let (count, width) = (choices.rows.len(), joined_width(head, units));
        let (hidden, inputs) = (head.hidden, head.inputs.width());
        let (parameters, weights) = (&network.layout.heads[index], &network.heads[index]);
        let HeadTape { joined, logits } = &tape.heads[index];
        if count == 0 {
            return;
        }

        let by_logits = Rows::dense(logits, head.symbols);
        let reads = Rows { data: joined, stride: width, width: hidden + inputs };
        self.add_outer(network, parameters.output, by_logits, reads, count);
        self.add_sum(network, parameters.output_bias, logits);
        self.by_output_reads.resize(count * (hidden + inputs), 0.0);
        let out = &mut self.by_output_reads;
        product(by_logits, count, &weights.output.backward, out, hidden + inputs, false, &mut tape.scratch);

        self.by_hidden.resize(count * hidden, 0.0);
        let rows = self.by_output_reads.chunks_exact(hidden + inputs).zip(joined.chunks_exact(width));
        for (out, (gradient, activated)) in self.by_hidden.chunks_exact_mut(hidden).zip(rows) {
            for (out, (gradient, activated)) in out.iter_mut().zip(gradient.iter().zip(activated)) {
                *out = if *activated > 0.0 { *gradient } else { 0.0 };
            }
        }
        let by_hidden = std::mem::take(&mut self.by_hidden);
        let reads = Rows { data: &joined[hidden..], stride: width, width: inputs + units };
        self.add_outer(network, parameters.hidden, Rows::dense(&by_hidden, hidden), reads, count);
        self.add_sum(network, parameters.hidden_bias, &by_hidden);
        self.by_hidden_reads.resize(count * (inputs + units), 0.0);
        let out = &mut self.by_hidden_reads;
        let by_hidden_rows = Rows::dense(&by_hidden, hidden);
        product(
            by_hidden_rows,
            count,
            &weights.hidden.backward,
            out,
            inputs + units,
            false,
            &mut tape.scratch,
        );
        self.by_hidden = by_hidden;

        let direct = self.by_output_reads.chunks_exact(hidden + inputs);
        for ((reads, direct), &row) in
            self.by_hidden_reads.chunks_exact_mut(inputs + units).zip(direct).zip(&choices.rows)
        {
            let (by_inputs, by_outputs) = reads.split_at_mut(inputs);
            add(by_inputs, &direct[hidden..]);
            add(&mut self.outputs[row as usize * units..][..units], by_outputs);
        }
        let (tables, gradient) = (&parameters.embeddings, &self.by_hidden_reads);
        scatter(network, &mut self.flat, tables, &head.inputs, &choices.inputs, gradient, inputs + units);
    }

    fn through_layer(&mut self, index: usize, tape: &mut Tape, network: &Network, batch: &Batch) {
        let units = tape.blueprint.units;
        self.cells.clear();
        self.cells.resize(batch.streams * units, 0.0);
        self.inputs.resize(self.outputs.len(), 0.0);
        for run in batch.runs().rev() {
            let rows = batch.rows_of(&run);
            if index > 0 {
                // The residual path hands the gradient by the outputs on as it is, before the recurrent one is added.
                let values = rows.start * units..rows.end * units;
                self.inputs[values.clone()].copy_from_slice(&self.outputs[values]);
            }
            self.through_steps(index, run, tape, network, batch);
            self.through_weights(index, rows, tape, network, batch);
        }
        if index > 0 {
            std::mem::swap(&mut self.inputs, &mut self.outputs);
        } else {
            let (symbols, gates) = (&batch.inputs.categories, &tape.layers[0].gates);
            self.tables.backward(tape.kernel, network, symbols, gates, &mut self.flat, &mut self.outer);
        }
    }

    /// Walks back through a run of steps of a layer; leaves the gradient by its gates in the gates' place.
    fn through_steps(
        &mut self,
        index: usize,
        run: Range<usize>,
        tape: &mut Tape,
        network: &Network,
        batch: &Batch,
    ) {
        let (units, kernel, size) = (tape.blueprint.units, tape.kernel, batch.streams * tape.blueprint.units);
        let layer = &mut tape.layers[index];
        for step in run.rev() {
            let (present, after) = layer.gates[step * size * 4..].split_at_mut(size * 4);
            let by_hidden = &mut self.outputs[step * size..][..size];
            if step + 1 < batch.steps {
                let after = Rows::dense(after, 4 * units);
                let recurrent = &network.layers[index].recurrent.backward;
                product(after, batch.streams, recurrent, by_hidden, units, true, &mut tape.scratch);
            }
            let (past, cells) = layer.cells[step * size..].split_at(size);
            let by_cells = &mut self.cells;
            cell_backward(kernel, units, present, past, &cells[..size], by_hidden, by_cells);
        }
    }

    /// From the gradient by the gates of some rows to that by the weights that they came from, and by what these read.
    fn through_weights(
        &mut self,
        index: usize,
        rows: Range<usize>,
        tape: &mut Tape,
        network: &Network,
        batch: &Batch,
    ) {
        let units = tape.blueprint.units;
        let (below, layer) = tape.layers.split_at(index);
        let LayerTape { inputs, kept, gates, hidden, .. } = &layer[0];
        let gates = &gates[rows.start * 4 * units..rows.end * 4 * units];
        let (by_gates, weights) = (Rows::dense(gates, 4 * units), &network.layers[index].input);
        let (columns, width) = (&weights.columns, weights.columns.len());
        let parameters = network.layout.layers[index];
        let place = |parameter: usize| network.layout.parameters[parameter].range.clone();
        let places = [place(parameters.input), place(parameters.recurrent), place(parameters.bias)];
        let [by_input, by_recurrent, by_bias] =
            self.flat.get_disjoint_mut(places).expect("no two parameters share a place");

        let input = Summand {
            right: Rows::dense(&layer_inputs(below, inputs, batch)[rows.start * width..], width),
            out: &mut by_input[columns.start..],
            out_stride: network.layout.parameters[parameters.input].shape[1],
        };
        let recurrent = Summand {
            right: Rows::dense(&hidden[rows.start * units..], units),
            out: by_recurrent,
            out_stride: units,
        };
        accumulate_outer(by_gates, rows.len(), &mut [input, recurrent], &mut self.outer);
        add_rows(tape.kernel, by_bias, gates);
        if index > 0 {
            let kept = if kept.is_empty() { &[] } else { &kept[rows.start * width..rows.end * width] };
            let out = &mut self.inputs[rows.start * width..rows.end * width];
            through_inputs(by_gates, weights, kept, out, &mut self.dropped, &mut tape.scratch);
        }
    }

    fn add_outer(&mut self, network: &Network, parameter: usize, left: Rows, right: Rows, rows: usize) {
        let out = network.layout.of_mut(&mut self.flat, parameter);
        accumulate_outer(left, rows, &mut [Summand { right, out, out_stride: right.width }], &mut self.outer);
    }

    fn add_sum(&mut self, network: &Network, parameter: usize, rows: &[f32]) {
        add_rows(self.kernel, network.layout.of_mut(&mut self.flat, parameter), rows);
    }
}

/// Adds what reaches a layer's inputs through its gates; `kept` are dropout's factors, if any.
fn through_inputs(
    by_gates: Rows,
    weights: &Linear,
    kept: &[f32],
    out: &mut [f32],
    dropped: &mut Vec<f32>,
    scratch: &mut Words,
) {
    let (width, rows) = (weights.columns.len(), out.len() / weights.columns.len());
    if kept.is_empty() {
        product(by_gates, rows, &weights.backward, out, width, true, scratch);
        return;
    }
    dropped.resize(out.len(), 0.0);
    product(by_gates, rows, &weights.backward, dropped, width, false, scratch);
    let dropped = dropped.iter().zip(kept).map(|(gradient, kept)| gradient * kept);
    out.iter_mut().zip(dropped).for_each(|(sum, gradient)| *sum += gradient);
}

vectorised! {
/// Adds every row to `out`.
fn add_rows(out: &mut [f32], rows: &[f32]) {
    rows.chunks_exact(out.len()).for_each(|row| add(out, row));
}
}

#[inline(always)]
fn add(out: &mut [f32], values: &[f32]) {
    out.iter_mut().zip(values).for_each(|(out, value)| *out += value);
}

/// Adds the gradient by every looked-up embedding to its table: the inverse of the forward pass's `gather`.
fn scatter(
    network: &Network,
    flat: &mut [f32],
    tables: &[usize],
    inputs: &Inputs,
    block: &Block,
    gradient: &[f32],
    stride: usize,
) {
    let count = inputs.categories.len();
    let mut at = 0;
    for (i, (category, &table)) in inputs.categories.iter().zip(tables).enumerate() {
        let table = network.layout.of_mut(flat, table);
        for (r, row) in gradient.chunks_exact(stride).enumerate() {
            let symbol = block.categories[r * count + i] as usize;
            add(&mut table[symbol * category.width..][..category.width], &row[at..][..category.width]);
        }
        at += category.width;
    }
}

vectorised! {
/// One step of one layer: `gates` hold the activated gates and receive the gradient by them before activation.
fn cell_backward(
    units: usize,
    gates: &mut [f32],
    past: &[f32],
    cells: &[f32],
    by_hidden: &[f32],
    by_cells: &mut [f32],
) {
    let states = past.chunks_exact(units).zip(cells.chunks_exact(units));
    let gradients = by_hidden.chunks_exact(units).zip(by_cells.chunks_exact_mut(units));
    for ((gates, (past, cells)), (by_hidden, by_cells)) in
        gates.chunks_exact_mut(4 * units).zip(states).zip(gradients)
    {
        for first in (0..units).step_by(LANES) {
            let gate = |index: usize| load(&gates[index * units..][..units], first);
            let (mut i, mut f, mut g, mut o) = (gate(0), gate(1), gate(2), gate(3));
            let cell = load(cells, first);
            let (before, by_state, mut by_cell) = (load(past, first), load(by_hidden, first), load(by_cells, first));
            for u in 0..LANES {
                let (input, forget, candidate, output) = (i[u], f[u], g[u], o[u]);
                let squashed = tanh(cell[u]);
                by_cell[u] += by_state[u] * output * (1.0 - squashed * squashed);
                i[u] = by_cell[u] * candidate * input * (1.0 - input);
                f[u] = by_cell[u] * before[u] * forget * (1.0 - forget);
                g[u] = by_cell[u] * input * (1.0 - candidate * candidate);
                o[u] = by_state[u] * squashed * output * (1.0 - output);
                by_cell[u] *= forget;
            }
            for (index, gate) in [i, f, g, o].iter().enumerate() {
                store(&mut gates[index * units..][..units], first, gate);
            }
            store(by_cells, first, &by_cell);
        }
    }
}
}
