//! The LSTM layers, a step of some streams at a time.

use super::Precision;
use super::activations::Activations;
use super::affine::{Affine, Packer};
use crate::engine::inputs::InputRows;
use crate::kernel::{Kernel, LANES, cell_output, load, next_cell, store};
use crate::vectorised;

/// The weights of the layers.
pub(super) struct Trunk {
    kernel: Kernel,
    precision: Precision,
    units: usize,
    dense: usize,
    layers: Vec<Affine>,
}

/// The parts of a layer's inputs: what comes from below (of the first layer the dense values), and its own past.
const BELOW: usize = 0;
const PAST: usize = 1;

/// The state of all streams, and the space for a step.
pub(super) struct TrunkState {
    units: usize,
    layers: Vec<LayerState>,
    /// `[streams, units]`: what the last layer put out for each stream.
    outputs: Vec<f32>,
    /// `[rows, units]` of the layer at work.
    below: Vec<f32>,
    /// `[rows, 4 units]`, padded to whole panels.
    gates: Vec<f32>,
    activations: Activations,
}

/// Cells and hidden states of a layer: `[streams, units]`.
struct LayerState {
    cells: Vec<f32>,
    hidden: Vec<f32>,
    ahead: Ahead,
}

/// What a layer's past adds to the gates of its next step, made in the step before.
///
/// A step is bound by how fast weights come from memory, and reads all others before it comes to one again, so that none
/// is still in the core's own cache. But as soon as a step is done with a layer, the layer's past of the next step is
/// known. So only every other step multiplies it: for itself, and at once for the next step too, with weights that were
/// just read.
#[derive(Default)]
struct Ahead {
    /// For whom, row by row; for nobody if it is empty.
    streams: Vec<usize>,
    /// `[rows, 4 units]`, padded to whole panels.
    products: Vec<f32>,
}

impl TrunkState {
    pub(super) fn new(layers: usize, units: usize, streams: usize) -> TrunkState {
        let state = vec![0.0; streams * units];
        let layer = || LayerState { cells: state.clone(), hidden: state.clone(), ahead: Ahead::default() };
        TrunkState {
            units,
            layers: (0..layers).map(|_| layer()).collect(),
            outputs: state.clone(),
            below: Vec::new(),
            gates: Vec::new(),
            activations: Activations::default(),
        }
    }

    /// What the last layer put out for a stream.
    pub(super) fn output(&self, stream: usize) -> &[f32] {
        &self.outputs[stream * self.units..][..self.units]
    }
}

impl Trunk {
    pub(super) fn new(packer: &Packer) -> Trunk {
        let Packer { layout, blueprint, .. } = packer;
        let layers = layout.layers.iter().enumerate().map(|(index, layer)| {
            let mut input = packer.columns(layer.input);
            let tables = if index == 0 { input.tables(&layout.embeddings) } else { Vec::new() };
            let below = input.matrix(if index == 0 { blueprint.inputs.dense } else { blueprint.units });
            packer.affine(layer.bias, tables, vec![below, packer.matrix(layer.recurrent)])
        });
        Trunk {
            kernel: packer.instructions.kernel(),
            precision: packer.precision,
            units: blueprint.units,
            dense: blueprint.inputs.dense,
            layers: layers.collect(),
        }
    }

    pub(super) fn bytes(&self) -> usize {
        self.layers.iter().map(Affine::bytes).sum()
    }

    pub(super) fn bytes_per_step(&self) -> usize {
        self.layers.iter().map(Affine::bytes_per_step).sum()
    }

