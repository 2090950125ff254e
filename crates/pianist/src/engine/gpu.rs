//! The engine on a graphics processor: Vulkan, Metal or DirectX 12, whichever is there at run time.
//!
//! The device keeps the weights of the LSTM layers, as f16, and the states of all streams. A step is one submission and
//! one read-back: the inputs go there, what the heads' hidden layers add up of the layers' outputs comes back, and the
//! processor does the rest of the heads, which choose one after another. Results differ from the processor's in the
//! last bits, so that a take can take another turn; on one device it is always the same.

mod adapter;
mod batch;
mod connection;
#[cfg(test)]
mod faults;
mod opening;
mod program;

pub use opening::adapters;

use std::sync::Arc;

use wgpu::{Adapter, Limits};

use super::{Batch, CpuEngine, DeviceError, Engine, Precision};
use crate::alphabet::Alphabet;
use crate::model_file::Pianist;
use crate::network::Blueprint;
use crate::time::TimeBase;
use batch::{GpuBatch, MAX_STREAMS};
use connection::Connection;
use opening::{Opened, first, patiently};
use program::{GROUP, Matrix, Program};

/// A pianist's weights on a graphics processor.
pub struct GpuEngine {
    weights: Arc<Weights>,
    fallback: Arc<CpuEngine>,
}

/// What all batches read.
struct Weights {
    device: String,
    connection: Connection,
    program: Program,
    blueprint: Blueprint,
    /// Of the first layer's inputs.
    embeddings: Vec<Table>,
    layers: Vec<Matrix>,
    /// From the last layer's outputs to the hidden layers of all heads, one after another, without their biases.
    projection: Matrix,
}

/// An embedding: a vector of `width` values for each symbol.
struct Table {
    values: Vec<f32>,
    width: usize,
}

impl GpuEngine {
    /// Loads `pianist` onto the adapter that `wish` names (its place among [`adapters`] or a part of its name), or the
    /// best that can take it. `precision` is that of the processor, which does the small part of each head and is the
    /// fallback.
    ///
    /// # Errors
    /// If there is no such adapter, its driver doesn't answer, or it has no room for the pianist.
    pub fn new(pianist: Pianist, wish: Option<&str>, precision: Precision) -> Result<GpuEngine, DeviceError> {
        let wish = wish.map(str::to_owned);
        let device = wish.as_ref().map_or_else(|| "gpu".to_owned(), |wish| format!("gpu:{wish}"));
        let (weights, pianist) = Weights::load(&device, move || adapter::choose(wish.as_deref()), pianist);
        Ok(GpuEngine { weights: Arc::new(weights?), fallback: Arc::new(CpuEngine::new(pianist, precision)) })
    }

    /// The processor's engine, and one on the best adapter that computes by itself if there is one that can.
    pub(super) fn beside_cpu(pianist: Pianist, precision: Precision) -> (Arc<CpuEngine>, Option<GpuEngine>) {
        let (weights, pianist) = Weights::load("gpu", || Ok(adapter::hardware()), pianist);
        let cpu = Arc::new(CpuEngine::new(pianist, precision));
        let weights = weights.ok().map(Arc::new);
        (cpu.clone(), weights.map(|weights| GpuEngine { weights, fallback: cpu }))
    }
}

impl Engine for GpuEngine {
    fn alphabet(&self) -> Alphabet {
        self.fallback.alphabet()
    }

    fn time_base(&self) -> TimeBase {
        self.fallback.time_base()
    }

    fn blueprint(&self) -> &Blueprint {
        &self.weights.blueprint
    }

    fn device(&self) -> &str {
        &self.weights.device
    }

    fn batch(&self, streams: usize) -> Result<Box<dyn Batch>, DeviceError> {
        Ok(Box::new(GpuBatch::new(self.weights.clone(), self.fallback.heads(), streams)?))
    }

    fn failure(&self) -> Option<DeviceError> {
        self.weights.connection.check().err()
    }

    fn fallback(&self) -> Option<Arc<dyn Engine>> {
        Some(self.fallback.clone())
    }
}

