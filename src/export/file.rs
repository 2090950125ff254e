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

#[cfg(test)]
pub(super) mod tests {
    use etude_pianist::note::{Key, Note, Performance, Velocity};
    use etude_pianist::time::TimeSignature;

    use super::*;

    pub(in crate::export) fn clip(tempo: f64) -> Clip {
        let note =
            Note { onset: 1.0, duration: 0.5, key: Key::from_midi(60).unwrap(), velocity: Velocity::new(80) };
        let performance = Performance { notes: vec![note], pedal: Vec::new() };
        Clip {
            name: "a clip".to_owned(),
            tempo,
            time_signature: TimeSignature::COMMON,
            quarters: 4.0,
            performance,
        }
    }

    #[test]
    fn a_second_clip_of_the_same_name_leaves_the_first_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let inside = folder.path().join("Music/Etude");
        let first = save_in(&inside, &clip(120.0), "a.mid").unwrap();
        let second = save_in(&inside, &clip(90.0), "a.mid").unwrap();
        assert_eq!((file_of(&first), file_of(&second)), ("a.mid".to_owned(), "a 2.mid".to_owned()));
        assert_eq!(fs::read(first).unwrap(), midi::write(&clip(120.0)));
        assert_eq!(fs::read(second).unwrap(), midi::write(&clip(90.0)));
        assert_eq!(fs::read_dir(inside).unwrap().count(), 2, "nothing else is left there");
    }

    #[test]
    fn a_chosen_name_that_is_no_midi_file_becomes_one_with_all_its_dots() {
        let folder = tempfile::tempdir().unwrap();
        let save = |name: &str| file_of(&save_at(folder.path().join(name), &clip(120.0)).unwrap());
        let names = ["Sketch 1.5", "Sketch 1.5", "a", "b.mid", "b.mid", "c.MIDI"].map(save);
        assert_eq!(names, ["Sketch 1.5.mid", "Sketch 1.5 2.mid", "a.mid", "b.mid", "b.mid", "c.MIDI"]);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 5);
    }

    #[test]
    fn a_clip_that_can_not_be_written_whole_leaves_nothing_behind() {
        let folder = tempfile::tempdir().unwrap();
        let taken = folder.path().join("taken.mid");
        fs::create_dir(&taken).unwrap();
        assert!(save_at(taken, &clip(120.0)).is_err());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
