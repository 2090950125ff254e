//! A screen in memory, where windows open, are clicked and photographed without anybody to see them.

use std::io::{BufRead, BufReader, ErrorKind};
use std::process::{Child, Command, Stdio};

use thiserror::Error;
use x11rb::connection::Connection;
use x11rb::errors::ReplyError;
use x11rb::protocol::xproto::{
    AtomEnum, BUTTON_PRESS_EVENT, BUTTON_RELEASE_EVENT, ConnectionExt as _, ImageFormat, KEY_PRESS_EVENT,
    KEY_RELEASE_EVENT, MOTION_NOTIFY_EVENT, MapState, Window,
};
use x11rb::protocol::xtest::ConnectionExt as _;
use x11rb::rust_connection::RustConnection;

/// Width, height and bits of a pixel.
const SIZE: &str = "1280x800x24";

/// Why there is no screen.
#[derive(Debug, Error)]
pub enum ScreenError {
    /// The program for it is missing.
    #[error("there is no Xvfb to open a window in; `cargo xtask test` installs it on Debian and Ubuntu")]
    NotInstalled,
    /// It gives no screen.
    #[error("Xvfb gives no screen ({0}); does `Xvfb -displayfd 1` work?")]
    NotStarted(String),
}

/// An X server of its own, which ends with it.
pub struct Screen {
    connection: RustConnection,
    root: Window,
    display: String,
    _server: Process,
}

impl Screen {
    /// Starts a screen.
    ///
    /// # Errors
    /// If it is not installed, or does not start.
    pub fn start() -> Result<Screen, ScreenError> {
        if !cfg!(target_os = "linux") {
            return Err(ScreenError::NotInstalled);
        }
        let not_started = |error: &dyn std::fmt::Display| ScreenError::NotStarted(error.to_string());
        let mut command = Command::new("Xvfb");
        // It takes a free number, and says which one when it is ready.
        command.args(["-displayfd", "1", "-nolisten", "tcp", "-screen", "0", SIZE]);
        let server = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn();
        let mut server = Process(server.map_err(|error| match error.kind() {
            ErrorKind::NotFound => ScreenError::NotInstalled,
            _ => not_started(&error),
        })?);
        let mut number = String::new();
        if let Some(output) = server.0.stdout.take() {
            BufReader::new(output).read_line(&mut number).map_err(|error| not_started(&error))?;
        }
        if number.trim().is_empty() {
            return Err(not_started(&"it ended"));
        }
        let display = format!(":{}", number.trim());
        let (connection, _) = x11rb::connect(Some(&display)).map_err(|error| not_started(&error))?;
        let root = connection.setup().roots.first().ok_or_else(|| not_started(&"it has none"))?.root;
        Ok(Screen { connection, root, display, _server: server })
    }

    /// What programs that draw on it find in `DISPLAY`.
    pub fn display(&self) -> &str {
        &self.display
    }

    /// The visible window of this title, if there is one.
    ///
    /// # Errors
    /// If the screen is gone.
    pub fn window(&self, title: &str) -> Result<Option<Window>, ReplyError> {
        let screen = &self.connection;
        for window in screen.query_tree(self.root)?.reply()?.children {
            let name = screen.get_property(false, window, AtomEnum::WM_NAME, AtomEnum::ANY, 0, 64)?;
            let state = screen.get_window_attributes(window)?;
            // Windows may close while they are looked at.
            let (Ok(name), Ok(state)) = (name.reply(), state.reply()) else { continue };
            if name.value == title.as_bytes() && state.map_state == MapState::VIEWABLE {
                return Ok(Some(window));
            }
        }
        Ok(None)
    }

    /// Clicks into a window, `x` and `y` pixels from its corner.
    ///
    /// # Errors
    /// If the window or the screen is gone.
    pub fn click(&self, window: Window, x: i16, y: i16) -> Result<(), ReplyError> {
        let corner = self.connection.get_geometry(window)?.reply()?;
        self.input(MOTION_NOTIFY_EVENT, 0, corner.x + x, corner.y + y)?;
        self.input(BUTTON_PRESS_EVENT, 1, 0, 0)?;
        self.input(BUTTON_RELEASE_EVENT, 1, 0, 0)
    }

    /// Presses the key of a small letter; the window under the pointer gets it.
    ///
    /// # Errors
    /// If the screen is gone.
    pub fn press(&self, letter: char) -> Result<(), ReplyError> {
        let setup = self.connection.setup();
        let (first, last) = (setup.min_keycode, setup.max_keycode);
        let mapping = self.connection.get_keyboard_mapping(first, last - first + 1)?.reply()?;
        let mut keys = (first..=last).zip(mapping.keysyms.chunks(mapping.keysyms_per_keycode.max(1).into()));
        // The symbols of Latin letters are their code points.
        if let Some((key, _)) = keys.find(|(_, symbols)| symbols.contains(&letter.into())) {
            self.input(KEY_PRESS_EVENT, key, 0, 0)?;
            self.input(KEY_RELEASE_EVENT, key, 0, 0)?;
        }
        Ok(())
    }

    /// What a window shows.
    ///
    /// # Errors
    /// If the window or the screen is gone.
    pub fn picture(&self, window: Window) -> Result<Picture, ReplyError> {
        let size = self.connection.get_geometry(window)?.reply()?;
        let (width, height) = (size.width, size.height);
        let image = self
            .connection
            .get_image(ImageFormat::Z_PIXMAP, window, 0, 0, width, height, u32::MAX)?
            .reply()?;
        // A server of this depth and on this machine has blue first, and a fourth byte of nothing.
        let pixels = image.data.as_chunks::<4>().0.iter().map(|&[blue, green, red, _]| [red, green, blue]);
        Ok(Picture { width: width.into(), height: height.into(), pixels: pixels.collect() })
    }

    fn input(&self, event: u8, detail: u8, x: i16, y: i16) -> Result<(), ReplyError> {
        self.connection.xtest_fake_input(event, detail, x11rb::CURRENT_TIME, self.root, x, y, 0)?.check()
    }
}

/// A photograph of a window.
pub struct Picture {
    /// In pixels.
    pub width: u32,
    /// In pixels.
    pub height: u32,
    /// Row by row from the top, red, green and blue of each.
    pub pixels: Vec<[u8; 3]>,
}

/// A running program, which ends with it.
pub(crate) struct Process(pub(crate) Child);

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