impl Weights {
    /// Loads `pianist` onto the first adapter found that can take it, and gives the pianist back.
    fn load(
        device: &str,
        find: impl FnOnce() -> Result<Vec<Adapter>, DeviceError> + Send + 'static,
        pianist: Pianist,
    ) -> (Result<Weights, DeviceError>, Pianist) {
        let pianist = Arc::new(pianist);
        let shared = pianist.clone();
        let load = move || {
            let limits = limits(&shared.blueprint);
            let on = |adapter: &Adapter| Weights::upload(Opened::new(adapter, limits.clone())?, &shared);
            first(find()?, on)
        };
        let weights = patiently(device, load).flatten();
        // Copied only where a driver that hangs still holds it.
        (weights, Arc::unwrap_or_clone(pianist))
    }

    fn upload(opened: Opened, pianist: &Pianist) -> Result<Weights, DeviceError> {
        let Pianist { blueprint, layout, .. } = pianist;
        let Opened { device, connection, program } = opened;
        let units = blueprint.units;
        let mut layers = Vec::new();
        for (index, layer) in layout.layers.iter().enumerate() {
            let width = blueprint.layer_inputs(index);
            let (below, past) = (pianist.values(layer.input), pianist.values(layer.recurrent));
            let matrix = Matrix::builder(units, width, units, index > 0).pack(|unit, gate, column| {
                let row = gate * units + unit;
                if column < width { below[row * width + column] } else { past[row * units + column - width] }
            });
            let bias = pianist.values(layer.bias);
            layers.push(matrix.upload(&connection, |unit, gate| bias[gate * units + unit])?);
        }
        let hidden: Vec<(usize, Vec<f32>)> = (layout.heads.iter().zip(&blueprint.heads))
            .map(|(parameters, head)| (head.inputs.width(), pianist.values(parameters.hidden)))
            .collect();
        let rows: Vec<&[f32]> = hidden
            .iter()
            .flat_map(|(width, values)| values.chunks_exact(width + units).map(move |row| &row[*width..]))
            .collect();
        let weight = |group: usize, i: usize, column: usize| {
            rows.get(group * GROUP + i).map_or(0.0, |row| row[column])
        };
        let projection = Matrix::builder(rows.len().div_ceil(GROUP), units, 0, false).pack(weight);
        let embeddings = layout
            .embeddings
            .iter()
            .map(|&index| Table { values: pianist.values(index), width: layout.parameters[index].shape[1] });
        let weights = Weights {
            device,
            program,
            blueprint: blueprint.clone(),
            embeddings: embeddings.collect(),
            layers,
            projection: projection.upload(&connection, |_, _| 0.0)?,
            connection,
        };
        weights.connection.settle()?;
        Ok(weights)
    }
}

/// What a device must be able to do for a network: what it needs, not what is usual.
fn limits(blueprint: &Blueprint) -> Limits {
    let units = blueprint.units;
    let hidden: usize = blueprint.heads.iter().map(|head| head.hidden).sum();
    let columns = (0..blueprint.layers).map(|layer| blueprint.layer_inputs(layer) + units).max().unwrap_or(0);
    let groups = units.max(hidden.div_ceil(GROUP));
    let weights = program::group_bytes(columns) * units;
    let projection = program::group_bytes(units) * hidden.div_ceil(GROUP);
    let values = size_of::<f32>() * MAX_STREAMS * (GROUP * groups).max(blueprint.inputs.width());
    let largest = weights.max(projection).max(values) as u64;
    Limits {
        max_storage_buffers_per_shader_stage: program::STORAGE_BUFFERS,
        max_storage_buffer_binding_size: largest,
        max_buffer_size: largest,
        max_compute_workgroups_per_dimension: groups.max(MAX_STREAMS) as u32,
        max_compute_workgroup_size_x: program::THREADS as u32,
        max_compute_invocations_per_workgroup: program::THREADS as u32,
        max_compute_workgroup_storage_size: program::SHARED_BYTES as u32,
        ..Limits::downlevel_defaults()
    }
}
