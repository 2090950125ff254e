//! Why a clip was not saved.

use std::io;
use std::path::PathBuf;

use thiserror::Error;

/// Why a clip was not saved.
#[derive(Debug, Error)]
pub enum ExportError {
    /// There is no folder to save in.
    #[error("there is no home folder to save clips in; use Save as")]
    NoFolder,
    /// The system has no dialog to ask for a place with.
    #[error("no file dialog here; press Save clip, or install xdg-desktop-portal or zenity")]
    NoDialog,
    /// The folder can't be made.
    #[error("can't make the folder {}: {error}", path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// What the system says.
        error: io::Error,
    },
    /// The file can't be written.
    #[error("can't write {}: {error}; is there room, and may you write there?", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system says.
        error: io::Error,
    },
    /// There is no name left.
    #[error("{} has too many clips of this name; move some away", path.display())]
    Full {
        /// The folder.
        path: PathBuf,
    },
    /// There is no file manager.
    #[error("can't show {}: {error}", path.display())]
    Reveal {
        /// What was to be shown.
        path: PathBuf,
        /// What the system says.
        error: io::Error,
    },
}
