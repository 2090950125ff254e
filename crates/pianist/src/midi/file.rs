//! MIDI files on disk.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use thiserror::Error;

use super::{MidiError, Recording, read};

/// The largest file that is read. The longest recording of the competition data has 0.4 MiB; a file beyond this is
/// no piano music.
const LARGEST_MIB: u64 = 64;

/// Why a file gives no recording.
#[derive(Debug, Error)]
pub enum MidiFileError {
    /// It cannot be read at all.
    #[error("can't read {}: {source}", path.display())]
    Unreadable {
        /// Which file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// It is a folder, a pipe or the like.
    #[error("{} is not a file; give the path of a .mid file", path.display())]
    NotAFile {
        /// Which path.
        path: PathBuf,
    },
    /// It is larger than any recording.
    #[error("{} has more than {LARGEST_MIB} MiB, which no piano recording needs; check that it is a MIDI file", path.display())]
    TooLarge {
        /// Which file.
        path: PathBuf,
    },
    /// Its contents are not usable.
    #[error("{}: {source}", path.display())]
    Invalid {
        /// Which file.
        path: PathBuf,
        /// What is wrong with it.
        source: MidiError,
    },
}

/// Reads a MIDI file as a piano recording. Files of more than 64 MiB are refused unread.
pub fn read_file(path: impl AsRef<Path>) -> Result<Recording, MidiFileError> {
    let path = path.as_ref();
    let bytes = bytes(path)?;
    read(&bytes).map_err(|source| MidiFileError::Invalid { path: path.to_owned(), source })
}

fn bytes(path: &Path) -> Result<Vec<u8>, MidiFileError> {
    let unreadable = |source| MidiFileError::Unreadable { path: path.to_owned(), source };
    // Asked before opening: opening a pipe would wait for a writer.
    let metadata = path.metadata().map_err(unreadable)?;
    if !metadata.is_file() {
        return Err(MidiFileError::NotAFile { path: path.to_owned() });
    }
    let limit = LARGEST_MIB << 20;
    if metadata.len() > limit {
        return Err(MidiFileError::TooLarge { path: path.to_owned() });
    }
    let mut bytes = Vec::with_capacity(metadata.len() as usize);
    File::open(path).and_then(|file| file.take(limit).read_to_end(&mut bytes)).map_err(unreadable)?;
    Ok(bytes)
}
