//! Both ends of everything that crosses threads.
//!
//! ```text
//! editor ── orders, manner ──▶ generator ── takes ──▶ player
//!    ▲ ────────── status ─────────┘ ▲ ── playhead ─────┘
//! ```
//! The player's end never allocates, frees, locks or blocks, but for an offline bounce: there it waits for music. Takes
//! reach it through a triple buffer, so a take that it is done with is dropped by the generator.

mod sleep;

use std::ops::Range;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

use triple_buffer::{Input, Output, triple_buffer};

use crate::generator::Order;
use crate::manner::Manner;
use crate::player::Block;
use crate::take::{Before, Take};
use crate::ticks::nearest_tick;
use sleep::Sleep;

/// How often an offline bounce looks for new music.
const INTERVAL: Duration = Duration::from_millis(1);

/// How much further than to a block's end it waits for it at most, in quarter notes; generators keep more in hand.
const FURTHER: f64 = 16.0;

/// What the generator is about.
#[derive(Debug, Clone, Default)]
pub struct Status {
    /// The number of the last order that the take meets, or that could not be met.
    pub order: u64,
    /// The newest take, as far as it is composed.
    pub take: Option<Arc<Take>>,
    /// The other takes of that order, best first.
    pub others: Vec<Arc<Take>>,
    /// Whether it is being composed further, or another one is about to be.
    pub composing: bool,
    /// Why that order could not be met.
    pub error: Option<String>,
    /// Why the device that was asked for does not compose, if another had to.
    pub warning: Option<String>,
    /// How many steps are composed in a second, once it is known.
    pub pace: Option<f64>,
    /// What composes.
    pub device: String,
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
    /// The one that was passed on last.
    playing: Option<Arc<Take>>,
    /// How takes are played.
    manner: Manner,
    shared: Arc<Shared>,
}

/// Where takes are played.
pub struct PlayerEnd {
    takes: Output<Option<Arc<Take>>>,
    /// How long it may still wait for music.
    patience: Duration,
    /// How many rings of the bell it knows of.
    rung: u64,
    shared: Arc<Shared>,
}

/// What all threads see. Every access is sequentially consistent, as those to [`Sleep`].
#[derive(Default)]
struct Shared {
    sleep: Sleep,
    /// The manner asked for last, until the generator takes it.
    manner: Mutex<Option<Manner>>,
    /// How many orders were given.
    ordered: AtomicU64,
    /// The last one that was refused, or that there is music for.
    answered: AtomicU64,
    /// Whether there will be more music for it, if the playhead goes on.
    growing: AtomicBool,
    /// How many rings of the bell led to what they were for: orders, or another manner.
    heeded: AtomicU64,
    /// Whether the player may wait for music.
    hurried: AtomicBool,
    /// Whether a graphics driver works for the generator, which may hang.
    driven: AtomicBool,
    /// Whether the generator shall end, or has ended.
    over: AtomicBool,
    status: Mutex<Status>,
}

/// All ends of a new hand-over.
pub fn handover() -> (EditorEnd, GeneratorEnd, PlayerEnd) {
    let (order, orders) = mpsc::channel();
    let (write, read) = triple_buffer(&None);
    let shared = Arc::new(Shared::default());
    (
        EditorEnd { orders: order, shared: shared.clone() },
        GeneratorEnd {
            orders,
            takes: write,
            playing: None,
            manner: Manner::default(),
            shared: shared.clone(),
        },
        PlayerEnd { takes: read, patience: Duration::ZERO, rung: 0, shared },
    )
}

impl EditorEnd {
    /// Orders a take, and gives the order's number. It replaces an order that is not met yet.
    pub fn order(&self, order: Order) -> u64 {
        let number = self.shared.ordered.fetch_add(1, SeqCst) + 1;
        // Without a generator, at the very end, nobody waits for an answer.
        let _ = self.orders.send((number, order));
        self.shared.sleep.wake();
        number
    }

    /// Plays takes in another manner from now on, the one that is played too.
    pub fn set_manner(&self, manner: Manner) {
        *self.shared.manner.lock().unwrap_or_else(PoisonError::into_inner) = Some(manner);
        self.shared.sleep.wake();
    }

    /// Whether an offline bounce waits for whatever is asked for.
    pub(crate) fn is_hurried(&self) -> bool {
        self.shared.hurried.load(SeqCst)
    }

    /// What the generator is about.
    pub fn status(&self) -> Status {
        // Asked first: an order that is answered by then is in what is looked at next.
        let waiting = self.shared.answered.load(SeqCst) < self.shared.ordered.load(SeqCst);
        let status = self.shared.status(|status| status.clone());
        Status { composing: (status.composing || waiting) && !self.shared.over.load(SeqCst), ..status }
    }

    /// Names the generator's thread, once, so that it can be woken.
    pub(crate) fn introduce(&self, generator: Thread) {
        self.shared.sleep.introduce(generator);
    }

    /// Whether the generator may have to wait for a graphics driver.
    pub(crate) fn is_driven(&self) -> bool {
        self.shared.driven.load(SeqCst)
    }

    /// Tells the generator to end as soon as it can.
    pub(crate) fn dismiss(&self) {
        self.shared.over.store(true, SeqCst);
        self.shared.sleep.wake();
    }
}

impl GeneratorEnd {
    /// Whether to end.
    pub(crate) fn is_over(&self) -> bool {
        self.shared.over.load(SeqCst)
    }

    /// Says that it may have to wait for a graphics driver from now on.
    pub(crate) fn be_driven(&self) {
        self.shared.driven.store(true, SeqCst);
    }

    /// The newest order and its number; older ones are forgotten.
    pub(crate) fn newest_order(&self) -> Option<(u64, Order)> {
        self.orders.try_iter().last()
    }

