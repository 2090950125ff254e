//! Pianists ready to play, each once in the process, however many instances of the plugin play it.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::SystemTime;

use etude_pianist::engine::{CpuEngine, Engine};
use etude_pianist::kernel::{Kernel, Precision};
use etude_pianist::model_file::{Pianist, PianistFileError};

/// A file that may be in use; one that was written anew since is another pianist.
struct Shelved {
    path: PathBuf,
    modified: Option<SystemTime>,
    engine: Weak<dyn Engine>,
}

static SHELF: Mutex<Vec<Shelved>> = Mutex::new(Vec::new());

/// The pianist in the file at `path`: the one that others use, or one that is read now.
///
/// # Errors
/// If the file can't be read, or is no pianist.
pub fn engine(path: &Path) -> Result<Arc<dyn Engine>, PianistFileError> {
    let modified = path.metadata().and_then(|metadata| metadata.modified()).ok();
    // Held while reading, so that instances that start together read the file once.
    let mut shelf = SHELF.lock().unwrap_or_else(PoisonError::into_inner);
    shelf.retain(|shelved| shelved.engine.strong_count() > 0);
    let same = |shelved: &&Shelved| shelved.path == path && shelved.modified == modified;
    if let Some(engine) = shelf.iter().find(same).and_then(|shelved| shelved.engine.upgrade()) {
        return Ok(engine);
    }
    let engine: Arc<dyn Engine> =
        Arc::new(CpuEngine::new(&Pianist::read_file(path)?, Kernel::best(Precision::F32)));
    shelf.push(Shelved { path: path.to_owned(), modified, engine: Arc::downgrade(&engine) });
    Ok(engine)
}
