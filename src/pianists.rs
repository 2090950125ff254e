//! Pianists ready to play, each once in the process, however many instances of the plugin play it.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::SystemTime;

use etude_pianist::engine::{CpuEngine, Engine, Precision};
use etude_pianist::model_file::{Pianist, PianistFileError};

/// The pianist that is part of the plugin, so that a copied plugin file works alone. Anybody may use what it plays.
const EMBEDDED: &[u8] = include_bytes!("../models/songbook.safetensors");

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

/// A pianist that may be in use; a file that was written anew since is another pianist.
struct Shelved {
    source: Source,
    modified: Option<SystemTime>,
    engine: Weak<dyn Engine>,
}

static SHELF: Mutex<Vec<Shelved>> = Mutex::new(Vec::new());

/// The pianist of `source`: the one that others use, or one that is read now.
///
/// # Errors
/// If its file can't be read, or is no pianist.
pub fn engine(source: &Source) -> Result<Arc<dyn Engine>, PianistFileError> {
    let modified = match source {
        Source::Embedded => None,
        Source::File(path) => path.metadata().and_then(|metadata| metadata.modified()).ok(),
    };
    // Held while reading, so that instances that start together read the file once.
    let mut shelf = SHELF.lock().unwrap_or_else(PoisonError::into_inner);
    shelf.retain(|shelved| shelved.engine.strong_count() > 0);
    let same = |shelved: &&Shelved| shelved.source == *source && shelved.modified == modified;
    if let Some(engine) = shelf.iter().find(same).and_then(|shelved| shelved.engine.upgrade()) {
        return Ok(engine);
    }
    let engine: Arc<dyn Engine> = Arc::new(CpuEngine::new(&read(source)?, Precision::default()));
    shelf.push(Shelved { source: source.clone(), modified, engine: Arc::downgrade(&engine) });
    Ok(engine)
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
