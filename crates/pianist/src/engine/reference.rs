//! The reference network as an engine: plain and slow, what every other engine is tested against.

use std::sync::Arc;

use candle_core::{Device, Result, Tensor};

use super::inputs::BatchInputs;
use super::{Batch, CpuEngine, DeviceError, Engine, Precision};
use crate::alphabet::{Alphabet, InputRow};
use crate::model_file::Pianist;
use crate::network::Blueprint;
use crate::network::reference::{Reference, State};
use crate::time::TimeBase;

/// A pianist's network in candle.
pub struct ReferenceEngine {
    network: Arc<Reference>,
    fallback: Arc<CpuEngine>,
}

impl ReferenceEngine {
    /// The network of `pianist` on `device`.
    ///
    /// # Errors
    /// If the device has no room for it.
    pub fn new(pianist: Pianist, device: &Device) -> std::result::Result<ReferenceEngine, DeviceError> {
        let load = || {
            let network = Reference::new(&pianist.blueprint, device)?;
            network.load(&pianist.weights())?;
            Ok(network)
        };
        let network = Arc::new(load().map_err(failed)?);
        let fallback = Arc::new(CpuEngine::new(pianist, Precision::F32));
        Ok(ReferenceEngine { network, fallback })
    }
}

impl Engine for ReferenceEngine {
    fn alphabet(&self) -> Alphabet {
        self.fallback.alphabet()
    }

    fn time_base(&self) -> TimeBase {
        self.fallback.time_base()
    }

    fn blueprint(&self) -> &Blueprint {
        self.fallback.blueprint()
    }

    fn device(&self) -> &str {
        NAME
    }

    fn batch(&self, streams: usize) -> std::result::Result<Box<dyn Batch>, DeviceError> {
        let silence = || self.network.silence(1);
        Ok(Box::new(ReferenceBatch {
            network: self.network.clone(),
            inputs: BatchInputs::new(self.blueprint(), streams),
            states: (0..streams).map(|_| silence()).collect::<Result<_>>().map_err(failed)?,
            outputs: vec![None; streams],
            logits: Vec::new(),
        }))
    }

    fn fallback(&self) -> Option<Arc<dyn Engine>> {
        Some(self.fallback.clone())
    }
}

const NAME: &str = "candle";

fn failed(error: candle_core::Error) -> DeviceError {
    DeviceError { device: NAME.to_owned(), reason: error.to_string() }
}

/// Streams that are computed one by one.
struct ReferenceBatch {
    network: Arc<Reference>,
    inputs: BatchInputs,
    states: Vec<State>,
    /// What the last layer put out for each stream, `[1, units]`.
    outputs: Vec<Option<Tensor>>,
    /// Of the head that ran last, row by row.
    logits: Vec<Vec<f32>>,
}

impl ReferenceBatch {
    fn hear(&mut self, row: usize, stream: usize) -> Result<()> {
        let (output, state) = self.network.listen(self.inputs.trunk.one(row), &self.states[stream], 0.0)?;
        self.states[stream] = state;
        self.outputs[stream] = Some(output);
        Ok(())
    }

    fn choose(&self, head: usize, row: usize, stream: usize) -> Result<Vec<f32>> {
        let output = self.outputs[stream].as_ref().expect("a stream hears before it chooses");
        let logits = self.network.logits(head, output, self.inputs.heads[head].one(row))?;
        logits.flatten_all()?.to_vec1()
    }
}

impl Batch for ReferenceBatch {
    fn input_row(&mut self, row: usize) -> InputRow<'_> {
        self.inputs.trunk.row(row)
    }

    fn head_row(&mut self, head: usize, row: usize) -> InputRow<'_> {
        self.inputs.heads[head].row(row)
    }

    fn advance(&mut self, streams: &[usize]) -> std::result::Result<(), DeviceError> {
        streams.iter().enumerate().try_for_each(|(row, &stream)| self.hear(row, stream)).map_err(failed)
    }

    fn head(&mut self, head: usize, streams: &[usize]) -> std::result::Result<(), DeviceError> {
        let choose = |(row, &stream): (usize, &usize)| self.choose(head, row, stream);
        self.logits = streams.iter().enumerate().map(choose).collect::<Result<_>>().map_err(failed)?;
        Ok(())
    }

    fn logits(&self, row: usize) -> &[f32] {
        &self.logits[row]
    }
}
