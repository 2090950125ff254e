//! Some streams on a graphics processor.

use std::sync::Arc;

use wgpu::{
    BindGroup, Buffer, BufferUsages, CommandEncoderDescriptor, ComputePass, ComputePassDescriptor,
    ComputePipeline,
};

use super::Weights;
use super::program::{GROUP, Matrix, Program};
use crate::alphabet::InputRow;
use crate::composer::MAX_TAKES;
use crate::engine::cpu::heads::{Heads, HeadsState};
use crate::engine::inputs::BatchInputs;
use crate::engine::{Batch, DeviceError};

/// Most streams of a batch: what `Rows` in the shader has room for.
pub(super) const MAX_STREAMS: usize = 64;

// As many takes as a composer begins must fit.
const _: () = assert!(MAX_STREAMS >= MAX_TAKES);

pub(super) struct GpuBatch {
    weights: Arc<Weights>,
    inputs: BatchInputs,
    heads: Arc<Heads>,
    heads_state: HeadsState,
    /// `[streams, hidden units of all heads]`: what they add up of the last layer's outputs.
    projections: Vec<f32>,
    /// The same by rows of the last step, padded to whole groups.
    results: Vec<f32>,
    /// `[rows, inputs]`: what the first layer reads.
    embedded: Vec<f32>,
    memory: Memory,
}

/// Buffers on the device.
struct Memory {
    /// `Rows` in the shader.
    rows: Buffer,
    /// `[rows, inputs]`
    embedded: Buffer,
    layers: Vec<LayerBindings>,
    projection: BindGroup,
    /// `[rows, groups of the projection]`
    projected: Buffer,
    /// The same, where the processor can read it.
    read_back: Buffer,
}

/// What the two shaders of a layer work on.
struct LayerBindings {
    multiply: BindGroup,
    update: BindGroup,
}

impl GpuBatch {
    pub(super) fn new(
        weights: Arc<Weights>,
        heads: Arc<Heads>,
        streams: usize,
    ) -> Result<GpuBatch, DeviceError> {
        if streams > MAX_STREAMS {
            let reason = format!("{streams} streams at once are too many, {MAX_STREAMS} are the most");
            return Err(weights.connection.error(reason));
        }
        let memory = Memory::new(&weights, streams)?;
        let blueprint = &weights.blueprint;
        let hidden: usize = blueprint.heads.iter().map(|head| head.hidden).sum();
        Ok(GpuBatch {
            inputs: BatchInputs::new(blueprint, streams),
            heads,
            heads_state: HeadsState::default(),
            projections: vec![0.0; streams * hidden],
            results: Vec::new(),
            embedded: Vec::new(),
            memory,
            weights,
        })
    }

    /// Looks up what the first layer reads in each of `rows` rows.
    fn embed(&mut self, rows: usize) {
        self.embedded.clear();
        for row in 0..rows {
            for (table, &symbol) in self.weights.embeddings.iter().zip(self.inputs.trunk.categories(row)) {
                let vector = &table.values[usize::from(symbol) * table.width..][..table.width];
                self.embedded.extend_from_slice(vector);
            }
            self.embedded.extend_from_slice(self.inputs.trunk.dense(row));
        }
    }
}

impl Batch for GpuBatch {
    fn input_row(&mut self, row: usize) -> InputRow<'_> {
        self.inputs.trunk.row(row)
    }

    fn head_row(&mut self, head: usize, row: usize) -> InputRow<'_> {
        self.inputs.heads[head].row(row)
    }

    fn advance(&mut self, streams: &[usize]) -> Result<(), DeviceError> {
        let width = self.weights.blueprint.heads.iter().map(|head| head.hidden).sum::<usize>();
        if streams.is_empty() {
            return Ok(());
        }
        let all = self.projections.len() / width;
        assert!(
            streams.len() <= all && streams.iter().all(|stream| *stream < all),
            "a stream is out of range"
        );
        self.embed(streams.len());
        let padded = self.weights.projection.groups * GROUP;
        self.results.resize(streams.len() * padded, 0.0);
        self.memory.step(&self.weights, streams, &self.embedded, &mut self.results)?;
        for (row, &stream) in self.results.chunks_exact(padded).zip(streams) {
            self.projections[stream * width..][..width].copy_from_slice(&row[..width]);
        }
        Ok(())
    }

    fn head(&mut self, head: usize, streams: &[usize]) -> Result<(), DeviceError> {
        if streams.is_empty() {
            return Ok(());
        }
        let heads = &self.weights.blueprint.heads;
        let width = heads.iter().map(|head| head.hidden).sum::<usize>();
        let before = heads[..head].iter().map(|head| head.hidden).sum::<usize>();
        let own = heads[head].hidden;
        let (projections, inputs) = (&self.projections, &self.inputs.heads[head]);
        self.heads.choose_after(&mut self.heads_state, head, inputs, streams.len(), |hidden| {
            let padded = hidden.len() / streams.len();
            for (hidden, &stream) in hidden.chunks_exact_mut(padded).zip(streams) {
                let projection = &projections[stream * width + before..][..own];
                hidden.iter_mut().zip(projection).for_each(|(sum, x)| *sum += x);
            }
        });
        Ok(())
    }

    fn logits(&self, row: usize) -> &[f32] {
        self.heads_state.logits(row)
    }
}

