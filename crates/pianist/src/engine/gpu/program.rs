//! The compute shaders, and the matrices that they read.

use half::f16;
use wgpu::{
    BindGroup, BindGroupDescriptor, BindGroupEntry, Buffer, BufferUsages, ComputePipeline,
    ComputePipelineDescriptor, PipelineCompilationOptions, include_wgsl,
};

use super::connection::Connection;
use crate::engine::DeviceError;

/// Outputs of a matrix that lie side by side.
pub(super) const GROUP: usize = 4;

/// Most storage buffers that a shader binds.
pub(super) const STORAGE_BUFFERS: u32 = 5;

/// Threads of a workgroup, as in the shader.
pub(super) const THREADS: usize = 64;

/// Bytes that a workgroup shares, `partial` in the shader.
pub(super) const SHARED_BYTES: usize = THREADS * TILE * GROUP * size_of::<f32>();

/// Rows that one workgroup multiplies, `TILE` in the shader.
const TILE: usize = 4;

/// Bytes of the weights of a group of outputs.
pub(super) const fn group_bytes(columns: usize) -> usize {
    columns * GROUP * size_of::<f16>()
}

/// The shaders, see `step.wgsl`.
pub(super) struct Program {
    pub(super) multiply: ComputePipeline,
    pub(super) update: ComputePipeline,
}

impl Program {
    pub(super) fn new(connection: &Connection) -> Result<Program, DeviceError> {
        let module = connection.device.create_shader_module(include_wgsl!("step.wgsl"));
        let pipeline = |entry_point| {
            connection.device.create_compute_pipeline(&ComputePipelineDescriptor {
                label: None,
                layout: None,
                module: &module,
                entry_point: Some(entry_point),
                compilation_options: PipelineCompilationOptions::default(),
                cache: None,
            })
        };
        let program = Program { multiply: pipeline("multiply"), update: pipeline("update") };
        connection.check()?;
        Ok(program)
    }

    /// Binds `buffers` to their numbers in `step.wgsl`.
    pub(super) fn bind(
        connection: &Connection,
        pipeline: &ComputePipeline,
        buffers: &[(u32, &Buffer)],
    ) -> BindGroup {
        let entries: Vec<BindGroupEntry> = (buffers.iter())
            .map(|(binding, buffer)| BindGroupEntry {
                binding: *binding,
                resource: buffer.as_entire_binding(),
            })
            .collect();
        connection.device.create_bind_group(&BindGroupDescriptor {
            label: None,
            layout: &pipeline.get_bind_group_layout(0),
            entries: &entries,
        })
    }
}

/// A matrix on the device: `[4 groups, below + past]`, f16.
pub(super) struct Matrix {
    pub(super) groups: usize,
    /// `Shape` in the shader.
    pub(super) shape: Buffer,
    pub(super) weights: Buffer,
    pub(super) bias: Buffer,
}

/// A matrix on its way to the device.
pub(super) struct MatrixBuilder {
    groups: usize,
    below: usize,
    past: usize,
    residual: bool,
    /// Two f16 each.
    words: Vec<u32>,
    /// Whether all weights are finite as f16.
    fits: bool,
}

impl Matrix {
    /// A matrix that multiplies `below` inputs and `past` states; `residual` layers add the former to what they put out.
    pub(super) fn builder(groups: usize, below: usize, past: usize, residual: bool) -> MatrixBuilder {
        MatrixBuilder { groups, below, past, residual, words: Vec::new(), fits: true }
    }

    /// Workgroups of `multiply`.
    pub(super) fn multiply_workgroups(&self, rows: usize) -> [u32; 2] {
        [self.groups as u32, rows.div_ceil(TILE) as u32]
    }

    /// Workgroups of `update`.
    pub(super) fn update_workgroups(&self, rows: usize) -> [u32; 2] {
        [self.groups.div_ceil(THREADS) as u32, rows as u32]
    }
}

impl MatrixBuilder {
    /// Packs the weights: `weight(group, output within it, column)`.
    pub(super) fn pack(mut self, weight: impl Fn(usize, usize, usize) -> f32) -> MatrixBuilder {
        let columns = self.below + self.past;
        self.words.reserve_exact(self.groups * columns * GROUP / 2);
        for group in 0..self.groups {
            for column in 0..columns {
                let [a, b, c, d] = [0, 1, 2, 3].map(|i| f16::from_f32(weight(group, i, column)));
                self.fits &= [a, b, c, d].iter().all(|weight| weight.is_finite());
                let pair = |low: f16, high: f16| u32::from(low.to_bits()) | u32::from(high.to_bits()) << 16;
                self.words.extend([pair(a, b), pair(c, d)]);
            }
        }
        self
    }

    /// Sends it to the device, with `bias(group, output within it)`.
    ///
    /// # Errors
    /// If there is no room for it, or a weight is too large for f16.
    pub(super) fn upload(
        self,
        connection: &Connection,
        bias: impl Fn(usize, usize) -> f32,
    ) -> Result<Matrix, DeviceError> {
        if !self.fits {
            return Err(connection.error("the pianist's weights are too large for f16; use `cpu`"));
        }
        let outputs = (0..self.groups).flat_map(|group| (0..GROUP).map(move |i| (group, i)));
        let bias: Vec<u32> = outputs.map(|(group, i)| bias(group, i).to_bits()).collect();
        let shape = [self.groups as u32, self.below as u32, self.past as u32, u32::from(self.residual)];
        Ok(Matrix {
            groups: self.groups,
            shape: connection.upload(&shape, BufferUsages::UNIFORM)?,
            weights: connection.upload(&self.words, BufferUsages::STORAGE)?,
            bias: connection.upload(&bias, BufferUsages::STORAGE)?,
        })
    }
}
