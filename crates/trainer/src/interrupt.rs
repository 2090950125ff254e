//! Ctrl-C, as a question that long work asks between its parts.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

static REQUESTED: AtomicBool = AtomicBool::new(false);
static LISTENING: OnceLock<()> = OnceLock::new();

/// From now on Ctrl-C (and a polite kill) doesn't end the process, but is there to be seen by [`requested`].
///
/// Where the system lets nobody listen, Ctrl-C goes on to end the process at once.
pub fn listen() {
    LISTENING.get_or_init(|| {
        let _ = ctrlc::set_handler(|| REQUESTED.store(true, Ordering::Relaxed));
    });
}

/// Whether Ctrl-C was pressed since [`listen`].
pub fn requested() -> bool {
    REQUESTED.load(Ordering::Relaxed)
}
