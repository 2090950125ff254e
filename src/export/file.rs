//! Clips on disk: written whole, and never over a file that nobody chose.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use etude_pianist::midi::{self, Clip};

use super::ExportError;

/// Files of one name that a folder is searched for at most.
const MOST_ALIKE: u32 = 10_000;

/// Writes `clip` into `folder` under a name that no other file has, and says where.
///
/// # Errors
/// If the folder can't be made or the file can't be written.
pub fn save_in(folder: &Path, clip: &Clip, file_name: &str) -> Result<PathBuf, ExportError> {
    fs::create_dir_all(folder).map_err(|error| ExportError::Folder { path: folder.to_owned(), error })?;
    let bytes = midi::write(clip);
    let stem = file_name.strip_suffix(".mid").unwrap_or(file_name);
    let partial = write_beside(&folder.join(file_name), &bytes)?;
    for number in 1..=MOST_ALIKE {
        let name = if number == 1 { format!("{stem}.mid") } else { format!("{stem} {number}.mid") };
        let path = folder.join(name);
        // A link is made only where nothing is, so that nothing is ever replaced, whoever writes at the same time.
        match fs::hard_link(&partial.0, &path) {
            Ok(()) => return Ok(path),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => (),
            // Some file systems have no links.
            Err(_) if path.exists() => (),
            Err(_) => {
                let written = fs::rename(&partial.0, &path);
                return written.map(|()| path.clone()).map_err(|error| ExportError::Write { path, error });
            }
        }
    }
    Err(ExportError::Full { path: folder.to_owned() })
}

/// Writes `clip` where the user chose to, over an old file if that was chosen, and says where.
pub(super) fn save_at(chosen: PathBuf, clip: &Clip) -> Result<PathBuf, ExportError> {
    let extension = chosen.extension().unwrap_or_default();
    if ["mid", "midi"].iter().any(|midi| extension.eq_ignore_ascii_case(midi)) {
        replace(&chosen, &midi::write(clip))?;
        return Ok(chosen);
    }
    // The dialog asked about another name, so nothing of this one is replaced.
    let folder = chosen.parent().unwrap_or(Path::new("."));
    save_in(folder, clip, &format!("{}.mid", file_of(&chosen)))
}

/// Writes a file whole, over an old one if there is one.
pub(super) fn replace(path: &Path, bytes: &[u8]) -> Result<(), ExportError> {
    let partial = write_beside(path, bytes)?;
    fs::rename(&partial.0, path).map_err(|error| ExportError::Write { path: path.to_owned(), error })
}

/// A file that is removed when it is no longer needed.
struct Partial(PathBuf);

impl Drop for Partial {
    fn drop(&mut self) {
        // It may have become the real one.
        let _ = fs::remove_file(&self.0);
    }
}

fn write_beside(path: &Path, bytes: &[u8]) -> Result<Partial, ExportError> {
    let partial = Partial(path.with_file_name(format!(".{}.{}.part", file_of(path), std::process::id())));
    let write = || {
        let mut file = File::create(&partial.0)?;
        file.write_all(bytes)?;
        file.sync_all()
    };
    write().map_err(|error| ExportError::Write { path: path.to_owned(), error })?;
    Ok(partial)
}

pub(super) fn file_of(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}
