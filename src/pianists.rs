//! The pianists: where they come from, and what is known of them.

mod cache;

pub use cache::{EngineError, engine, share, try_again};

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use etude_pianist::card::Card;
use etude_pianist::model_file::{Pianist, PianistFileError};

/// The pianist that is part of the plugin, so that a copied plugin file works alone. Anybody may use what it plays.
const EMBEDDED: &[u8] = include_bytes!("../models/songbook.safetensors");
/// Its name.
pub const EMBEDDED_NAME: &str = "songbook";

/// More pianists than anybody has; a folder with more files was meant for something else.
const MOST_FOUND: usize = 200;

/// Where a pianist comes from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Source {
    /// The plugin itself.
    #[default]
    Embedded,
    /// A file.
    File(PathBuf),
}

impl From<&Path> for Source {
    fn from(path: &Path) -> Source {
        Source::File(path.to_owned())
    }
}

/// Reads the pianist of `source`.
///
/// # Errors
/// If its file can't be read, or is no pianist.
pub fn read(source: &Source) -> Result<Pianist, PianistFileError> {
    match source {
        Source::Embedded => Ok(Pianist::read(EMBEDDED).expect("the embedded pianist was tested")),
        Source::File(path) => Pianist::read_file(path),
    }
}

/// What a musician wants to know of a pianist.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Known {
    /// Its name: that of its file.
    pub name: String,
    /// Who may use it, and what it plays, for what.
    pub licence: String,
    /// What it learned from.
    pub data: String,
}

/// Reads what is to be known of a pianist, and no more of its file: it may still be damaged.
///
/// # Errors
/// If its file can't be read, or is no pianist.
pub fn known(source: &Source) -> Result<Known, PianistFileError> {
    let card = match source {
        Source::Embedded => Card::read(EMBEDDED).expect("the embedded pianist was tested"),
        Source::File(path) => Card::read_file(path)?,
    };
    Ok(Known { name: name(source), licence: card.licence, data: card.data })
}

/// All pianists there are: the embedded one, then those of the user's folder and those in the bundle, each by name. They
/// are not read yet, so of those only the names are known.
pub fn found() -> Vec<(Known, Source)> {
    static EMBEDDED: OnceLock<Known> = OnceLock::new();
    let embedded = EMBEDDED.get_or_init(|| known(&Source::Embedded).unwrap_or_default());
    let mut found = vec![(embedded.clone(), Source::Embedded)];
    for path in [folder(), resources()].into_iter().flatten().flat_map(|folder| files(&folder)) {
        let source = Source::File(path);
        let name = name(&source);
        // A user's own pianist comes before one of the same name in the bundle.
        if found.iter().all(|(known, _)| known.name != name) {
            found.push((Known { name, ..Known::default() }, source));
        }
    }
    found
}

/// The pianists' files in a folder, by name.
fn files(folder: &Path) -> Vec<PathBuf> {
    let files = folder.read_dir().into_iter().flatten();
    let mut files: Vec<PathBuf> = files.filter_map(|file| file.ok().map(|file| file.path())).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "safetensors"));
    files.sort();
    files.truncate(MOST_FOUND);
    files
}

/// The pianist of that name among those that were [found]. One that is not there now may be later, so it keeps its name;
/// composing says what is missing.
pub fn named(wanted: &str, found: &[(Known, Source)]) -> (Known, Source) {
    let found = found.iter().find(|(known, _)| known.name == wanted);
    found.cloned().unwrap_or_else(|| {
        let path = folder().unwrap_or_default().join(format!("{wanted}.safetensors"));
        (Known { name: wanted.to_owned(), ..Known::default() }, Source::File(path))
    })
}

/// Where users put their pianists: `etude/pianists` in the folder that the system has for programs' data.
pub fn folder() -> Option<PathBuf> {
    dirs::data_dir().map(|data| data.join("etude").join("pianists"))
}

/// The folder for such files in the bundle that this code was loaded from, if it was.
fn resources() -> Option<PathBuf> {
    resources_of(&process_path::get_dylib_path()?)
}

/// That of the bundle with the file `code` (VST3 everywhere, CLAP on macOS): `Contents/Resources`.
fn resources_of(code: &Path) -> Option<PathBuf> {
    let contents = code.ancestors().skip(1).take(2).find(|folder| folder.ends_with("Contents"))?;
    Some(contents.join("Resources"))
}

fn name(source: &Source) -> String {
    match source {
        Source::Embedded => EMBEDDED_NAME.to_owned(),
        Source::File(path) => path.file_stem().unwrap_or_default().to_string_lossy().into_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pianist_with_a_dot_in_its_name_is_not_taken_for_another() {
        let (known, source) = named("jazz.v2", &[]);
        let Source::File(path) = &source else { panic!("it has a file") };
        assert_eq!(path.file_name().unwrap(), "jazz.v2.safetensors");
        assert_eq!((known.name.as_str(), name(&source).as_str()), ("jazz.v2", "jazz.v2"));
    }

    #[test]
    fn a_bundle_has_a_place_for_pianists() {
        let resources = |code: &str| resources_of(Path::new(code));
        let within = |bundle: &str| Some(Path::new(bundle).join("Contents/Resources"));
        assert_eq!(resources("/v/Etude.vst3/Contents/x86_64-linux/Etude.so"), within("/v/Etude.vst3"));
        assert_eq!(resources("/c/Etude.clap/Contents/MacOS/Etude"), within("/c/Etude.clap"));
        assert_eq!(resources("/c/Etude.clap"), None);
    }

    #[test]
    fn pianists_of_a_folder_come_by_name_and_nothing_else_does() {
        let folder = tempfile::tempdir().unwrap();
        for file in ["b.safetensors", "a.safetensors", "a.md", "notes.txt"] {
            std::fs::write(folder.path().join(file), "").unwrap();
        }
        assert_eq!(
            files(folder.path()),
            ["a.safetensors", "b.safetensors"].map(|file| folder.path().join(file))
        );
        assert!(files(&folder.path().join("missing")).is_empty());
    }
}
