//! `cargo xtask install`: the plugin where the user's DAWs look for it, and the pianists where the plugin does.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::bundle::{self, BundleError};
use crate::step::{self, project};

/// Why the plugin is not installed.
#[derive(Debug, thiserror::Error)]
pub enum InstallError {
    /// There is no bundle.
    #[error(transparent)]
    Bundle(#[from] BundleError),
    /// The system does not say where the user's files are.
    #[error(
        "this system names no home folder; copy the bundles from target/bundled by hand, as README.md says"
    )]
    Homeless,
    /// A file can't be copied.
    #[error("can't copy {} to {}: {source}; close the DAWs that use it and try again", from.display(), to.display())]
    Copy {
        /// What was to be copied.
        from: PathBuf,
        /// Where to.
        to: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
}

/// Builds the bundles and copies them for this user.
pub fn run() -> Result<(), InstallError> {
    let folders = Folders::of_user().ok_or(InstallError::Homeless)?;
    bundle::run("etude", true)?;
    let bundled = step::target().join("bundled");
    println!();
    let files = [
        (bundled.join("Etude.vst3"), folders.vst3),
        (bundled.join("Etude.clap"), folders.clap),
        // The other pianist is in the plugin.
        (project().join("models/concert.safetensors"), folders.pianists),
    ];
    for (from, folder) in files {
        let to = folder.join(from.file_name().unwrap_or_default());
        replace(&from, &to).map_err(|source| InstallError::Copy { from, to: to.clone(), source })?;
        println!("Installed {}", to.display());
    }
    println!(
        "Let your DAW scan its plugins again. The program that plays without one is in {}.",
        bundled.display()
    );
    Ok(())
}

/// Where DAWs look for one user's plugins, and the plugin for pianists.
struct Folders {
    vst3: PathBuf,
    clap: PathBuf,
    pianists: PathBuf,
}

impl Folders {
    /// As Steinberg's "VST 3 Locations" and CLAP's `entry.h` name them.
    fn of_user() -> Option<Folders> {
        let pianists = dirs::data_dir()?.join("etude").join("pianists");
        let common = if cfg!(target_os = "windows") {
            dirs::data_local_dir()?.join("Programs").join("Common")
        } else if cfg!(target_os = "macos") {
            dirs::home_dir()?.join("Library/Audio/Plug-Ins")
        } else {
            let home = dirs::home_dir()?;
            return Some(Folders { vst3: home.join(".vst3"), clap: home.join(".clap"), pianists });
        };
        Some(Folders { vst3: common.join("VST3"), clap: common.join("CLAP"), pianists })
    }
}

/// Copies a file or folder beside its destination and moves it there: a DAW that has the old one open keeps that, and
/// none ever finds half a plugin.
fn replace(from: &Path, to: &Path) -> io::Result<()> {
    let (new, old) = (to.with_extension("new"), to.with_extension("old"));
    remove(&new)?;
    copy(from, &new)?;
    // A file is replaced in one step, a folder can't be: it makes room as a whole, or stays where a DAW has it open.
    if to.is_dir() {
        remove(&old)?;
        fs::rename(to, &old)?;
    }
    // If the new one can't go there, the old one goes back.
    fs::rename(&new, to).inspect_err(|_| drop(fs::rename(&old, to)))?;
    remove(&old)
}

fn copy(from: &Path, to: &Path) -> io::Result<()> {
    if from.is_dir() {
        fs::create_dir_all(to)?;
        for entry in fs::read_dir(from)? {
            let entry = entry?;
            copy(&entry.path(), &to.join(entry.file_name()))?;
        }
        return Ok(());
    }
    if let Some(folder) = to.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::copy(from, to).map(|_| ())
}

fn remove(path: &Path) -> io::Result<()> {
    match path.symlink_metadata() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
        Ok(metadata) if metadata.is_dir() => fs::remove_dir_all(path),
        Ok(_) => fs::remove_file(path),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_newer_bundle_replaces_an_older_one_whole() {
        let folder = tempfile::tempdir().unwrap();
        let (from, to) = (folder.path().join("bundled/Etude.vst3"), folder.path().join("vst3/Etude.vst3"));
        let write = |bundle: &Path, file: &str, text: &str| {
            let path = bundle.join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        write(&to, "Contents/old.so", "old");
        write(&from, "Contents/new.so", "new");
        replace(&from, &to).unwrap();
        assert_eq!(fs::read_to_string(to.join("Contents/new.so")).unwrap(), "new");
        assert!(!to.join("Contents/old.so").exists());
        assert_eq!(
            fs::read_dir(folder.path().join("vst3")).unwrap().count(),
            1,
            "nothing else is left there"
        );
    }

    #[test]
    fn a_plugin_of_one_file_goes_into_a_folder_that_does_not_exist_yet() {
        let folder = tempfile::tempdir().unwrap();
        let (from, to) = (folder.path().join("Etude.clap"), folder.path().join("clap/Etude.clap"));
        fs::write(&from, "plugin").unwrap();
        replace(&from, &to).unwrap();
        replace(&from, &to).unwrap();
        assert_eq!(fs::read_to_string(to).unwrap(), "plugin");
    }
}
