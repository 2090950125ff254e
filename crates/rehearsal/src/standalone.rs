//! The standalone program with its window, used as a musician does.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use etude_trainer::picture::png;
use tempfile::TempDir;
use thiserror::Error;
use x11rb::errors::ReplyError;
use x11rb::protocol::xproto::Window;

use crate::bundle::bundles;
use crate::plugin::HostError;
use crate::screen::{Picture, Process, Screen, ScreenError};

/// The middle of Generate in a new window, in pixels from its corner.
const GENERATE: (i16, i16) = (156, 26);
/// The key that saves a clip.
const SAVE: char = 'e';
/// How long anything may take: long, because other programs may have most of the machine.
pub const PATIENCE: Duration = Duration::from_secs(180);
/// Between two looks.
const PAUSE: Duration = Duration::from_millis(200);

/// Why the window can't be used.
#[derive(Debug, Error)]
pub enum WindowError {
    /// There is nothing to open it on.
    #[error(transparent)]
    Screen(#[from] ScreenError),
    /// The program is not built.
    #[error(transparent)]
    Program(#[from] HostError),
    /// A file or the program can't be used.
    #[error("can't use {}: {error}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// What the system says.
        error: io::Error,
    },
    /// The program ended by itself.
    #[error("the standalone program ended ({0}); what it said is above")]
    Ended(ExitStatus),
    /// The screen or the window is gone.
    #[error("the window can't be reached: {0}")]
    Gone(#[from] ReplyError),
    /// It did not do what it should.
    #[error("the standalone program made no {0} in {PATIENCE:?}")]
    Late(&'static str),
}

/// A running program, in a home of its own.
pub struct Standalone {
    program: Process,
    window: Window,
    screen: Screen,
    home: TempDir,
}

impl Standalone {
    /// Opens the window of the program that `cargo xtask bundle etude` built last.
    ///
    /// # Errors
    /// If there is no screen or no program, or no window in [`PATIENCE`].
    pub fn open() -> Result<Standalone, WindowError> {
        let path = bundles().join(format!("Etude{}", std::env::consts::EXE_SUFFIX));
        if !path.exists() {
            return Err(HostError::NotBuilt { path }.into());
        }
        let screen = Screen::start()?;
        let home = TempDir::new().map_err(|error| WindowError::File { path: std::env::temp_dir(), error })?;
        let mut command = Command::new(&path);
        command.args(["--backend", "dummy"]).stdin(Stdio::null()).stdout(Stdio::null());
        command
            .env("DISPLAY", screen.display())
            .env("LIBGL_ALWAYS_SOFTWARE", "1")
            .env_remove("WAYLAND_DISPLAY");
        for folder in ["HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME", "XDG_RUNTIME_DIR"] {
            command.env(folder, home.path());
        }
        let program = command.spawn().map_err(|error| WindowError::File { path, error })?;
        let mut standalone = Standalone { program: Process(program), window: 0, screen, home };
        standalone.window = standalone.wait("window", |this| Ok(this.screen.window("Etude")?))?;
        Ok(standalone)
    }

    /// Clicks Generate.
    ///
    /// # Errors
    /// If the window is gone.
    pub fn generate(&self) -> Result<(), WindowError> {
        Ok(self.screen.click(self.window, GENERATE.0, GENERATE.1)?)
    }

    /// Saves a clip with the key for it, and says where it is; waits for a take if there is none yet.
    ///
    /// # Errors
    /// If there is no clip in [`PATIENCE`].
    pub fn save_clip(&mut self) -> Result<PathBuf, WindowError> {
        let before = self.clips()?;
        self.wait("clip", |this| {
            let clip = this.clips()?.into_iter().find(|clip| !before.contains(clip));
            if clip.is_none() {
                this.screen.press(SAVE)?;
            }
            Ok(clip)
        })
    }

    /// What the window shows.
    ///
    /// # Errors
    /// If it is gone.
    pub fn picture(&self) -> Result<Picture, WindowError> {
        Ok(self.screen.picture(self.window)?)
    }

    /// The saved clips. The home has no folder for music.
    fn clips(&self) -> Result<Vec<PathBuf>, WindowError> {
        let folder = self.home.path().join("Etude");
        let unreadable = |error| WindowError::File { path: folder.clone(), error };
        let entries = match fs::read_dir(&folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries.map_err(unreadable)?,
        };
        let is_clip = |path: &PathBuf| path.extension().is_some_and(|extension| extension == "mid");
        let paths: Result<Vec<PathBuf>, io::Error> = entries.map(|entry| Ok(entry?.path())).collect();
        Ok(paths.map_err(unreadable)?.into_iter().filter(is_clip).collect())
    }

    /// Looks again and again until there is something, while the program runs.
    fn wait<T>(
        &mut self,
        what: &'static str,
        look: impl Fn(&Standalone) -> Result<Option<T>, WindowError>,
    ) -> Result<T, WindowError> {
        let deadline = Instant::now() + PATIENCE;
        while Instant::now() < deadline {
            if let Some(found) = look(self)? {
                return Ok(found);
            }
            let program = &mut self.program.0;
            let ended = program.try_wait();
            if let Some(status) = ended.map_err(|error| WindowError::File { path: "Etude".into(), error })? {
                return Err(WindowError::Ended(status));
            }
            thread::sleep(PAUSE);
        }
        Err(WindowError::Late(what))
    }
}

/// Opens the window, lets it compose, and keeps a picture of it as a PNG file.
///
/// # Errors
/// If it can't be opened or written, or there is no take in [`PATIENCE`].
pub fn photograph(path: &Path) -> Result<(), WindowError> {
    let mut standalone = Standalone::open()?;
    // There is a clip as soon as the take is whole; when there is another one, what the window drew then is seen.
    standalone.save_clip()?;
    standalone.save_clip()?;
    keep(&standalone.picture()?, path)
}

/// Writes a picture as a PNG file.
///
/// # Errors
/// If it can't be written.
pub fn keep(picture: &Picture, path: &Path) -> Result<(), WindowError> {
    let png = png(picture.width, picture.height, picture.pixels.as_flattened());
    let written = png.map_err(io::Error::from).and_then(|bytes| fs::write(path, bytes));
    written.map_err(|error| WindowError::File { path: path.to_owned(), error })
}
