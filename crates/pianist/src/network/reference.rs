//! The network in candle: plain, differentiable, on any device.
//!
//! Every fast kernel is tested against it, and it is what trains on a GPU. Its parameters are a [`VarMap`] under the
//! names of [`Layout`]; the LSTM layers are candle-nn's own.

use candle_core::{D, DType, Device, Result, Shape, Tensor, Var};
use candle_nn::rnn::{LSTM, LSTMConfig, LSTMState, RNN};
use candle_nn::{Embedding, Linear, Module, VarBuilder, VarMap, embedding, linear, ops};

use super::{Blueprint, Category, Head, Inputs, Layout, Parameter};

/// What one block of the network reads, row after row.
#[derive(Debug, Clone, Copy)]
pub struct InputRows<'a> {
    /// `[rows, categories]`.
    pub categories: &'a [u16],
    /// `[rows, dense]`.
    pub dense: &'a [f32],
}

/// All choices that one head makes in a window.
#[derive(Debug, Clone, Copy)]
pub struct Choices<'a> {
    /// For each choice the row of the LSTM's outputs that it sees: `step * batch + sequence`.
    pub rows: &'a [u32],
    /// What it reads beside that.
    pub inputs: InputRows<'a>,
    /// What it should choose.
    pub targets: &'a [u16],
}

/// The state of all LSTM layers after a step, for each sequence of a batch.
#[derive(Debug, Clone)]
pub struct State(Vec<LSTMState>);

impl State {
    /// A state with every output and cell, `[batch, units]` each, changed.
    pub fn map(&self, change: impl Fn(&Tensor) -> Result<Tensor>) -> Result<State> {
        let state = |state: &LSTMState| Ok(LSTMState::new(change(&state.h)?, change(&state.c)?));
        Ok(State(self.0.iter().map(state).collect::<Result<_>>()?))
    }

    /// The same values, cut off from what they were computed from.
    pub fn detach(&self) -> State {
        State(self.0.iter().map(|state| LSTMState::new(state.h.detach(), state.c.detach())).collect())
    }
}

/// A network in candle.
pub struct Reference {
    device: Device,
    layout: Layout,
    /// In the order of the layout.
    variables: Vec<Var>,
    inputs: Block,
    layers: Vec<LSTM>,
    heads: Vec<HeadBlock>,
}

impl Reference {
    /// The network of `blueprint` on `device`, all parameters zero.
    pub fn new(blueprint: &Blueprint, device: &Device) -> Result<Reference> {
        let layout = Layout::new(blueprint);
        let map = VarMap::new();
        let variables = variables(&layout, device)?;
        {
            let mut named = map.data().lock().expect("nobody else holds the map");
            let names = layout.parameters.iter().map(|parameter| parameter.name.clone());
            named.extend(names.zip(variables.iter().cloned()));
        }
        let builder = VarBuilder::from_varmap(&map, DType::F32, device);
        let layer = |layer| {
            let config = LSTMConfig { layer_idx: layer, b_hh_init: None, ..LSTMConfig::default() };
            LSTM::new(blueprint.layer_inputs(layer), blueprint.units, config, builder.pp("lstm"))
        };
        Ok(Reference {
            device: device.clone(),
            variables,
            inputs: Block::new(&blueprint.inputs, builder.pp("inputs"))?,
            layers: (0..blueprint.layers).map(layer).collect::<Result<_>>()?,
            heads: blueprint
                .heads
                .iter()
                .map(|head| HeadBlock::new(head, blueprint.units, builder.pp("heads").pp(head.name)))
                .collect::<Result<_>>()?,
            layout,
        })
    }

    /// Sets all parameters from a flat vector in the order of the [`Layout`].
    ///
    /// # Panics
    /// If it is shorter than the layout.
    pub fn load(&self, parameters: &[f32]) -> Result<()> {
        for (i, variable) in self.variables.iter().enumerate() {
            let values = self.layout.of(parameters, i);
            variable.set(&Tensor::from_slice(values, variable.shape(), &self.device)?)?;
        }
        Ok(())
    }

    /// All parameters as a flat vector.
    pub fn store(&self) -> Result<Vec<f32>> {
        self.flatten(|variable| Some(variable.as_tensor()))
    }

    /// The gradient of a scalar with respect to all parameters, as a flat vector.
    pub fn gradient(&self, loss: &Tensor) -> Result<Vec<f32>> {
        let gradients = loss.backward()?;
        self.flatten(|variable| gradients.get(variable))
    }

    /// The state before the first step of `batch` sequences.
    pub fn silence(&self, batch: usize) -> Result<State> {
        Ok(State(self.layers.iter().map(|layer| layer.zero_state(batch)).collect::<Result<_>>()?))
    }

    /// Runs the LSTM over a window of steps, `inputs` in the order `[steps, batch]`, dropping the share `dropout` of
    /// the values between layers. Gives the last layer's outputs `[steps * batch, units]` and the state after the
    /// window.
    pub fn listen(&self, inputs: InputRows, state: &State, dropout: f32) -> Result<(Tensor, State)> {
        let batch = state.0[0].h.dim(0)?;
        let inputs = self.inputs.upload(inputs, &self.device)?;
        let mut layers = state.0.clone();
        let mut outputs = Vec::new();
        // Step by step from the embeddings on: candle's gradient of a narrowed tensor costs as much as the whole.
        for step in 0..inputs.rows / batch {
            let read = self.inputs.read(&inputs.narrow(step * batch, batch)?)?;
            let mut y = Tensor::cat(&read, 1)?;
            for (i, (layer, state)) in self.layers.iter().zip(&mut layers).enumerate() {
                let dropped = if i > 0 && dropout > 0.0 { ops::dropout(&y, dropout)? } else { y.clone() };
                *state = layer.step(&dropped, state)?;
                y = if i == 0 { state.h.clone() } else { (y + &state.h)? };
            }
            outputs.push(y);
        }
        Ok((Tensor::cat(&outputs, 0)?, State(layers)))
    }