    /// Lets each of `streams` hear its row of `inputs`.
    pub(super) fn advance(&self, state: &mut TrunkState, inputs: &InputRows, streams: &[usize]) {
        let (units, rows) = (self.units, streams.len());
        let TrunkState { layers, outputs, below, gates, activations, .. } = state;
        let width = self.layers[0].outputs();
        gates.resize(rows * width, 0.0);
        below.resize(rows * units, 0.0);
        for (index, (layer, state)) in self.layers.iter().zip(layers).enumerate() {
            if index == 0 {
                self.begin_with_inputs(layer, inputs, gates, activations);
            } else {
                gates.chunks_exact_mut(width).for_each(|gates| layer.begin(&[], gates));
                activations.fill(self.kernel, self.precision, below.chunks_exact(units), units);
            }
            layer.add_part(BELOW, activations, gates);
            // What was made ahead is added where it would be made now. Every sum of a product is complete before it is
            // added to its gate, in `add_part` as here, so that int8 gives the same bits either way.
            let is_ahead = state.ahead.streams == streams;
            if is_ahead {
                add(self.kernel, &state.ahead.products, gates);
                state.ahead.streams.clear();
            } else {
                self.hear_past(state, streams, activations);
                layer.add_part(PAST, activations, gates);
            }
            for ((gates, y), &stream) in
                gates.chunks_exact(width).zip(below.chunks_exact_mut(units)).zip(streams)
            {
                let part = stream * units..(stream + 1) * units;
                let (cells, hidden) = (&mut state.cells[part.clone()], &mut state.hidden[part]);
                step_cells(self.kernel, gates, cells, hidden, y, index > 0);
            }
            if !is_ahead {
                self.hear_past(state, streams, activations);
                state.ahead.begin(streams, gates.len());
                layer.add_part_again(PAST, activations, &mut state.ahead.products);
            }
        }
        for (row, &stream) in below.chunks_exact(units).zip(streams) {
            outputs[stream * units..][..units].copy_from_slice(row);
        }
    }

    /// Begins the first layer's gates with what is embedded; the dense inputs become what is multiplied next.
    fn begin_with_inputs(
        &self,
        layer: &Affine,
        inputs: &InputRows,
        gates: &mut [f32],
        activations: &mut Activations,
    ) {
        let gates = gates.chunks_exact_mut(layer.outputs());
        let dense = (0..gates.len()).map(|row| inputs.dense(row));
        activations.fill(self.kernel, self.precision, dense, self.dense);
        gates.enumerate().for_each(|(row, gates)| layer.begin(inputs.categories(row), gates));
    }

    /// Makes a layer's hidden states what is multiplied next.
    fn hear_past(&self, layer: &LayerState, streams: &[usize], activations: &mut Activations) {
        let past = streams.iter().map(|&stream| &layer.hidden[stream * self.units..][..self.units]);
        activations.fill(self.kernel, self.precision, past, self.units);
    }
}

impl Ahead {
    /// Begins with zeros for `streams`.
    fn begin(&mut self, streams: &[usize], gates: usize) {
        self.streams.clear();
        self.streams.extend_from_slice(streams);
        self.products.clear();
        self.products.resize(gates, 0.0);
    }
}

vectorised! {
fn add(values: &[f32], out: &mut [f32]) {
    out.iter_mut().zip(values).for_each(|(out, value)| *out += value);
}
}

vectorised! {
/// Updates one stream's cells and hidden state from its gates `[i, f, g, o]`, not yet activated; `y` becomes the hidden
/// state, or their sum if there is a `residual` path.
fn step_cells(gates: &[f32], cells: &mut [f32], hidden: &mut [f32], y: &mut [f32], residual: bool) {
    let units = cells.len();
    let gate = |index: usize, first: usize| load(&gates[index * units..][..units], first);
    // In two passes, because nothing in one of them has to wait long for another: the processor overlaps them.
    for first in (0..units).step_by(LANES) {
        let (i, f, g) = (gate(0, first), gate(1, first), gate(2, first));
        let mut cell = load(cells, first);
        for u in 0..LANES {
            cell[u] = next_cell(cell[u], i[u], f[u], g[u]);
        }
        store(cells, first, &cell);
    }
    for first in (0..units).step_by(LANES) {
        let (o, cell, mut below, mut state) = (gate(3, first), load(cells, first), load(y, first), [0.0; LANES]);
        for u in 0..LANES {
            state[u] = cell_output(o[u], cell[u]);
            below[u] = if residual { below[u] + state[u] } else { state[u] };
        }
        store(hidden, first, &state);
        store(y, first, &below);
    }
}
}
