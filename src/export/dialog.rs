//! Asking the user where to save.

use std::env;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::ExportError;

/// A dialog that is over sooner than anybody can close one never opened. Shorter, and a slow system's refusal would pass
/// for the user's; longer, and a user in a hurry would be told of a fault.
const DIALOG_OPENS: Duration = Duration::from_millis(400);

/// The place that the user chooses, the dialog beginning at `file_name` in `folder`; `None` if it was closed.
pub(super) fn choose(folder: Option<&Path>, file_name: &str) -> Result<Option<PathBuf>, ExportError> {
    let mut dialog = rfd::FileDialog::new().add_filter("MIDI", &["mid"]).set_file_name(file_name);
    if let Some(folder) = folder {
        dialog = dialog.set_directory(folder);
    }
    ask(|| dialog.save_file(), may_be_missing())
}

/// What the user chooses in a dialog; `None` if it was closed. For `may_be_missing` see the function of that name.
fn ask(
    dialog: impl FnOnce() -> Option<PathBuf>,
    may_be_missing: bool,
) -> Result<Option<PathBuf>, ExportError> {
    let opened = Instant::now();
    let chosen = dialog();
    let never_opened = chosen.is_none() && may_be_missing && opened.elapsed() < DIALOG_OPENS;
    if never_opened { Err(ExportError::NoDialog) } else { Ok(chosen) }
}

/// Whether a dialog that never opened would look as if the user had closed it. Linux may have none: zenity stands in for a
/// desktop portal that is missing or fails, even after a long time, but nothing for zenity.
pub(super) fn may_be_missing() -> bool {
    let folders = env::var_os("PATH").unwrap_or_default();
    let has_zenity = || env::split_paths(&folders).any(|folder| folder.join("zenity").is_file());
    !cfg!(any(target_os = "windows", target_os = "macos")) && !has_zenity()
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    #[test]
    fn a_system_without_file_dialogs_is_told_from_a_user_who_closes_one() {
        let error = ask(|| None, true).unwrap_err().to_string();
        assert!(error.contains("Save clip"), "{error}");
        let closed = || {
            thread::sleep(DIALOG_OPENS);
            None
        };
        assert!(matches!(ask(closed, true), Ok(None)));
        assert!(matches!(ask(|| None, false), Ok(None)), "a system that has dialogs opened one");
        assert_eq!(ask(|| Some("a.mid".into()), true).unwrap(), Some(PathBuf::from("a.mid")));
    }
}
