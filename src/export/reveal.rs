//! Showing a clip in the system's file manager.

use std::io;
use std::path::Path;
use std::process::Command;

/// Shows a file, and waits for the file manager to have it: on a thread of its own, so that no zombie stays.
pub(super) fn reveal(path: &Path) -> io::Result<()> {
    let mut command = if cfg!(target_os = "macos") {
        let mut command = Command::new("open");
        command.arg("-R").arg(path);
        command
    } else if cfg!(target_os = "windows") {
        let mut command = Command::new("explorer");
        command.arg("/select,").arg(path);
        command
    } else {
        let mut command = Command::new("xdg-open");
        command.arg(path.parent().unwrap_or(path));
        command
    };
    let status = command.status()?;
    match status.success() || cfg!(target_os = "windows") {
        true => Ok(()),
        false => Err(io::Error::other(format!("the file manager ended with {status}"))),
    }
}
