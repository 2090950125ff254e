//! Finding MIDI files.

use std::io;
use std::path::{Path, PathBuf};

use walkdir::{DirEntry, WalkDir};

use super::PrepareError;
use crate::corpus::Split;

/// A file to read.
#[derive(Debug)]
pub struct Found {
    pub path: PathBuf,
    /// The path below the folder that was searched, with slashes on every system.
    pub name: String,
    pub split: Split,
}

/// The MIDI files below `folders`, sorted by folder, then by name.
pub fn find(folders: &[PathBuf], split: Split) -> Result<Vec<Found>, PrepareError> {
    let mut found = Vec::new();
    for folder in folders {
        for entry in WalkDir::new(folder).follow_links(true).sort_by_file_name() {
            let entry = entry.map_err(|error| search_error(folder, error))?;
            if entry.file_type().is_file() && is_midi(entry.path()) {
                let name = name(&entry, folder);
                found.push(Found { path: entry.into_path(), name, split });
            }
        }
    }
    Ok(found)
}

fn is_midi(path: &Path) -> bool {
    let extension = path.extension().unwrap_or_default();
    extension.eq_ignore_ascii_case("mid") || extension.eq_ignore_ascii_case("midi")
}

fn name(entry: &DirEntry, folder: &Path) -> String {
    // A file given in place of a folder is called by its own name.
    let below = entry.path().strip_prefix(folder).ok().filter(|_| entry.depth() > 0);
    let parts: Vec<_> =
        below.unwrap_or(Path::new(entry.file_name())).iter().map(|part| part.to_string_lossy()).collect();
    parts.join("/")
}

fn search_error(folder: &Path, error: walkdir::Error) -> PrepareError {
    let path = error.path().unwrap_or(folder).to_owned();
    let source = error.into_io_error().unwrap_or_else(|| io::Error::other("its links lead in a circle"));
    PrepareError::Search { path, source }
}
