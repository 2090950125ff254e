//! Both ends of everything that crosses threads.
//!
//! ```text
//! editor ── orders ──▶ generator ── takes ──▶ player
//!    ▲ ───── status ───────┘ ▲ ── playhead ─────┘
//! ```
//! The player's end never allocates, frees, locks or blocks, but for an offline bounce: there it waits for music. Takes
//! reach it through a triple buffer, so a take that it is done with is dropped by the generator.

use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering::SeqCst};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, mpsc};
use std::thread::{self, Thread};
use std::time::Duration;

use triple_buffer::{Input, Output, triple_buffer};

use crate::generator::Order;
use crate::player::Block;
use crate::take::Take;

/// How often an offline bounce looks for new music.
const PATIENCE: Duration = Duration::from_millis(1);

/// What the generator is about.
#[derive(Debug, Clone, Default)]
pub struct Status {
    /// The newest take, as far as it is composed.
    pub take: Option<Arc<Take>>,
    /// Whether it is being composed further, or another one is about to be.
    pub composing: bool,
    /// Why the last order could not be met.
    pub error: Option<String>,
}

/// Where orders are given. There may be several.
#[derive(Clone)]
pub struct EditorEnd {
    orders: mpsc::Sender<(u64, Order)>,
    shared: Arc<Shared>,
}

/// Where orders are met.
pub struct GeneratorEnd {
    orders: mpsc::Receiver<(u64, Order)>,
    takes: Input<Option<Arc<Take>>>,
    shared: Arc<Shared>,
}

/// Where takes are played.
pub struct PlayerEnd {
    takes: Output<Option<Arc<Take>>>,
    shared: Arc<Shared>,
}

/// What all threads see. Every access is sequentially consistent: a thread that goes to sleep and one that wakes it must
/// not overlook each other, and a few accesses per block cost nothing.
struct Shared {
    /// The host's tick up to which the player plays.
    playhead: AtomicI64,
    /// The playhead at which the generator wants to be woken.
    wake_at: AtomicI64,
    /// How many orders were given.
    ordered: AtomicU64,
    /// The last one that was refused, or that there is music for.
    answered: AtomicU64,
    /// Whether there will be more music for it, if the playhead goes on.
    growing: AtomicBool,
    /// Whether the generator shall end, or has ended.
    over: AtomicBool,
    generator: OnceLock<Thread>,
    status: Mutex<Status>,
}

/// All ends of a new hand-over.
pub fn handover() -> (EditorEnd, GeneratorEnd, PlayerEnd) {
    let (order, orders) = mpsc::channel();
    let (write, read) = triple_buffer(&None);
    let shared = Arc::new(Shared {
        playhead: AtomicI64::new(i64::MIN),
        wake_at: AtomicI64::new(i64::MAX),
        ordered: AtomicU64::new(0),
        answered: AtomicU64::new(0),
        growing: AtomicBool::new(false),
        over: AtomicBool::new(false),
        generator: OnceLock::new(),
        status: Mutex::default(),
    });
    (
        EditorEnd { orders: order, shared: shared.clone() },
        GeneratorEnd { orders, takes: write, shared: shared.clone() },
        PlayerEnd { takes: read, shared },
    )
}

impl EditorEnd {
    /// Orders a take. It replaces an order that is not met yet.
    pub fn order(&self, order: Order) {
        let number = self.shared.ordered.fetch_add(1, SeqCst) + 1;
        // Without a generator, at the very end, nobody waits for an answer.
        let _ = self.orders.send((number, order));
        self.shared.wake();
    }

    /// What the generator is about.
    pub fn status(&self) -> Status {
        let status = self.shared.status(|status| status.clone());
        let waiting = self.shared.answered.load(SeqCst) < self.shared.ordered.load(SeqCst);
        Status { composing: (status.composing || waiting) && !self.shared.over.load(SeqCst), ..status }
    }

    /// Names the generator's thread, once, so that it can be woken.
    pub(crate) fn introduce(&self, generator: Thread) {
        let _ = self.shared.generator.set(generator);
    }

    /// Tells the generator to end as soon as it can.
    pub(crate) fn dismiss(&self) {
        self.shared.over.store(true, SeqCst);
        self.shared.wake();
    }
}

impl GeneratorEnd {
    /// Whether to end.
    pub(crate) fn is_over(&self) -> bool {
        self.shared.over.load(SeqCst)
    }

    /// The newest order and its number; older ones are forgotten.
    pub(crate) fn newest_order(&self) -> Option<(u64, Order)> {
        self.orders.try_iter().last()
    }

    /// The host's tick up to which the player plays; the lowest there is, before it does.
    pub(crate) fn playhead(&self) -> i64 {
        self.shared.playhead.load(SeqCst)
    }

    /// Passes a take on, as far as it is composed for order `number`.
    pub(crate) fn hand_over(&mut self, number: u64, take: Take, complete: bool) {
        let take = Arc::new(take);
        self.takes.write(Some(take.clone()));
        let status = Status { take: Some(take), composing: !complete, error: None };
        let old = self.shared.status(|current| std::mem::replace(current, status));
        self.shared.growing.store(!complete, SeqCst);
        self.shared.answered.store(number, SeqCst);
        drop(old);
    }

    /// Says why order `number` can't be met; the last take stays.
    pub(crate) fn refuse(&self, number: u64, error: String) {
        self.shared.status(|status| {
            status.error = Some(error);
            status.composing = false;
        });
        self.shared.growing.store(false, SeqCst);
        self.shared.answered.store(number, SeqCst);
    }

    /// Sleeps until the playhead gets to `tick`, there is an order, or all is over; or for a shorter time.
    pub(crate) fn sleep_until(&self, tick: i64) {
        self.shared.wake_at.store(tick, SeqCst);
        if self.playhead() < tick {
            thread::park();
        }
    }
}

impl Drop for GeneratorEnd {
    /// Nobody shall wait for a generator that is gone.
    fn drop(&mut self) {
        self.shared.over.store(true, SeqCst);
    }
}

impl PlayerEnd {
    /// The take to play in `block`. In an `offline` bounce it waits until it is composed as far as the block goes.
    pub fn take(&mut self, block: &Block, offline: bool) -> Option<&Take> {
        if let Some(end) = block.end() {
            self.report(end);
            while offline && self.has_to_wait(end) {
                self.report(end);
                thread::sleep(PATIENCE);
            }
        }
        self.takes.read().as_deref()
    }

    fn report(&self, tick: i64) {
        let Shared { playhead, wake_at, .. } = &*self.shared;
        playhead.store(tick, SeqCst);
        let due = wake_at.load(SeqCst);
        // Waking a thread is a system call, so it is done once.
        if tick >= due && wake_at.compare_exchange(due, i64::MAX, SeqCst, SeqCst).is_ok() {
            self.shared.wake();
        }
    }

    /// Whether there will be music up to `tick` that there is not yet.
    fn has_to_wait(&mut self, tick: i64) -> bool {
        let Shared { over, answered, ordered, growing, .. } = &*self.shared;
        if over.load(SeqCst) {
            return false;
        }
        // Asked before looking at the take: it may grow, and be complete, in between.
        let unmet = answered.load(SeqCst) < ordered.load(SeqCst);
        let growing = growing.load(SeqCst);
        let decided = self.takes.read().as_ref().is_some_and(|take| take.is_decided(tick));
        unmet || (growing && !decided)
    }
}

impl Shared {
    fn wake(&self) {
        if let Some(generator) = self.generator.get() {
            generator.unpark();
        }
    }

    fn status<T>(&self, look: impl FnOnce(&mut Status) -> T) -> T {
        look(&mut self.status.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
