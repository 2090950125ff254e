//! `cargo xtask demo`: hear and see every pianist under models/, and the plugin in the test host.

use std::env::consts::EXE_EXTENSION;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::bundle::{self, BundleError};
use crate::step::{self, StepError, cargo, project};

/// Why there is no demo.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    /// A program failed.
    #[error(transparent)]
    Step(#[from] StepError),
    /// There is no plugin.
    #[error(transparent)]
    Bundle(#[from] BundleError),
    /// A folder can't be read or made.
    #[error("can't use the folder {}: {source}", path.display())]
    Folder {
        /// Which folder.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// Nobody is there to play.
    #[error(
        "there is no pianist (.safetensors) in {}: clone the project again, or train one as README.md says",
        .0.display()
    )]
    NoPianists(PathBuf),
}

/// Builds everything, lets each pianist compose, and plays the plugin without a DAW.
pub fn run() -> Result<(), DemoError> {
    let pianists = pianists(&project().join("models"))?;
    let folder = project().join("demo");
    fs::create_dir_all(&folder).map_err(|source| DemoError::Folder { path: folder.clone(), source })?;
    bundle::run("etude", true)?;
    let programs =
        ["build", "--release", "--locked", "--package", "etude-trainer", "--package", "etude-rehearsal"];
    step::run("Build the programs", &mut cargo(&programs))?;
    let mut made = Vec::new();
    for pianist in pianists {
        let name = pianist.file_stem().unwrap_or_default().to_string_lossy();
        let (clip, picture) = (folder.join(format!("{name}.mid")), folder.join(format!("{name}.png")));
        compose(&pianist, &name, &clip, &picture)?;
        made.extend([clip, picture]);
    }
    let (clip, picture) = (folder.join("plugin.mid"), folder.join("plugin.png"));
    play(&clip, &picture)?;
    made.extend([clip, picture]);
    let editor = folder.join("editor.png");
    let photographed =
        if cfg!(target_os = "linux") { photograph(&editor).map(|()| made.push(editor)) } else { Ok(()) };
    // What there is to hear is said also where there is no screen to photograph.
    println!("\nOpen these, or drag the .mid files into a DAW onto a piano track:");
    for path in made {
        println!("  {}", path.display());
    }
    Ok(photographed?)
}

fn compose(pianist: &Path, name: &str, clip: &Path, picture: &Path) -> Result<(), StepError> {
    let mut command = program("etude-trainer");
    command.args(["generate", "--bars", "16", "--seed", "1", "--model"]).arg(pianist);
    command.arg("--output").arg(clip).arg("--picture").arg(picture);
    step::run(&format!("{name} composes"), &mut command)
}

fn play(clip: &Path, picture: &Path) -> Result<(), StepError> {
    let mut command = program("rehearse");
    command.args(["play", "--bars", "16"]).arg("--output").arg(clip).arg("--picture").arg(picture);
    step::run("The plugin plays in a host", &mut command)
}

/// Photographs the editor, on a screen in memory.
fn photograph(picture: &Path) -> Result<(), StepError> {
    let mut command = program("rehearse");
    step::run("The editor opens", command.args(["window", "--output"]).arg(picture))
}

/// A program that was built.
fn program(name: &str) -> Command {
    // `cargo run` would build the packages anew, each without the other's wishes for their dependencies.
    Command::new(step::target().join("release").join(name).with_extension(EXE_EXTENSION))
}

/// The pianists in a folder, by name.
fn pianists(folder: &Path) -> Result<Vec<PathBuf>, DemoError> {
    let unreadable = |source| DemoError::Folder { path: folder.to_owned(), source };
    let mut found = Vec::new();
    match fs::read_dir(folder) {
        Ok(entries) => {
            for entry in entries {
                found.push(entry.map_err(unreadable)?.path());
            }
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(unreadable(error)),
    }
    found.retain(|path| path.extension().is_some_and(|extension| extension == "safetensors"));
    found.sort();
    if found.is_empty() { Err(DemoError::NoPianists(folder.to_owned())) } else { Ok(found) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pianist_of_the_folder_plays_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["songbook.safetensors", "concert.safetensors", "concert.md"] {
            fs::write(folder.path().join(name), "").unwrap();
        }
        let found = pianists(folder.path()).unwrap();
        let names: Vec<_> = found.iter().map(|path| path.file_name().unwrap().to_str().unwrap()).collect();
        assert_eq!(names, ["concert.safetensors", "songbook.safetensors"]);
    }

    #[test]
    fn a_folder_without_pianists_says_what_to_do() {
        let folder = tempfile::tempdir().unwrap();
        for folder in [folder.path().to_owned(), folder.path().join("missing")] {
            let message = pianists(&folder).unwrap_err().to_string();
            assert!(message.contains("no pianist") && message.contains("README.md"), "{message}");
        }
    }
}
