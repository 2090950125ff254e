//! Takes as MIDI files: named, written and shown, all on threads of their own.
//!
//! A clip holds what is heard. It is written whole or not at all, and never over another file unless the user said so.

mod dialog;
mod error;
mod file;
mod key;
mod name;
mod reveal;

use std::fs;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use etude_pianist::midi::Clip;

pub use error::ExportError;
pub use file::save_in;
pub use key::key_of;
pub use name::{Named, file_name};

use file::{file_of, save_at};

/// How an export goes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Progress {
    /// Nothing was exported yet, or the user closed the dialog.
    #[default]
    Idle,
    /// No place was chosen: the user closed the dialog, or none opened.
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
            let folder = folder().filter(|folder| fs::create_dir_all(folder).is_ok());
            let chosen = dialog::choose(folder.as_deref(), &file_name)?;
            chosen.map(|path| save_at(path, &clip)).transpose()
        });
    }

    /// Shows a file in the system's file manager.
    pub fn reveal(&self, path: PathBuf) {
        let exporter = self.clone();
        thread::spawn(move || {
            if let Err(error) = reveal::show(&path) {
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
                Ok(None) if dialog::may_be_missing() => Progress::Unchosen,
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

#[cfg(test)]
mod tests {
    use super::file::tests::clip;
    use super::*;

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
}
