//! A bell by which any thread, the audio thread too, calls the generator's attention.

use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::sync::{Arc, OnceLock};
use std::thread::Thread;

/// Rung when a knob is turned or there is a command.
#[derive(Debug, Default)]
pub struct Bell {
    rung: AtomicU64,
    listener: OnceLock<Thread>,
}

impl Bell {
    /// Rings. Neither allocates nor blocks.
    pub fn ring(&self) {
        self.rung.fetch_add(1, SeqCst);
        if let Some(listener) = self.listener.get() {
            listener.unpark();
        }
    }

    /// How often it was rung.
    pub(crate) fn count(&self) -> u64 {
        self.rung.load(SeqCst)
    }

    /// Names the thread that is woken, once.
    pub(crate) fn introduce(&self, listener: Thread) {
        let _ = self.listener.set(listener);
    }

    /// A knob's callback: rings whatever the value is.
    pub(crate) fn callback<T>(self: &Arc<Bell>) -> Arc<dyn Fn(T) + Send + Sync> {
        let bell = self.clone();
        Arc::new(move |_| bell.ring())
    }
}
