//! Pianists ready to play, each once in the process, however many instances of the plugin play it.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};
use std::time::{Duration, Instant, SystemTime};

use etude_pianist::card::Card;
use etude_pianist::engine::{Device, DeviceError, Engine, Precision};
use etude_pianist::model_file::{Pianist, PianistFileError};
use thiserror::Error;

/// The pianist that is part of the plugin, so that a copied plugin file works alone. Anybody may use what it plays.
const EMBEDDED: &[u8] = include_bytes!("../models/songbook.safetensors");
/// Its name.
pub const EMBEDDED_NAME: &str = "songbook";

/// More pianists than anybody has; a folder with more files was meant for something else.
const MOST_FOUND: usize = 200;

/// Where a pianist comes from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Source {
    /// The plugin itself.
    #[default]
    Embedded,
    /// A file.
    File(PathBuf),
}

impl From<&Path> for Source {
    fn from(path: &Path) -> Source {
        Source::File(path.to_owned())
    }
}

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

/// How long a device that failed or could not be had is left alone: trying it again can take seconds.
const PAUSE: Duration = Duration::from_secs(60);

/// A pianist that may be in use, or could not be had lately.
struct Shelved {
    make: Make,
    engine: Result<Weak<dyn Engine>, DeviceError>,
    /// When it was made, or should have been.
    tried: Instant,
    /// What [`TRIES`] was then.
    tries: u64,
}

static SHELF: Mutex<Vec<Shelved>> = Mutex::new(Vec::new());

/// Held while an engine is made on the processor, and on any other device.
static PROCESSOR: Mutex<()> = Mutex::new(());
static OTHERS: Mutex<()> = Mutex::new(());

/// How often [`try_again`] was called.
static TRIES: AtomicU64 = AtomicU64::new(0);

impl Shelved {
    fn new(make: Make, engine: Result<Weak<dyn Engine>, DeviceError>) -> Shelved {
        Shelved { make, engine, tried: Instant::now(), tries: TRIES.load(Relaxed) }
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
    if let Some(engine) = shelved(&make) {
        return Ok(engine?);
    }
    let engine = device.engine(read(source)?, Precision::default());
    shelf().push(Shelved::new(make, engine.as_ref().map(Arc::downgrade).map_err(DeviceError::clone)));
    Ok(engine?)
}

/// What is on the shelf of that make.
fn shelved(make: &Make) -> Option<Result<Arc<dyn Engine>, DeviceError>> {
    let mut shelf = shelf();
    shelf.retain(|shelved| shelved.get().is_some());
    shelf.iter().find(|shelved| shelved.make == *make).and_then(Shelved::get)
}

fn shelf() -> MutexGuard<'static, Vec<Shelved>> {
    SHELF.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Lets devices that failed be tried again at once: somebody chose a device, so it may have been mended.
pub fn try_again() {
    TRIES.fetch_add(1, Relaxed);
}

/// Gives `engine` to everybody who asks for the pianist of `source` on that device from now on, while somebody holds it.
pub fn share(source: &Source, device: &Device, engine: &Arc<dyn Engine>) {
    let make = Make::new(source, device);
    let mut shelf = shelf();
    shelf.retain(|shelved| shelved.make != make);
    shelf.push(Shelved::new(make, Ok(Arc::downgrade(engine))));
}

/// Reads the pianist of `source`.
///
/// # Errors
/// If its file can't be read, or is no pianist.
pub fn read(source: &Source) -> Result<Pianist, PianistFileError> {
    match source {
        Source::Embedded => Ok(Pianist::read(EMBEDDED).expect("the embedded pianist was tested")),
        Source::File(path) => Pianist::read_file(path),
    }
}

/// What a musician wants to know of a pianist.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Known {
    /// Its name: that of its file.
    pub name: String,
    /// Who may use it, and what it plays, for what.
    pub licence: String,
    /// What it learned from.
    pub data: String,
}

/// Reads what is to be known of a pianist, and no more of its file: it may still be damaged.
///
/// # Errors
/// If its file can't be read, or is no pianist.
pub fn known(source: &Source) -> Result<Known, PianistFileError> {
    let card = match source {
        Source::Embedded => Card::read(EMBEDDED).expect("the embedded pianist was tested"),
        Source::File(path) => Card::read_file(path)?,
    };
    Ok(Known { name: name(source), licence: card.licence, data: card.data })
}

