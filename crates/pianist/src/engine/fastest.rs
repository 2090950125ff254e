//! The faster of two devices, for each size of a batch: a graphics processor takes longer to begin a step than the
//! processor takes for one stream, and many streams hardly longer than one.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::{Batch, DeviceError, Engine};
use crate::alphabet::Alphabet;
use crate::network::Blueprint;
use crate::time::TimeBase;

/// An engine and another one that can be faster, of the same pianist. Both stay ready, so that each size of a batch is
/// timed once.
pub struct Fastest {
    safe: Arc<dyn Engine>,
    other: Arc<dyn Engine>,
    device: String,
    /// Whether the other one is faster, by streams.
    is_other_faster: Mutex<BTreeMap<usize, bool>>,
}

impl Fastest {
    /// The faster of `safe`, which can't fail, and `other`, whose fallback it is.
    pub fn new(safe: Arc<dyn Engine>, other: Arc<dyn Engine>) -> Fastest {
        let device = format!("{} or {}", safe.device(), other.device());
        Fastest { safe, other, device, is_other_faster: Mutex::default() }
    }

    fn choose(&self, streams: usize) -> &Arc<dyn Engine> {
        if self.other.failure().is_some() {
            return &self.safe;
        }
        // Held meanwhile, so that nobody is timed while another is.
        let mut timed = self.is_other_faster.lock().unwrap_or_else(PoisonError::into_inner);
        let is_faster = || match (step_time(&*self.safe, streams), step_time(&*self.other, streams)) {
            (Ok(safe), Ok(other)) => other < safe,
            _ => false,
        };
        if *timed.entry(streams).or_insert_with(is_faster) { &self.other } else { &self.safe }
    }
}

impl Engine for Fastest {
    fn alphabet(&self) -> Alphabet {
        self.safe.alphabet()
    }

    fn time_base(&self) -> TimeBase {
        self.safe.time_base()
    }

    fn blueprint(&self) -> &Blueprint {
        self.safe.blueprint()
    }

    fn device(&self) -> &str {
        &self.device
    }

    fn batch(&self, streams: usize) -> Result<Box<dyn Batch>, DeviceError> {
        self.choose(streams).batch(streams)
    }

    fn fastest_for(&self, streams: usize) -> Option<Arc<dyn Engine>> {
        Some(self.choose(streams).clone())
    }

    /// That of the other one, which may work again when it is opened anew.
    fn failure(&self) -> Option<DeviceError> {
        self.other.failure()
    }

    fn fallback(&self) -> Option<Arc<dyn Engine>> {
        Some(self.safe.clone())
    }
}

/// How long `engine` takes for a step of `streams` streams, all heads included, at its best.
///
/// # Errors
/// If the device fails.
pub fn step_time(engine: &dyn Engine, streams: usize) -> Result<Duration, DeviceError> {
    /// Enough for clocks and caches to get going, and over in a blink.
    const STEPS: usize = 16;
    let mut batch = engine.batch(streams)?;
    let all: Vec<usize> = (0..streams).collect();
    let mut best = Duration::MAX;
    for _ in 0..STEPS {
        let started = Instant::now();
        batch.advance(&all)?;
        for head in 0..engine.blueprint().heads.len() {
            batch.head(head, &all)?;
        }
        best = best.min(started.elapsed());
    }
    Ok(best)
}
