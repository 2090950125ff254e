//! The generator's sleep, from which whoever has something new wakes it, and the player, where music runs short.

use std::ops::Range;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering::SeqCst};
use std::thread::{self, Thread};
use std::time::Instant;

/// Where the player is, and where it may be without anything to do for the generator. Every access is sequentially
/// consistent: a thread that goes to sleep and one that wakes it must not overlook each other, and a few accesses per block
/// cost nothing.
pub(super) struct Sleep {
    /// The host's tick up to which the player plays; the lowest there is, while it does not.
    playhead: AtomicI64,
    /// The generator sleeps while the playhead is between these two.
    rest_from: AtomicI64,
    rest_until: AtomicI64,
    /// Whether it sleeps, and nobody woke it yet.
    asleep: AtomicBool,
    generator: OnceLock<Thread>,
}

impl Default for Sleep {
    fn default() -> Sleep {
        Sleep {
            playhead: AtomicI64::new(i64::MIN),
            rest_from: AtomicI64::new(i64::MIN),
            rest_until: AtomicI64::new(i64::MAX),
            asleep: AtomicBool::new(false),
            generator: OnceLock::new(),
        }
    }
}

impl Sleep {
    /// Names the generator's thread, once, so that it can be woken.
    pub(super) fn introduce(&self, generator: Thread) {
        let _ = self.generator.set(generator);
    }

    pub(super) fn playhead(&self) -> i64 {
        self.playhead.load(SeqCst)
    }

    /// The player plays up to `tick`.
    pub(super) fn report(&self, tick: i64) {
        self.playhead.store(tick, SeqCst);
        let rest = self.rest_from.load(SeqCst)..self.rest_until.load(SeqCst);
        // Waking a thread is a system call, so it is done once.
        if !rest.contains(&tick) && self.asleep.swap(false, SeqCst) {
            self.wake();
        }
    }

    pub(super) fn wake(&self) {
        if let Some(generator) = self.generator.get() {
            generator.unpark();
        }
    }

    /// Sleeps while the playhead is in `range` and nobody wakes it, until `deadline`; or for a shorter time.
    pub(super) fn sleep_while(&self, range: Range<i64>, deadline: Option<Instant>) {
        self.rest_from.store(range.start, SeqCst);
        self.rest_until.store(range.end, SeqCst);
        self.asleep.store(true, SeqCst);
        if range.contains(&self.playhead()) {
            match deadline {
                Some(deadline) => thread::park_timeout(deadline.saturating_duration_since(Instant::now())),
                None => thread::park(),
            }
        }
        self.asleep.store(false, SeqCst);
    }
}
