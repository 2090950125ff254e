//! The framework's worker thread, which all VST3 instances share.
//!
//! On Linux it tells the editor of every knob that the host turned. It ends when it comes to a task of an instance that is
//! gone, or to any while a window opens or closes; the editor does without it. But the last instance that lets the worker
//! go panics if it has ended, and that would end the host.

use std::mem;
use std::sync::Once;

use nice_plug::wrapper::vst3::Wrapper;

use crate::Etude;

/// Something to do on the worker, or on the main thread.
pub struct Task(Box<dyn FnOnce() + Send>);

impl Task {
    pub(crate) fn new(work: impl FnOnce() + Send + 'static) -> Task {
        Task(Box::new(work))
    }

    /// Does it. To be called on its thread.
    pub(crate) fn run(self) {
        (self.0)();
    }
}

/// Holds the worker for as long as the process lives, so that no instance is the last: by one that is never used.
pub(crate) fn hold() {
    static HELD: Once = Once::new();
    if cfg!(target_os = "linux") {
        HELD.call_once(|| mem::forget(Wrapper::<Etude>::new()));
    }
}
