//! Showing a clip in the system's file manager.

use std::io;
use std::path::Path;
use std::process::Command;

/// Shows a file. Waits until the file manager has taken it, so that no zombie stays: to be called on a thread of its own.
pub(super) fn show(path: &Path) -> io::Result<()> {
    let status = if cfg!(target_os = "macos") {
        Command::new("open").arg("-R").arg(path).status()?
    } else if cfg!(target_os = "windows") {
        Command::new("explorer").arg("/select,").arg(path).status()?
    } else {
        Command::new("xdg-open").arg(path.parent().unwrap_or(path)).status()?
    };
    match status.success() || cfg!(target_os = "windows") {
        true => Ok(()),
        false => Err(io::Error::other(format!("the file manager ended with {status}"))),
    }
}