impl Memory {
    fn new(weights: &Weights, streams: usize) -> Result<Memory, DeviceError> {
        let Weights { connection, program, blueprint, layers, projection, .. } = weights;
        let units = blueprint.units;
        let storage = |values: usize| connection.room(values, BufferUsages::STORAGE | BufferUsages::COPY_SRC);
        let rows = connection.room(GROUP + MAX_STREAMS, BufferUsages::UNIFORM)?;
        let embedded = storage(streams * blueprint.inputs.width())?;
        let gates = storage(streams * 4 * units)?;
        let outputs = storage(streams * units)?;
        // The projection has no past; a buffer has to be bound all the same.
        let no_past = storage(0)?;
        let multiply = |matrix: &Matrix, below: &Buffer, past: &Buffer, sums: &Buffer| {
            let Matrix { shape, weights, bias, .. } = matrix;
            let buffers = [(0, &rows), (1, shape), (2, weights), (3, bias), (4, below), (5, past), (6, sums)];
            Program::bind(connection, &program.multiply, &buffers)
        };
        let bind_layer = |(index, matrix): (usize, &Matrix)| {
            let (cells, hidden) = (storage(streams * units)?, storage(streams * units)?);
            let below = if index == 0 { &embedded } else { &outputs };
            let update =
                [(0, &rows), (1, &matrix.shape), (6, &gates), (7, &cells), (8, &hidden), (9, &outputs)];
            Ok(LayerBindings {
                multiply: multiply(matrix, below, &hidden, &gates),
                update: Program::bind(connection, &program.update, &update),
            })
        };
        let layers = layers.iter().enumerate().map(bind_layer).collect::<Result<_, DeviceError>>()?;
        let projected = storage(streams * projection.groups * GROUP)?;
        let projection_bound = multiply(projection, &outputs, &no_past, &projected);
        let read_back = connection.room(streams * projection.groups * GROUP, BufferUsages::MAP_READ)?;
        connection.check()?;
        Ok(Memory { rows, embedded, layers, projection: projection_bound, projected, read_back })
    }

    /// Lets `streams` hear what `embedded` has for them; `results` gets the projection of what the layers put out.
    fn step(
        &self,
        weights: &Weights,
        streams: &[usize],
        embedded: &[f32],
        results: &mut [f32],
    ) -> Result<(), DeviceError> {
        let Weights { connection, program, layers, projection, .. } = weights;
        let mut rows = [0; GROUP + MAX_STREAMS];
        rows[0] = streams.len() as u32;
        rows[GROUP..].iter_mut().zip(streams).for_each(|(row, &stream)| *row = stream as u32);
        connection.queue.write_buffer(&self.rows, 0, bytemuck::cast_slice(&rows));
        connection.queue.write_buffer(&self.embedded, 0, bytemuck::cast_slice(embedded));

        let mut encoder = connection.device.create_command_encoder(&CommandEncoderDescriptor::default());
        let mut pass = encoder.begin_compute_pass(&ComputePassDescriptor::default());
        for (matrix, bound) in layers.iter().zip(&self.layers) {
            dispatch(
                &mut pass,
                &program.multiply,
                &bound.multiply,
                matrix.multiply_workgroups(streams.len()),
            );
            dispatch(&mut pass, &program.update, &bound.update, matrix.update_workgroups(streams.len()));
        }
        let workgroups = projection.multiply_workgroups(streams.len());
        dispatch(&mut pass, &program.multiply, &self.projection, workgroups);
        drop(pass);
        let bytes = size_of_val(results) as u64;
        encoder.copy_buffer_to_buffer(&self.projected, 0, &self.read_back, 0, bytes);
        connection.run(encoder.finish(), &self.read_back, results)
    }
}

fn dispatch(pass: &mut ComputePass, pipeline: &ComputePipeline, bindings: &BindGroup, [x, y]: [u32; 2]) {
    pass.set_pipeline(pipeline);
    pass.set_bind_group(0, bindings, &[]);
    pass.dispatch_workgroups(x, y, 1);
}
