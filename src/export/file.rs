//! Clips on disk: written whole, and never over a file that nobody chose.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use etude_pianist::atomic;
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
    for number in 1..=MOST_ALIKE {
        let name = if number == 1 { format!("{stem}.mid") } else { format!("{stem} {number}.mid") };
        let path = folder.join(name);
        // Asked first, so that the bytes are written only once.
        if path.exists() {
            continue;
        }
        match atomic::write_new(&path, &bytes) {
            Ok(()) => return Ok(path),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => (),
            Err(error) => return Err(ExportError::Write { path, error }),
        }
    }
    Err(ExportError::Full { path: folder.to_owned() })
}

/// Writes `clip` where the user chose to, over an old file if that was chosen, and says where.
pub(super) fn save_at(chosen: PathBuf, clip: &Clip) -> Result<PathBuf, ExportError> {
    let extension = chosen.extension().unwrap_or_default();
    if ["mid", "midi"].iter().any(|midi| extension.eq_ignore_ascii_case(midi)) {
        let written = atomic::write(&chosen, &midi::write(clip));
        return written.map(|()| chosen.clone()).map_err(|error| ExportError::Write { path: chosen, error });
    }
    // The dialog asked about another name, so nothing of this one is replaced.
    let folder = chosen.parent().unwrap_or(Path::new("."));
    save_in(folder, clip, &format!("{}.mid", file_of(&chosen)))
}

pub(super) fn file_of(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}