/// All pianists there are: the embedded one, then those of the user's folder and those in the bundle, each by name. They
/// are not read yet, so of those only the names are known.
pub fn found() -> Vec<(Known, Source)> {
    static EMBEDDED: OnceLock<Known> = OnceLock::new();
    let embedded = EMBEDDED.get_or_init(|| known(&Source::Embedded).unwrap_or_default());
    let mut found = vec![(embedded.clone(), Source::Embedded)];
    for path in [folder(), resources()].into_iter().flatten().flat_map(|folder| files(&folder)) {
        let source = Source::File(path);
        let name = name(&source);
        // A user's own pianist comes before one of the same name in the bundle.
        if found.iter().all(|(known, _)| known.name != name) {
            found.push((Known { name, ..Known::default() }, source));
        }
    }
    found
}

/// The pianists' files in a folder, by name.
fn files(folder: &Path) -> Vec<PathBuf> {
    let files = folder.read_dir().into_iter().flatten();
    let mut files: Vec<PathBuf> = files.filter_map(|file| file.ok().map(|file| file.path())).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "safetensors"));
    files.sort();
    files.truncate(MOST_FOUND);
    files
}

/// The pianist of that name among those that were [found]. One that is not there now may be later, so it keeps its name;
/// composing says what is missing.
pub fn named(wanted: &str, found: &[(Known, Source)]) -> (Known, Source) {
    let found = found.iter().find(|(known, _)| known.name == wanted);
    found.cloned().unwrap_or_else(|| {
        let path = folder().unwrap_or_default().join(format!("{wanted}.safetensors"));
        (Known { name: wanted.to_owned(), ..Known::default() }, Source::File(path))
    })
}

/// Where users put their pianists: `etude/pianists` in the folder that the system has for programs' data.
pub fn folder() -> Option<PathBuf> {
    dirs::data_dir().map(|data| data.join("etude").join("pianists"))
}

/// The folder for such files in the bundle that this code was loaded from, if it was.
fn resources() -> Option<PathBuf> {
    resources_of(&process_path::get_dylib_path()?)
}

/// That of the bundle with the file `code` (VST3 everywhere, CLAP on macOS): `Contents/Resources`.
fn resources_of(code: &Path) -> Option<PathBuf> {
    let contents = code.ancestors().skip(1).take(2).find(|folder| folder.ends_with("Contents"))?;
    Some(contents.join("Resources"))
}

fn name(source: &Source) -> String {
    match source {
        Source::Embedded => EMBEDDED_NAME.to_owned(),
        Source::File(path) => path.file_stem().unwrap_or_default().to_string_lossy().into_owned(),
    }
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
            let mut shelf = shelf();
            let aged = shelf.iter_mut().filter(|shelved| shelved.make.device == device);
            aged.for_each(|shelved| shelved.tried = shelved.tried.checked_sub(PAUSE).unwrap());
        };
        for try_now in [&age as &dyn Fn(), &try_again] {
            before();
            try_now();
            // There is no such device.
            let refusal = wanted().err().unwrap().to_string();
            assert!(refusal.starts_with("gpu:Voodoo: no "), "{refusal}");
            let tried = || shelf().iter().find(|one| one.make.device == device).unwrap().tried;
            let before = tried();
            assert_eq!(wanted().err().unwrap().to_string(), refusal);
            assert_eq!(tried(), before, "it was tried again at once");
        }
    }

    #[test]
    fn a_pianist_with_a_dot_in_its_name_is_not_taken_for_another() {
        let (known, source) = named("jazz.v2", &[]);
        let Source::File(path) = &source else { panic!("it has a file") };
        assert_eq!(path.file_name().unwrap(), "jazz.v2.safetensors");
        assert_eq!((known.name.as_str(), name(&source).as_str()), ("jazz.v2", "jazz.v2"));
    }

    #[test]
    fn a_bundle_has_a_place_for_pianists() {
        let resources = |code: &str| resources_of(Path::new(code));
        let within = |bundle: &str| Some(Path::new(bundle).join("Contents/Resources"));
        assert_eq!(resources("/v/Etude.vst3/Contents/x86_64-linux/Etude.so"), within("/v/Etude.vst3"));
        assert_eq!(resources("/c/Etude.clap/Contents/MacOS/Etude"), within("/c/Etude.clap"));
        assert_eq!(resources("/c/Etude.clap"), None);
    }

    #[test]
    fn pianists_of_a_folder_come_by_name_and_nothing_else_does() {
        let folder = tempfile::tempdir().unwrap();
        for file in ["b.safetensors", "a.safetensors", "a.md", "notes.txt"] {
            std::fs::write(folder.path().join(file), "").unwrap();
        }
        assert_eq!(
            files(folder.path()),
            ["a.safetensors", "b.safetensors"].map(|file| folder.path().join(file))
        );
        assert!(files(&folder.path().join("missing")).is_empty());
    }
}
