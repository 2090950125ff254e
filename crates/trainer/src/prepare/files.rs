//! Finding MIDI files.

use std::io;
use std::path::{Path, PathBuf};

use walkdir::WalkDir;

use super::PrepareError;
use crate::corpus::Split;

/// A file to read.
#[derive(Debug)]
pub struct Found {
    pub path: PathBuf,
    /// The path below the folder that was searched, with slashes on every system.
    pub name: String,
    pub split: Split,
    /// Why it can't be read, if that is known already: a link that leads nowhere, a folder that may not be searched.
    pub obstacle: Option<io::Error>,
}

/// The MIDI files below `folders`, sorted by folder, then by name, and what can't be searched in them.
///
/// # Errors
/// If one of the folders itself can't be searched.
pub fn find(folders: &[PathBuf], split: Split) -> Result<Vec<Found>, PrepareError> {
    let mut found = Vec::new();
    for folder in folders {
        for entry in WalkDir::new(folder).follow_links(true).sort_by_file_name() {
            let (path, obstacle) = match entry {
                Ok(entry) if entry.file_type().is_file() && is_midi(entry.path()) => {
                    (entry.into_path(), None)
                }
                Ok(_) => continue,
                Err(error) => {
                    let path = error.path().unwrap_or(folder).to_owned();
                    let source = what_happened(error);
                    if path == *folder {
                        return Err(PrepareError::Search { path, source });
                    }
                    (path, Some(source))
                }
            };
            found.push(Found { name: name(&path, folder), path, split, obstacle });
        }
    }
    Ok(found)
}

fn is_midi(path: &Path) -> bool {
    let extension = path.extension().unwrap_or_default();
    extension.eq_ignore_ascii_case("mid") || extension.eq_ignore_ascii_case("midi")
}

fn name(path: &Path, folder: &Path) -> String {
    // A file given in place of a folder is called by its own name.
    let below = path.strip_prefix(folder).ok().filter(|below| !below.as_os_str().is_empty());
    let below = below.or(path.file_name().map(Path::new)).unwrap_or(path);
    let parts: Vec<_> = below.iter().map(|part| part.to_string_lossy()).collect();
    parts.join("/")
}

fn what_happened(error: walkdir::Error) -> io::Error {
    error.into_io_error().unwrap_or_else(|| io::Error::other("its links lead in a circle"))
}