    /// The logits `[rows, symbols]` of `head`, which sees `outputs` of the LSTM `[rows, units]` and `inputs`.
    pub fn logits(&self, head: usize, outputs: &Tensor, inputs: InputRows) -> Result<Tensor> {
        let head = &self.heads[head];
        let mut read = head.inputs.read(&head.inputs.upload(inputs, &self.device)?)?;
        let seen = Tensor::cat(&[&read[..], std::slice::from_ref(outputs)].concat(), 1)?;
        read.insert(0, head.hidden.forward(&seen)?.relu()?);
        head.output.forward(&Tensor::cat(&read, 1)?)
    }

    /// The cross-entropy of the choices of `head` in a window, summed, in nats; `outputs` are those of
    /// [`Reference::listen`].
    pub fn loss(&self, head: usize, outputs: &Tensor, choices: Choices) -> Result<Tensor> {
        if choices.targets.is_empty() {
            return Tensor::zeros((), DType::F32, &self.device);
        }
        let rows = Tensor::from_slice(choices.rows, choices.rows.len(), &self.device)?;
        let logits = self.logits(head, &outputs.index_select(&rows, 0)?, choices.inputs)?;
        let targets = choices.targets.iter().map(|&target| u32::from(target)).collect();
        let targets = Tensor::from_vec(targets, (choices.targets.len(), 1), &self.device)?;
        ops::log_softmax(&logits, D::Minus1)?.gather(&targets, 1)?.sum_all()?.neg()
    }

    fn flatten<'a>(&'a self, tensor: impl Fn(&'a Var) -> Option<&'a Tensor>) -> Result<Vec<f32>> {
        let mut flat = vec![0.0; self.layout.len()];
        for (i, variable) in self.variables.iter().enumerate() {
            if let Some(tensor) = tensor(variable) {
                self.layout.of_mut(&mut flat, i).copy_from_slice(&tensor.flatten_all()?.to_vec1::<f32>()?);
            }
        }
        Ok(flat)
    }
}

fn variables(layout: &Layout, device: &Device) -> Result<Vec<Var>> {
    let shape = |parameter: &Parameter| match parameter.is_bias() {
        true => Shape::from(parameter.shape[0]),
        false => Shape::from(parameter.shape.to_vec()),
    };
    layout.parameters.iter().map(|parameter| Var::zeros(shape(parameter), DType::F32, device)).collect()
}

/// Reads the inputs of a block: looks up the embeddings of its categories.
struct Block {
    embeddings: Vec<Embedding>,
    dense: usize,
}

impl Block {
    fn new(inputs: &Inputs, builder: VarBuilder) -> Result<Block> {
        let table = |(i, category): (usize, &Category)| {
            embedding(category.symbols, category.width, builder.pp("embedding").pp(i))
        };
        let embeddings = inputs.categories.iter().enumerate().map(table).collect::<Result<_>>()?;
        Ok(Block { embeddings, dense: inputs.dense })
    }

    fn upload(&self, rows: InputRows, device: &Device) -> Result<Upload> {
        let categories = self.embeddings.len();
        let by_dense = rows.dense.len().checked_div(self.dense).unwrap_or(0);
        let count = rows.categories.len().checked_div(categories).unwrap_or(by_dense);
        let column = |category| {
            let symbols = rows.categories.iter().skip(category).step_by(categories);
            Tensor::from_iter(symbols.map(|&symbol| u32::from(symbol)), device)
        };
        Ok(Upload {
            rows: count,
            categories: (0..categories).map(column).collect::<Result<_>>()?,
            dense: match self.dense {
                0 => None,
                dense => Some(Tensor::from_slice(rows.dense, (count, dense), device)?),
            },
        })
    }

    /// What the block reads, `[rows, width]` each, to be set side by side.
    fn read(&self, upload: &Upload) -> Result<Vec<Tensor>> {
        let embedded = self.embeddings.iter().zip(&upload.categories).map(|(table, ids)| table.forward(ids));
        embedded.chain(upload.dense.clone().map(Ok)).collect()
    }
}

/// Rows of inputs on the device.
struct Upload {
    rows: usize,
    /// `[rows]` per category.
    categories: Vec<Tensor>,
    /// `[rows, dense]`.
    dense: Option<Tensor>,
}

impl Upload {
    fn narrow(&self, start: usize, rows: usize) -> Result<Upload> {
        let narrow = |tensor: &Tensor| tensor.narrow(0, start, rows);
        Ok(Upload {
            rows,
            categories: self.categories.iter().map(narrow).collect::<Result<_>>()?,
            dense: self.dense.as_ref().map(narrow).transpose()?,
        })
    }
}

struct HeadBlock {
    inputs: Block,
    hidden: Linear,
    output: Linear,
}

impl HeadBlock {
    fn new(head: &Head, units: usize, builder: VarBuilder) -> Result<HeadBlock> {
        let width = head.inputs.width();
        Ok(HeadBlock {
            inputs: Block::new(&head.inputs, builder.clone())?,
            hidden: linear(width + units, head.hidden, builder.pp("hidden"))?,
            output: linear(head.hidden + width, head.symbols, builder.pp("output"))?,
        })
    }
}
