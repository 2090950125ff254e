//! A network's parameters, and its weight matrices packed for both directions of training.

use std::ops::Range;

use etude_pianist::kernel::{Kernel, Panels, Rows};
use etude_pianist::network::{Blueprint, Layout};
use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64Mcg;
use rayon::prelude::*;

use crate::tables::Table;

/// Columns of a weight matrix `[outputs, inputs]`, packed for the forward and the backward product.
pub(crate) struct Linear {
    parameter: usize,
    shape: [usize; 2],
    /// Which inputs.
    pub(crate) columns: Range<usize>,
    /// `[columns, outputs]`.
    pub(crate) forward: Panels,
    /// `[outputs, columns]`.
    pub(crate) backward: Panels,
}

pub(crate) struct LayerWeights {
    /// In the first layer, the columns of the dense inputs alone.
    pub(crate) input: Linear,
    pub(crate) recurrent: Linear,
}

pub(crate) struct HeadWeights {
    pub(crate) hidden: Linear,
    pub(crate) output: Linear,
}

/// Parameters in one flat vector, and the packed copies that the products read.
pub struct Network {
    /// What the parameters are.
    pub layout: Layout,
    parameters: Vec<f32>,
    /// The embedded inputs of the first layer.
    pub(crate) tables: Vec<Table>,
    pub(crate) layers: Vec<LayerWeights>,
    pub(crate) heads: Vec<HeadWeights>,
}

impl Network {
    /// A network with the given parameters, in the order of `Layout::new(blueprint)`.
    ///
    /// # Panics
    /// If there are not as many parameters as the blueprint has, or this machine can't run `kernel`.
    pub fn new(blueprint: &Blueprint, parameters: Vec<f32>, kernel: Kernel) -> Network {
        let layout = Layout::new(blueprint);
        assert_eq!(parameters.len(), layout.len(), "wrong number of parameters");
        let linear = |parameter: usize| {
            let [_, inputs] = layout.parameters[parameter].shape;
            Linear::new(&layout, parameter, 0..inputs, kernel)
        };
        let mut layers: Vec<LayerWeights> = layout
            .layers
            .iter()
            .map(|layer| LayerWeights { input: linear(layer.input), recurrent: linear(layer.recurrent) })
            .collect();
        let inputs = &blueprint.inputs;
        let dense = inputs.width() - inputs.dense..inputs.width();
        layers[0].input = Linear::new(&layout, layout.layers[0].input, dense, kernel);
        let tables = Table::all(&inputs.categories, &layout, kernel);
        let heads = layout
            .heads
            .iter()
            .map(|head| HeadWeights { hidden: linear(head.hidden), output: linear(head.output) })
            .collect();
        let mut network = Network { layout, parameters, tables, layers, heads };
        network.pack();
        network
    }

    /// All parameters, in the order of the layout.
    pub fn parameters(&self) -> &[f32] {
        &self.parameters
    }

    /// Changes the parameters and packs them again.
    pub fn update<R>(&mut self, change: impl FnOnce(&mut [f32]) -> R) -> R {
        let result = change(&mut self.parameters);
        self.pack();
        result
    }

    /// The values of one parameter.
    pub(crate) fn parameter(&self, index: usize) -> &[f32] {
        self.layout.of(&self.parameters, index)
    }

    fn pack(&mut self) {
        let layers = self.layers.iter_mut().flat_map(|layer| [&mut layer.input, &mut layer.recurrent]);
        let heads = self.heads.iter_mut().flat_map(|head| [&mut head.hidden, &mut head.output]);
        let tables = self.tables.iter_mut().map(|table| &mut table.weights);
        let linears: Vec<&mut Linear> = layers.chain(heads).chain(tables).collect();
        let (layout, parameters) = (&self.layout, &self.parameters);
        linears.into_par_iter().for_each(|linear| linear.pack(layout.of(parameters, linear.parameter)));
        self.tables.par_iter_mut().for_each(|table| table.fill(layout, parameters));
    }
}

impl Linear {
    /// `columns` of a parameter of the layout, to be packed.
    pub(crate) fn new(layout: &Layout, parameter: usize, columns: Range<usize>, kernel: Kernel) -> Linear {
        let shape = layout.parameters[parameter].shape;
        Linear { parameter, shape, columns, forward: Panels::new(kernel), backward: Panels::new(kernel) }
    }

    fn pack(&mut self, weights: &[f32]) {
        let [outputs, stride] = self.shape;
        let rows = Rows { data: &weights[self.columns.start..], stride, width: self.columns.len() };
        self.forward.pack_transposed(rows, outputs);
        self.backward.pack(rows, outputs);
    }
}

/// Random parameters to start from: PyTorch's uniform range for the LSTM with open forget gates, the same range by
/// fan-in for the heads, embeddings of variance 1/4.
pub fn initial_parameters(blueprint: &Blueprint, seed: u64) -> Vec<f32> {
    let layout = Layout::new(blueprint);
    let mut random = Pcg64Mcg::seed_from_u64(seed);
    let mut flat = vec![0.0; layout.len()];
    for (index, parameter) in layout.parameters.iter().enumerate() {
        let [_, columns] = parameter.shape;
        let range = match parameter {
            bias if bias.is_bias() => 0.0,
            table if table.name.contains("embedding") => 0.75f32.sqrt(),
            lstm if lstm.name.starts_with("lstm") => 1.0 / (blueprint.units as f32).sqrt(),
            _ => 1.0 / (columns as f32).sqrt(),
        };
        layout
            .of_mut(&mut flat, index)
            .iter_mut()
            .for_each(|x| *x = range * (2.0 * random.random::<f32>() - 1.0));
    }
    for layer in &layout.layers {
        let units = blueprint.units;
        layout.of_mut(&mut flat, layer.bias)[units..2 * units].fill(1.0);
    }
    flat
}
