//! Engines, each once in the process, however many instances of the plugin play it.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant, SystemTime};

use etude_pianist::engine::{Device, DeviceError, Engine, Precision};
use etude_pianist::model_file::PianistFileError;
use thiserror::Error;

use super::{Source, read};

/// How long a device that failed or could not be had is left alone: trying it again can take seconds.
const PAUSE: Duration = Duration::from_secs(60);

static CACHE: Mutex<Vec<Cached>> = Mutex::new(Vec::new());

/// Held while an engine is made on the processor, and on any other device.
static PROCESSOR: Mutex<()> = Mutex::new(());
static OTHERS: Mutex<()> = Mutex::new(());

/// How often [`try_again`] was called.
static TRIES: AtomicU64 = AtomicU64::new(0);

/// Why a pianist can't play.
#[derive(Debug, Error)]
pub enum EngineError {
    /// Its file can't be read, or is no pianist.
    #[error(transparent)]
    File(#[from] PianistFileError),
    /// There is no such device, or it has no room for the pianist.
    #[error(transparent)]
    Device(#[from] DeviceError),
}

/// The pianist of `source` on a device: the one that others use, or one that is read now. A device that failed or that
/// can't be had is tried once a minute at most.
///
/// # Errors
/// If there is no such pianist, or no such device.
pub fn engine(source: &Source, device: &Device) -> Result<Arc<dyn Engine>, EngineError> {
    let make = Make::new(source, device);
    // So that instances that start together read the file once. Who composes on the processor never waits for drivers.
    let making = if *device == Device::Cpu { &PROCESSOR } else { &OTHERS };
    let _making = making.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(engine) = cached(&make) {
        return Ok(engine?);
    }
    let engine = device.engine(read(source)?, Precision::default());
    cache().push(Cached::new(make, engine.as_ref().map(Arc::downgrade).map_err(DeviceError::clone)));
    Ok(engine?)
}

/// Lets devices that failed be tried again at once: somebody chose a device, so it may have been mended.
pub fn try_again() {
    TRIES.fetch_add(1, Relaxed);
}

/// Gives `engine` to everybody who asks for the pianist of `source` on that device from now on, while somebody holds it.
pub fn share(source: &Source, device: &Device, engine: &Arc<dyn Engine>) {
    let make = Make::new(source, device);
    let mut cache = cache();
    cache.retain(|cached| cached.make != make);
    cache.push(Cached::new(make, Ok(Arc::downgrade(engine))));
}

/// What an engine was made of; a file that was written anew since is another pianist.
#[derive(PartialEq)]
struct Make {
    source: Source,
    modified: Option<SystemTime>,
    device: Device,
}

impl Make {
    fn new(source: &Source, device: &Device) -> Make {
        let modified = match source {
            Source::Embedded => None,
            Source::File(path) => path.metadata().and_then(|metadata| metadata.modified()).ok(),
        };
        Make { source: source.clone(), modified, device: device.clone() }
    }
}

/// A pianist that may be in use, or could not be had lately.
struct Cached {
    make: Make,
    engine: Result<Weak<dyn Engine>, DeviceError>,
    /// When it was made, or should have been.
    tried: Instant,
    /// What [`TRIES`] was then.
    tries: u64,
}

impl Cached {
    fn new(make: Make, engine: Result<Weak<dyn Engine>, DeviceError>) -> Cached {
        Cached { make, engine, tried: Instant::now(), tries: TRIES.load(Relaxed) }
    }

    /// The engine, or why there is none. `None` if it has to be made: nobody uses it, or it is time to try again.
    fn get(&self) -> Option<Result<Arc<dyn Engine>, DeviceError>> {
        let engine = match &self.engine {
            Ok(engine) => Ok(engine.upgrade()?),
            Err(error) => Err(error.clone()),
        };
        let is_failed = engine.as_ref().map_or(true, |engine| engine.failure().is_some());
        let is_paused = self.tried.elapsed() < PAUSE && self.tries == TRIES.load(Relaxed);
        (is_paused || !is_failed).then_some(engine)
    }
}

/// What is in the cache of that make.
fn cached(make: &Make) -> Option<Result<Arc<dyn Engine>, DeviceError>> {
    let mut cache = cache();
    cache.retain(|cached| cached.get().is_some());
    cache.iter().find(|cached| cached.make == *make).and_then(Cached::get)
}

fn cache() -> MutexGuard<'static, Vec<Cached>> {
    CACHE.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use etude_pianist::alphabet::Alphabet;
    use etude_pianist::engine::{Batch, CpuEngine};
    use etude_pianist::network::Blueprint;
    use etude_pianist::time::TimeBase;

    use super::*;

    /// An engine whose device was lost.
    struct Lost(CpuEngine);

    impl Engine for Lost {
        fn alphabet(&self) -> Alphabet {
            self.0.alphabet()
        }

        fn time_base(&self) -> TimeBase {
            self.0.time_base()
        }

        fn blueprint(&self) -> &Blueprint {
            self.0.blueprint()
        }

        fn device(&self) -> &str {
            "Voodoo"
        }

        fn batch(&self, _streams: usize) -> Result<Box<dyn Batch>, DeviceError> {
            Err(lost())
        }

        fn failure(&self) -> Option<DeviceError> {
            Some(lost())
        }
    }

    fn lost() -> DeviceError {
        DeviceError { device: "Voodoo".to_owned(), reason: "it was lost".to_owned() }
    }

    #[test]
    fn a_device_that_failed_is_tried_again_after_a_while_or_when_a_device_is_chosen() {
        let device = Device::Gpu(Some("Voodoo".to_owned()));
        let wanted = || engine(&Source::Embedded, &device);
        let failed: Arc<dyn Engine> =
            Arc::new(Lost(CpuEngine::new(read(&Source::Embedded).unwrap(), Precision::Int8)));
        let before = || {
            share(&Source::Embedded, &device, &failed);
            assert!(Arc::ptr_eq(&wanted().unwrap(), &failed), "it was tried again at once");
        };
        let age = || {
            let mut cache = cache();
            let aged = cache.iter_mut().filter(|cached| cached.make.device == device);
            aged.for_each(|cached| cached.tried = cached.tried.checked_sub(PAUSE).unwrap());
        };
        for try_now in [&age as &dyn Fn(), &try_again] {
            before();
            try_now();
            // There is no such device.
            let refusal = wanted().err().unwrap().to_string();
            assert!(refusal.starts_with("gpu:Voodoo: no "), "{refusal}");
            let tried = || cache().iter().find(|one| one.make.device == device).unwrap().tried;
            let before = tried();
            assert_eq!(wanted().err().unwrap().to_string(), refusal);
            assert_eq!(tried(), before, "it was tried again at once");
        }
    }
}
