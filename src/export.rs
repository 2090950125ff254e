//! Takes as MIDI files: named, written and shown, all on threads of their own.
//!
//! A clip holds what is heard. It is written whole or not at all, and never over another file unless the user said so.

mod file;
mod key;
mod name;

use std::env;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use etude_pianist::midi::Clip;
use thiserror::Error;

pub use file::save_in;
pub use key::key_of;
pub use name::{Named, file_name};

use file::{file_of, save_at};

/// A dialog that is over sooner than anybody can close one never opened. Shorter, and a slow system's refusal would pass
/// for the user's; longer, and a user in a hurry would be told of a fault.
const DIALOG_OPENS: Duration = Duration::from_millis(400);

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

/// How an export goes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Progress {
    /// Nothing was exported yet, or the user thought better of it.
    #[default]
    Idle,
    /// No place was chosen: the user thought better of it, or no dialog opened.
    Unchosen,
    /// The user is choosing a place, or the file is being written.
    Busy,
    /// The clip is there.
    Saved(PathBuf),
    /// It is not: what to tell the user.
    Failed(String),
}

/// Exports clips, one at a time.
#[derive(Clone)]
pub struct Exporter {
    progress: Arc<Mutex<Progress>>,
    /// Called when the progress has changed, from any thread.
    notify: Arc<dyn Fn() + Send + Sync>,
}

impl Exporter {
    /// An exporter that calls `notify` when its progress has changed.
    pub fn new(notify: impl Fn() + Send + Sync + 'static) -> Exporter {
        Exporter { progress: Arc::default(), notify: Arc::new(notify) }
    }

