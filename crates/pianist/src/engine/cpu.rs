//! The engine on the processor. It never fails.

mod batch;

use std::sync::Arc;

use super::inputs::InputRows;
use super::{Batch, DeviceError, Engine};
use crate::alphabet::Alphabet;
use crate::kernel::{Kernel, LANES, Panels, Rows, fill_rows, load, product, sigmoid, store, tanh};
use crate::model_file::Pianist;
use crate::network::{Blueprint, Inputs, Layout};
use crate::time::TimeBase;
use crate::vectorised;
use batch::{CpuBatch, Memory};

/// A pianist's weights in main memory, packed for one kernel. A step allocates nothing once a batch has made one as
/// large.
pub struct CpuEngine {
    alphabet: Alphabet,
    time_base: TimeBase,
    device: String,
    weights: Arc<Weights>,
}

struct Weights {
    blueprint: Blueprint,
    kernel: Kernel,
    embeddings: Vec<Table>,
    layers: Vec<Layer>,
    heads: Vec<HeadWeights>,
}

/// An embedding: a vector of `width` values for each symbol.
struct Table {
    values: Vec<f32>,
    width: usize,
}

struct Layer {
    input: Panels,
    recurrent: Panels,
    bias: Vec<f32>,
}

struct HeadWeights {
    embeddings: Vec<Table>,
    hidden: Panels,
    hidden_bias: Vec<f32>,
    output: Panels,
    output_bias: Vec<f32>,
}

impl CpuEngine {
    /// Packs the weights of `pianist`.
    ///
    /// # Panics
    /// If this machine can't run `kernel`, or the pianist's parts do not belong together.
    pub fn new(pianist: &Pianist, kernel: Kernel) -> CpuEngine {
        CpuEngine {
            alphabet: pianist.alphabet,
            time_base: pianist.time_base,
            device: format!("CPU, {kernel:?}"),
            weights: Arc::new(Weights::new(pianist, kernel)),
        }
    }
}

impl Engine for CpuEngine {
    fn alphabet(&self) -> Alphabet {
        self.alphabet
    }

    fn time_base(&self) -> TimeBase {
        self.time_base
    }

    fn blueprint(&self) -> &Blueprint {
        &self.weights.blueprint
    }

    fn device(&self) -> &str {
        &self.device
    }

    fn batch(&self, streams: usize) -> Result<Box<dyn Batch>, DeviceError> {
        Ok(Box::new(CpuBatch::new(self.weights.clone(), streams)))
    }
}

impl Weights {
    fn new(pianist: &Pianist, kernel: Kernel) -> Weights {
        let Pianist { blueprint, layout, parameters, .. } = pianist;
        let source = Source { layout, parameters, kernel };
        Weights {
            blueprint: blueprint.clone(),
            kernel,
            embeddings: source.tables(&layout.embeddings),
            layers: layout
                .layers
                .iter()
                .map(|layer| Layer {
                    input: source.panels(layer.input),
                    recurrent: source.panels(layer.recurrent),
                    bias: source.values(layer.bias),
                })
                .collect(),
            heads: layout
                .heads
                .iter()
                .map(|head| HeadWeights {
                    embeddings: source.tables(&head.embeddings),
                    hidden: source.panels(head.hidden),
                    hidden_bias: source.values(head.hidden_bias),
                    output: source.panels(head.output),
                    output_bias: source.values(head.output_bias),
                })
                .collect(),
        }
    }

    /// See [`Batch::advance`].
    fn advance(&self, memory: &mut Memory, inputs: &InputRows, streams: &[usize]) {
        let Memory { below, .. } = memory;
        let width = self.blueprint.inputs.width();
        below.resize(streams.len() * width, 0.0);
        gather(&self.blueprint.inputs, &self.embeddings, inputs, streams.len(), below, width);
        for layer in 0..self.layers.len() {
            self.run_layer(layer, memory, streams);
        }
        let units = self.blueprint.units;
        for (row, &stream) in memory.below.chunks_exact(units).zip(streams) {
            memory.outputs[stream * units..][..units].copy_from_slice(row);
        }
    }

