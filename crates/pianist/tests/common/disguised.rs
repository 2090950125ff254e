//! The processor in the guise of another device, which can be slow or fail.

use std::sync::Arc;

use etude_pianist::alphabet::{Alphabet, InputRow};
use etude_pianist::engine::{Batch, CpuEngine, DeviceError, Engine};
use etude_pianist::network::Blueprint;
use etude_pianist::time::TimeBase;

/// What a device is asked to do.
#[derive(Clone, Copy, PartialEq)]
pub enum Call {
    /// To begin a batch.
    Begin,
    /// To let streams hear something.
    Advance,
    /// To let a head choose for streams.
    Head,
}

/// What a device does with a call, given its number of streams, before the processor computes.
type Act = dyn Fn(Call, usize) -> Result<(), DeviceError> + Send + Sync;

/// An engine whose device acts before it computes.
pub struct Disguised {
    device: &'static str,
    engine: CpuEngine,
    fallback: Option<Arc<CpuEngine>>,
    act: Arc<Act>,
}

impl Disguised {
    /// A device of that name, which computes as `engine`.
    pub fn new(
        device: &'static str,
        engine: CpuEngine,
        fallback: Option<CpuEngine>,
        act: impl Fn(Call, usize) -> Result<(), DeviceError> + Send + Sync + 'static,
    ) -> Disguised {
        Disguised { device, engine, fallback: fallback.map(Arc::new), act: Arc::new(act) }
    }
}

struct DisguisedBatch {
    batch: Box<dyn Batch>,
    act: Arc<Act>,
}

impl Engine for Disguised {
    fn alphabet(&self) -> Alphabet {
        self.engine.alphabet()
    }

    fn time_base(&self) -> TimeBase {
        self.engine.time_base()
    }

    fn blueprint(&self) -> &Blueprint {
        self.engine.blueprint()
    }

    fn device(&self) -> &str {
        self.device
    }

    fn batch(&self, streams: usize) -> Result<Box<dyn Batch>, DeviceError> {
        (self.act)(Call::Begin, streams)?;
        Ok(Box::new(DisguisedBatch { batch: self.engine.batch(streams)?, act: self.act.clone() }))
    }

    fn fallback(&self) -> Option<Arc<dyn Engine>> {
        self.fallback.clone().map(|fallback| fallback as Arc<dyn Engine>)
    }
}

impl Batch for DisguisedBatch {
    fn input_row(&mut self, row: usize) -> InputRow<'_> {
        self.batch.input_row(row)
    }

    fn head_row(&mut self, head: usize, row: usize) -> InputRow<'_> {
        self.batch.head_row(head, row)
    }

    fn advance(&mut self, streams: &[usize]) -> Result<(), DeviceError> {
        (self.act)(Call::Advance, streams.len())?;
        self.batch.advance(streams)
    }

    fn head(&mut self, head: usize, streams: &[usize]) -> Result<(), DeviceError> {
        (self.act)(Call::Head, streams.len())?;
        self.batch.head(head, streams)
    }

    fn logits(&self, row: usize) -> &[f32] {
        self.batch.logits(row)
    }
}
