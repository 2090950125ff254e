//! Dragging a clip out of the window, into a project or a folder. On Windows and macOS; elsewhere no window can begin that
//! without the toolkit that made it.

use std::path::PathBuf;

use nice_plug::prelude::AsyncExecutor;
use nice_plug_egui::baseview::PlatformHandle;

use crate::Etude;
use crate::worker::Task;

/// Whether this system can.
pub const POSSIBLE: bool = cfg!(any(target_os = "windows", target_os = "macos"));

/// A window that files can be dragged out of.
#[derive(Clone)]
pub struct Origin {
    /// Reaches the main thread.
    pub executor: AsyncExecutor<Etude>,
    /// The window.
    pub window: PlatformHandle,
}

impl Origin {
    /// Goes on with a file what the user began with the mouse; says to `failed` why that is impossible. Not for the main
    /// thread: Windows runs the main thread's messages while it drags, and the editor must not be at work then.
    pub fn drag(self, file: PathBuf, failed: impl FnOnce(String) + Send + 'static) {
        let Origin { executor, window } = self;
        executor.execute_gui(Task::new(move || {
            if let Err(why) = drag(&window, file) {
                failed(format!("can't drag the clip: {why}"));
            }
        }));
    }
}

#[cfg(any(target_os = "windows", target_os = "macos"))]
fn drag(window: &PlatformHandle, file: PathBuf) -> Result<(), String> {
    use std::panic::{AssertUnwindSafe, catch_unwind};

    let (files, image) = (drag::DragItem::Files(vec![file]), drag::Image::Raw(PICTURE.to_vec()));
    let start = || drag::start_drag(window, files, image, |_, _| (), drag::Options::default());
    // On macOS it panics if another plugin in the process brought the same library: both name their classes alike.
    match catch_unwind(AssertUnwindSafe(start)) {
        Ok(started) => started.map_err(|error| error.to_string()),
        Err(_) => Err("another plugin is in the way".to_owned()),
    }
}

/// What hangs at the pointer: a clip.
#[cfg(any(target_os = "windows", target_os = "macos"))]
const PICTURE: &[u8] = include_bytes!("clip.png");

#[cfg(not(any(target_os = "windows", target_os = "macos")))]
fn drag(_window: &PlatformHandle, _file: PathBuf) -> Result<(), String> {
    Err("this system has no way".to_owned())
}
