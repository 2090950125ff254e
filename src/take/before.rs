//! From one take to the next: the one before goes on to its bar line.

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::Take;
use crate::ticks::nearest_tick;

/// A take in which the player is when another one comes: it goes on to its next bar line.
#[derive(Debug, Clone)]
pub struct Before {
    take: Arc<Take>,
    /// From where the player was when the other one came, to that bar line.
    range: Range<i64>,
    /// Whether the player left it. All clones know.
    over: Arc<AtomicBool>,
}

impl Before {
    /// The one before a take that comes while `old` is played, the player having come to the host's tick `playhead`.
    /// `None` if the other one has to follow at once: nothing plays there, or `old` is not composed up to its bar line.
    pub fn at(old: &Arc<Take>, playhead: i64) -> Option<Before> {
        // What is at the playhead itself is not played yet; the lowest there is says that nothing is.
        let here = playhead.checked_sub(1)?;
        match &old.before {
            Some(before) if before.is_over() => {
                Before::at(&Arc::new(Take { before: None, ..(**old).clone() }), playhead)
            }
            Some(before) if before.range.contains(&here) => Some(before.clone()),
            // Also where the player is said to be past what was before `old`: it may be about to play that only now.
            _ => {
                let end = old.bar_line_after(here)?;
                let before = || Before { take: old.clone(), range: here..end, over: Arc::default() };
                old.is_decided(end).then(before)
            }
        }
    }

    /// The take.
    pub fn take(&self) -> &Take {
        &self.take
    }

    /// The host's tick up to which it is played, unless the host jumps.
    pub fn until(&self) -> i64 {
        self.range.end
    }

    /// Whether its bar line is the next one of a player that goes on in `ticks`; it is not where the host turned back.
    pub(crate) fn is_near(&self, ticks: &Range<i64>) -> bool {
        let bar = nearest_tick(self.take.music.time_signature.quarters_per_bar());
        ticks.start < self.until() && self.until() - ticks.start <= bar + (ticks.end - ticks.start)
    }

    /// Whether the player left it.
    pub(crate) fn is_over(&self) -> bool {
        self.over.load(Ordering::SeqCst)
    }

    /// Says that the player left it, for good.
    pub(crate) fn end(&self) {
        self.over.store(true, Ordering::SeqCst);
    }
}