    /// The host's tick up to which the player plays; the lowest there is, while it does not.
    pub(crate) fn playhead(&self) -> i64 {
        self.shared.sleep.playhead()
    }

    /// The take that the player has.
    pub(crate) fn playing(&self) -> Option<Arc<Take>> {
        self.playing.clone()
    }

    /// Says that so many rings of the bell led to what they were for.
    pub(crate) fn heed(&self, rings: u64) {
        self.shared.heeded.store(rings, SeqCst);
    }

    /// The manner that was asked for, if it is another one.
    pub(crate) fn new_manner(&self) -> Option<Manner> {
        let manner = self.shared.manner.lock().unwrap_or_else(PoisonError::into_inner).take();
        manner.filter(|manner| *manner != self.manner)
    }

    /// Plays all takes in another manner, the current one, if it plays, from its next bar on.
    pub(crate) fn play_again(&mut self, manner: Manner) {
        self.manner = manner;
        let Some(playing) = self.playing() else { return };
        let played = self.play(playing.in_manner(manner));
        self.shared.status(|status| status.take = Some(played));
    }

    /// Passes a take on to the player, in the manner asked for; what plays goes on to its bar line.
    pub(crate) fn play(&mut self, take: Take) -> Arc<Take> {
        let take = self.in_manner(take);
        // Asked last: the player goes on meanwhile.
        let before = self.playing.as_ref().and_then(|playing| Before::at(playing, self.playhead()));
        self.pass_on(take.after(before))
    }

    /// Passes on the take that plays, grown since.
    pub(crate) fn grow(&mut self, take: Take) -> Arc<Take> {
        let before = self.playing.as_ref().and_then(|playing| playing.before().cloned());
        self.pass_on(self.in_manner(take).after(before))
    }

    fn in_manner(&self, take: Take) -> Take {
        if take.manner() == self.manner { take } else { take.in_manner(self.manner) }
    }

    fn pass_on(&mut self, take: Take) -> Arc<Take> {
        let take = Arc::new(take);
        self.takes.write(Some(take.clone()));
        self.playing = Some(take.clone());
        take
    }

    /// Says what order `number` led to so far, once the player has it.
    pub(crate) fn answer(&self, number: u64, status: Status) {
        let composing = status.composing;
        let old = self.shared.status(|current| std::mem::replace(current, status));
        self.shared.growing.store(composing, SeqCst);
        self.shared.answered.store(number, SeqCst);
        drop(old);
    }

    /// Says why order `number` can't be met. The last take stays, or what was kept of it.
    pub(crate) fn refuse(&mut self, number: u64, kept: Option<Arc<Take>>, error: String) {
        let kept = kept.map(|kept| self.play(kept.in_manner(self.manner)));
        self.shared.status(|status| {
            (status.order, status.error, status.composing) = (number, Some(error), false);
            if let Some(kept) = kept {
                status.take = Some(kept);
                status.others.clear();
            }
        });
        self.shared.growing.store(false, SeqCst);
        self.shared.answered.store(number, SeqCst);
    }

    /// Sleeps while the playhead is in `range` and there is nothing new, until `deadline`; or for a shorter time.
    pub(crate) fn sleep_while(&self, range: Range<i64>, deadline: Option<Instant>) {
        self.shared.sleep.sleep_while(range, deadline);
    }
}

impl Drop for GeneratorEnd {
    /// Nobody shall wait for a generator that is gone.
    fn drop(&mut self) {
        self.shared.over.store(true, SeqCst);
    }
}

impl PlayerEnd {
    /// From now on it may wait so long for music, all in all: for ever in an offline bounce, never in live play (as at
    /// first).
    pub fn wait_at_most(&mut self, patience: Duration) {
        self.patience = patience;
        self.shared.hurried.store(!patience.is_zero(), SeqCst);
    }

    /// From now on an offline bounce waits until so many rings of the bell led to what they were for, too.
    pub(crate) fn expect(&mut self, rings: u64) {
        self.rung = rings;
    }

    /// The take to play in `block`. If it may wait, it waits until it is composed as far as the block goes.
    pub fn take(&mut self, block: &Block) -> Option<&Take> {
        let end = block.end();
        self.shared.sleep.report(end.unwrap_or(i64::MIN));
        if let Some(end) = end {
            while !self.patience.is_zero() && self.has_to_wait(end) {
                let before = Instant::now();
                self.shared.sleep.report(end);
                thread::sleep(INTERVAL);
                self.wait_at_most(self.patience.saturating_sub(before.elapsed()));
            }
        }
        self.takes.read().as_deref()
    }

    /// Whether there is no music yet for the last order.
    pub(crate) fn is_unmet(&self) -> bool {
        self.shared.answered.load(SeqCst) < self.shared.ordered.load(SeqCst)
    }

    /// Whether there will be music up to `tick` that there is not yet.
    fn has_to_wait(&mut self, tick: i64) -> bool {
        if self.shared.over.load(SeqCst) {
            return false;
        }
        // Asked before looking at the take: it may grow, and be complete, in between.
        let unheeded = self.shared.heeded.load(SeqCst) < self.rung;
        let unmet = self.is_unmet();
        let growing = self.shared.growing.load(SeqCst);
        // To the bar line, where another take may follow, as it would in live play.
        let last = tick + nearest_tick(FURTHER);
        let line = |take: &Take| take.bar_line_after(tick).unwrap_or(tick).min(last);
        let decided = self.takes.read().as_ref().is_some_and(|take| take.is_decided(line(take)));
        unheeded || unmet || (growing && !decided)
    }
}

impl Shared {
    fn status<T>(&self, look: impl FnOnce(&mut Status) -> T) -> T {
        look(&mut self.status.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
