//! The network's blueprint: what goes in, how large each part is, which parameters that makes.
//!
//! ```text
//! inputs(t) = [embedded attributes | dense]                    of everything before step t
//! y_1 = LSTM_1(inputs),  y_l = y_(l-1) + LSTM_l(y_(l-1))       L layers of H units, residual from the second on
//! for each head of the step, in order, seeing what the heads before it chose:
//!   s = [embedded attributes | dense]
//!   u = relu(W_hidden [s | y_L] + b_hidden)
//!   logits = W_output [u | s] + b_output
//! ```
//! An LSTM is Hochreiter and Schmidhuber's with forget gates, its parameters named and its gates ordered (input,
//! forget, cell, output) as in PyTorch, with the one bias `bias_ih`. The chain of heads follows the note encoding of
//! Magenta's Performance RNN; the direct path from `s` to the logits lets plain rules ("it ends when that one ends")
//! be learned fast.

#[cfg(feature = "candle")]
pub mod reference;

use std::ops::Range;

/// An attribute that is embedded: one of `symbols` values becomes a vector of `width`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Category {
    /// How many values it has.
    pub symbols: usize,
    /// Length of a value's vector.
    pub width: usize,
}

/// What one block of the network reads at a step: embedded attributes, then plain numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inputs {
    /// The embedded attributes, in order.
    pub categories: Vec<Category>,
    /// How many plain numbers follow.
    pub dense: usize,
}

impl Inputs {
    /// Inputs from `(symbols, width)` pairs and the number of dense values.
    pub fn new(categories: &[(usize, usize)], dense: usize) -> Inputs {
        let categories = categories.iter().map(|&(symbols, width)| Category { symbols, width }).collect();
        Inputs { categories, dense }
    }

    /// Length of the vector: all embeddings and the dense values, side by side.
    pub fn width(&self) -> usize {
        self.categories.iter().map(|category| category.width).sum::<usize>() + self.dense
    }
}

/// One choice of a step: a distribution over `symbols`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// The attribute's name, in parameter names and reports.
    pub name: &'static str,
    /// How many values it chooses from.
    pub symbols: usize,
    /// Units of its hidden layer.
    pub hidden: usize,
    /// What it reads beside the LSTM's output.
    pub inputs: Inputs,
}

/// The size of every part of a network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Blueprint {
    /// LSTM layers, at least 1.
    pub layers: usize,
    /// Units of each.
    pub units: usize,
    /// What the first layer reads.
    pub inputs: Inputs,
    /// The heads, in the order in which a step is chosen.
    pub heads: Vec<Head>,
}

impl Blueprint {
    /// Width of the input of LSTM layer `layer`.
    pub fn layer_inputs(&self, layer: usize) -> usize {
        if layer == 0 { self.inputs.width() } else { self.units }
    }
}

/// A weight matrix or bias: its name in the file, its shape, and where it lies in the flat parameter vector.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parameter {
    /// Name in the safetensors file.
    pub name: String,
    /// Rows and columns; a bias has one column and is stored as a vector.
    pub shape: [usize; 2],
    /// Place in the flat vector.
    pub range: Range<usize>,
}

impl Parameter {
    /// Whether it is a bias (stored as a vector, not decayed in training).
    pub fn is_bias(&self) -> bool {
        self.name.contains("bias")
    }

    /// The shape in the file: that of a bias has one dimension.
    pub fn stored_shape(&self) -> &[usize] {
        if self.is_bias() { &self.shape[..1] } else { &self.shape }
    }
}

/// Where the parameters of a block's embeddings lie, in the order of its categories.
pub type Embeddings = Vec<usize>;

/// Indices of the parameters of one LSTM layer.
#[derive(Debug, Clone, Copy)]
pub struct LayerParameters {
    /// `[4 units, inputs]`.
    pub input: usize,
    /// `[4 units, units]`.
    pub recurrent: usize,
    /// `[4 units]`.
    pub bias: usize,
}

/// Indices of the parameters of one head.
#[derive(Debug, Clone)]
pub struct HeadParameters {
    /// One table per category of the head's inputs.
    pub embeddings: Embeddings,
    /// `[hidden, inputs + units]`.
    pub hidden: usize,
    /// `[hidden]`.
    pub hidden_bias: usize,
    /// `[symbols, hidden + inputs]`.
    pub output: usize,
    /// `[symbols]`.
    pub output_bias: usize,
}

/// All parameters of a blueprint, in the order of the flat vector that kernels and optimiser work on.
#[derive(Debug, Clone)]
pub struct Layout {
    /// The parameters, one after another without gaps.
    pub parameters: Vec<Parameter>,
    /// Tables of the first layer's inputs.
    pub embeddings: Embeddings,
    /// The LSTM layers.
    pub layers: Vec<LayerParameters>,
    /// The heads.
    pub heads: Vec<HeadParameters>,
}

impl Layout {
    /// Lays out the parameters of `blueprint`.
    pub fn new(blueprint: &Blueprint) -> Layout {
        let mut parameters = Parameters(Vec::new());
        let units = blueprint.units;
        let embeddings = parameters.embeddings("inputs", &blueprint.inputs);
        let layers = (0..blueprint.layers)
            .map(|layer| LayerParameters {
                input: parameters.add(
                    format!("lstm.weight_ih_l{layer}"),
                    4 * units,
                    blueprint.layer_inputs(layer),
                ),
                recurrent: parameters.add(format!("lstm.weight_hh_l{layer}"), 4 * units, units),
                bias: parameters.add(format!("lstm.bias_ih_l{layer}"), 4 * units, 1),
            })
            .collect();
        let heads = blueprint
            .heads
            .iter()
            .map(|head| {
                let (name, width) = (format!("heads.{}", head.name), head.inputs.width());
                HeadParameters {
                    embeddings: parameters.embeddings(&name, &head.inputs),
                    hidden: parameters.add(format!("{name}.hidden.weight"), head.hidden, width + units),
                    hidden_bias: parameters.add(format!("{name}.hidden.bias"), head.hidden, 1),
                    output: parameters.add(
                        format!("{name}.output.weight"),
                        head.symbols,
                        head.hidden + width,
                    ),
                    output_bias: parameters.add(format!("{name}.output.bias"), head.symbols, 1),
                }
            })
            .collect();
        Layout { parameters: parameters.0, embeddings, layers, heads }
    }

    /// Length of the flat vector.
    pub fn len(&self) -> usize {
        self.parameters.last().map_or(0, |last| last.range.end)
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The values of parameter `index` in `flat`.
    pub fn of<'a, T>(&self, flat: &'a [T], index: usize) -> &'a [T] {
        &flat[self.parameters[index].range.clone()]
    }

    /// The values of parameter `index` in `flat`, to change.
    pub fn of_mut<'a>(&self, flat: &'a mut [f32], index: usize) -> &'a mut [f32] {
        &mut flat[self.parameters[index].range.clone()]
    }
}

/// Parameters being laid out.
struct Parameters(Vec<Parameter>);

impl Parameters {
    fn add(&mut self, name: String, rows: usize, columns: usize) -> usize {
        let start = self.0.last().map_or(0, |last| last.range.end);
        self.0.push(Parameter { name, shape: [rows, columns], range: start..start + rows * columns });
        self.0.len() - 1
    }

    fn embeddings(&mut self, block: &str, inputs: &Inputs) -> Embeddings {
        let add = |(i, category): (usize, &Category)| {
            self.add(format!("{block}.embedding.{i}.weight"), category.symbols, category.width)
        };
        inputs.categories.iter().enumerate().map(add).collect()
    }
}