    /// See [`Batch::head`].
    fn head(&self, memory: &mut Memory, inputs: &InputRows, head: usize, streams: &[usize]) {
        let (blueprint, weights) = (&self.blueprint.heads[head], &self.heads[head]);
        let (units, hidden, rows) = (self.blueprint.units, blueprint.hidden, streams.len());
        let width = hidden + blueprint.inputs.width() + units;
        let Memory { outputs, joined, gates, logits, scratch, .. } = memory;

        joined.resize(rows * width, 0.0);
        gather(&blueprint.inputs, &weights.embeddings, inputs, rows, &mut joined[hidden..], width);
        for (row, &stream) in joined.chunks_exact_mut(width).zip(streams) {
            row[width - units..].copy_from_slice(&outputs[stream * units..][..units]);
        }
        gates.resize(rows * hidden, 0.0);
        fill_rows(gates, &weights.hidden_bias);
        let reads = Rows { data: &joined[hidden..], stride: width, width: width - hidden };
        product(reads, rows, &weights.hidden, gates, hidden, true, scratch);
        for (row, hidden) in joined.chunks_exact_mut(width).zip(gates.chunks_exact(hidden)) {
            row.iter_mut().zip(hidden).for_each(|(out, x)| *out = x.max(0.0));
        }
        logits.resize(rows * blueprint.symbols, 0.0);
        fill_rows(logits, &weights.output_bias);
        let reads = Rows { data: joined, stride: width, width: width - units };
        product(reads, rows, &weights.output, logits, blueprint.symbols, true, scratch);
        memory.logits_width = blueprint.symbols;
    }

    /// Takes `memory.below` through a layer, in place.
    fn run_layer(&self, index: usize, memory: &mut Memory, streams: &[usize]) {
        let (units, rows, weights) = (self.blueprint.units, streams.len(), &self.layers[index]);
        let Memory { layers, below, joined, gates, scratch, .. } = memory;
        let state = &mut layers[index];
        gates.resize(rows * 4 * units, 0.0);
        fill_rows(gates, &weights.bias);
        let reads = Rows::dense(below, self.blueprint.layer_inputs(index));
        product(reads, rows, &weights.input, gates, 4 * units, true, scratch);
        joined.resize(rows * units, 0.0);
        for (row, &stream) in joined.chunks_exact_mut(units).zip(streams) {
            row.copy_from_slice(&state.hidden[stream * units..][..units]);
        }
        product(Rows::dense(joined, units), rows, &weights.recurrent, gates, 4 * units, true, scratch);
        for (gates, &stream) in gates.chunks_exact(4 * units).zip(streams) {
            let part = stream * units..(stream + 1) * units;
            let (cells, hidden) = (&mut state.cells[part.clone()], &mut state.hidden[part]);
            step_cells(self.kernel, gates, cells, hidden);
        }
        let residual = index > 0;
        below.resize(rows * units, 0.0);
        for (row, &stream) in below.chunks_exact_mut(units).zip(streams) {
            let hidden = &state.hidden[stream * units..][..units];
            row.iter_mut().zip(hidden).for_each(|(y, h)| *y = if residual { *h + *y } else { *h });
        }
    }
}

/// A pianist's parameters on the way into an engine.
struct Source<'a> {
    layout: &'a Layout,
    parameters: &'a [f32],
    kernel: Kernel,
}

impl Source<'_> {
    fn values(&self, index: usize) -> Vec<f32> {
        self.layout.of(self.parameters, index).to_vec()
    }

    fn tables(&self, indices: &[usize]) -> Vec<Table> {
        let width = |index: usize| self.layout.parameters[index].shape[1];
        indices.iter().map(|&index| Table { values: self.values(index), width: width(index) }).collect()
    }

    fn panels(&self, index: usize) -> Panels {
        let [outputs, inputs] = self.layout.parameters[index].shape;
        let mut panels = Panels::new(self.kernel);
        panels.pack_transposed(Rows::dense(self.layout.of(self.parameters, index), inputs), outputs);
        panels
    }
}

/// Looks up the embeddings of `rows` rows and puts the dense values behind them, at every `stride` values of `out`.
fn gather(inputs: &Inputs, tables: &[Table], read: &InputRows, rows: usize, out: &mut [f32], stride: usize) {
    for (row, out) in out.chunks_mut(stride).take(rows).enumerate() {
        let mut at = 0;
        for (table, &symbol) in tables.iter().zip(read.categories(row)) {
            let vector = &table.values[usize::from(symbol) * table.width..][..table.width];
            out[at..][..table.width].copy_from_slice(vector);
            at += table.width;
        }
        out[at..][..inputs.dense].copy_from_slice(read.dense(row));
    }
}

vectorised! {
/// Updates one stream's cells and hidden state from its gates `[i, f, g, o]`, not yet activated.
fn step_cells(gates: &[f32], cells: &mut [f32], hidden: &mut [f32]) {
    let units = cells.len();
    for first in (0..units).step_by(LANES) {
        let gate = |index: usize| load(&gates[index * units..][..units], first);
        let (i, f, g, o) = (gate(0), gate(1), gate(2), gate(3));
        let mut cell = load(cells, first);
        let mut state = [0.0; LANES];
        for u in 0..LANES {
            cell[u] = sigmoid(f[u]) * cell[u] + sigmoid(i[u]) * tanh(g[u]);
            state[u] = sigmoid(o[u]) * tanh(cell[u]);
        }
        store(cells, first, &cell);
        store(hidden, first, &state);
    }
}
}