    /// How the last export goes.
    pub fn progress(&self) -> Progress {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Says no more about an export that is over.
    pub fn forget(&self) {
        let mut progress = self.progress.lock().unwrap_or_else(PoisonError::into_inner);
        if *progress != Progress::Busy {
            *progress = Progress::Idle;
        }
    }

    /// Saves `clip` in the user's folder, under a name like `file_name` that is free.
    pub fn save(&self, clip: Clip, file_name: String) {
        self.start(move || {
            let folder = folder().ok_or(ExportError::NoFolder)?;
            save_in(&folder, &clip, &file_name).map(Some)
        });
    }

    /// The same, and then passes the file on to `next`, on a thread of its own, with what to call if that fails. A clip of
    /// that name that was saved just before is passed on as it is.
    pub fn save_and(
        &self,
        clip: Clip,
        file_name: String,
        next: impl FnOnce(PathBuf, Box<dyn FnOnce(String) + Send>) + Send + 'static,
    ) {
        let exporter = self.clone();
        let failed = Box::new(move |why| exporter.tell(Progress::Failed(why)));
        let saved = match self.progress() {
            Progress::Saved(path) if file_of(&path) == file_name && path.is_file() => Some(path),
            _ => None,
        };
        let save = move || {
            let save = || save_in(&folder().ok_or(ExportError::NoFolder)?, &clip, &file_name);
            saved.map_or_else(save, Ok).map(Some)
        };
        self.start_and(save, |progress| {
            if let Progress::Saved(path) = progress {
                next(path, failed);
            }
        });
    }

    /// Asks the user where to save `clip`; the dialog asks before a file is replaced.
    pub fn save_as(&self, clip: Clip, file_name: String) {
        self.start(move || {
            let mut dialog = rfd::FileDialog::new().add_filter("MIDI", &["mid"]).set_file_name(&file_name);
            if let Some(folder) = folder().filter(|folder| fs::create_dir_all(folder).is_ok()) {
                dialog = dialog.set_directory(folder);
            }
            let chosen = ask(|| dialog.save_file(), may_lack_dialogs())?;
            chosen.map(|path| save_at(path, &clip)).transpose()
        });
    }

    /// Shows a file in the system's file manager.
    pub fn reveal(&self, path: PathBuf) {
        let exporter = self.clone();
        thread::spawn(move || {
            if let Err(error) = reveal(&path) {
                exporter.tell(Progress::Failed(ExportError::Reveal { path, error }.to_string()));
            }
        });
    }

    fn start(&self, work: impl FnOnce() -> Result<Option<PathBuf>, ExportError> + Send + 'static) {
        self.start_and(work, drop);
    }

    fn start_and(
        &self,
        work: impl FnOnce() -> Result<Option<PathBuf>, ExportError> + Send + 'static,
        next: impl FnOnce(Progress) + Send + 'static,
    ) {
        if self.progress() == Progress::Busy {
            return;
        }
        self.tell(Progress::Busy);
        let exporter = self.clone();
        let work = move || {
            let progress = match work() {
                Ok(Some(path)) => Progress::Saved(path),
                Ok(None) if may_lack_dialogs() => Progress::Unchosen,
                Ok(None) => Progress::Idle,
                Err(error) => Progress::Failed(error.to_string()),
            };
            exporter.tell(progress.clone());
            next(progress);
        };
        if let Err(error) = thread::Builder::new().name("etude export".to_owned()).spawn(work) {
            self.tell(Progress::Failed(format!("can't start a thread to write the clip: {error}")));
        }
    }

    fn tell(&self, progress: Progress) {
        *self.progress.lock().unwrap_or_else(PoisonError::into_inner) = progress;
        (self.notify)();
    }
}

/// Where clips are saved with one click: `Etude` in the user's music folder.
pub fn folder() -> Option<PathBuf> {
    dirs::audio_dir().or_else(dirs::document_dir).or_else(dirs::home_dir).map(|folder| folder.join("Etude"))
}

/// What the user chooses in a dialog; `None` if it was closed. For `may_lack_dialogs` see the function of that name.
fn ask(
    dialog: impl FnOnce() -> Option<PathBuf>,
    may_lack_dialogs: bool,
) -> Result<Option<PathBuf>, ExportError> {
    let opened = Instant::now();
    let chosen = dialog();
    let never_opened = chosen.is_none() && may_lack_dialogs && opened.elapsed() < DIALOG_OPENS;
    if never_opened { Err(ExportError::NoDialog) } else { Ok(chosen) }
}

/// Whether a dialog that never opened would look as if the user had closed it. Linux may have none: zenity stands in for a
/// desktop portal that is missing or fails, even after a long time, but nothing for zenity.
fn may_lack_dialogs() -> bool {
    let folders = env::var_os("PATH").unwrap_or_default();
    let has_zenity = || env::split_paths(&folders).any(|folder| folder.join("zenity").is_file());
    !cfg!(any(target_os = "windows", target_os = "macos")) && !has_zenity()
}

fn reveal(path: &Path) -> io::Result<()> {
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
    // Waited for here, on a thread of its own, so that no zombie stays.
    let status = command.status()?;
    match status.success() || cfg!(target_os = "windows") {
        true => Ok(()),
        false => Err(io::Error::other(format!("the file manager ended with {status}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use etude_pianist::midi;
    use etude_pianist::note::{Key, Note, Performance, Velocity};
    use etude_pianist::time::TimeSignature;

    fn clip(tempo: f64) -> Clip {
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
    fn an_export_says_when_it_is_done_or_why_it_is_not() {
        let (told, changes) = std::sync::mpsc::channel();
        let exporter = Exporter::new(move || told.send(()).unwrap());
        let folder = tempfile::tempdir().unwrap();
        let blocked = folder.path().join("file");
        fs::write(&blocked, "").unwrap();
        exporter.start(move || save_in(&blocked, &clip(120.0), "a.mid").map(Some));
        changes.iter().take(2).for_each(drop);
        let Progress::Failed(why) = exporter.progress() else { panic!("{:?}", exporter.progress()) };
        assert!(why.contains("file"), "{why}");
        let inside = folder.path().to_owned();
        exporter.start(move || save_in(&inside, &clip(120.0), "a.mid").map(Some));
        changes.iter().take(2).for_each(drop);
        assert_eq!(exporter.progress(), Progress::Saved(folder.path().join("a.mid")));
    }

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

    #[test]
    fn a_clip_that_was_saved_just_before_is_passed_on_as_it_is() {
        let (told, changes) = std::sync::mpsc::channel();
        let exporter = Exporter::new(move || told.send(()).unwrap());
        let folder = tempfile::tempdir().unwrap();
        let inside = folder.path().to_owned();
        exporter.start(move || save_in(&inside, &clip(120.0), "a.mid").map(Some));
        changes.iter().take(2).for_each(drop);
        let (pass, passed) = std::sync::mpsc::channel();
        exporter.save_and(clip(120.0), "a.mid".to_owned(), move |file, failed| {
            pass.send(file).unwrap();
            thread::spawn(|| failed("nobody took it".to_owned()));
        });
        assert_eq!(passed.recv().unwrap(), folder.path().join("a.mid"));
        changes.iter().take(3).for_each(drop);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
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
