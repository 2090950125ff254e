//! From one take to the next while the host rolls: what sounds goes on to the next bar line.

use std::ops::Range;
use std::sync::Arc;

use etude_pianist::composer::{self, Request};
use etude_pianist::midi::TICKS_PER_QUARTER;

use super::bars::{join, only};
use crate::take::{Mode, Place, Take};

/// A change from an `old` take, somewhere in which the player is, to another one of the same length.
pub(super) struct Seam {
    old: Arc<Take>,
    bar: f64,
    /// Where the player is while it plays both: from where they were joined, to the bar line.
    joined: Option<Range<i64>>,
}

impl Seam {
    /// The seam from `old` to what is composed for `request`; `None` if it may follow at once: the host does not roll,
    /// or the two lie on different bars, so that there is no going on.
    pub(super) fn after(old: Arc<Take>, place: Place, request: &Request, playhead: i64) -> Option<Seam> {
        let music = old.music();
        let same = old.place() == place
            && place.mode == Mode::Loop
            && music.time_signature == request.time_signature
            && music.quarters == request.quarters();
        let bar = request.time_signature.quarters_per_bar();
        (same && playhead >= place.anchor).then_some(Seam { old, bar, joined: None })
    }

    /// Whether the player left the bar in which the takes were joined.
    pub(super) fn is_over(&self, playhead: i64) -> bool {
        playhead < self.old.place().anchor
            || self.joined.as_ref().is_some_and(|joined| !joined.contains(&playhead))
    }

    /// Where the player is until it is over.
    pub(super) fn range(&self) -> Range<i64> {
        self.joined.clone().unwrap_or(i64::MIN..i64::MAX)
    }

    /// The old take up to the end of the bar at `playhead`, then the new one.
    pub(super) fn join(&mut self, new: &Take, playhead: i64) -> Take {
        let (music, place) = (new.music(), new.place());
        let ticks = |quarters: f64| (quarters * f64::from(TICKS_PER_QUARTER)).round() as i64;
        let (bar, length) = (ticks(self.bar).max(1), ticks(music.quarters).max(1));
        let inside = (playhead - place.anchor).rem_euclid(length);
        let gone = (inside / bar + 1) as u32;
        self.joined = Some(playhead..playhead - inside + i64::from(gone) * bar);
        let bars = (length / bar) as u32;
        let mut performance =
            only(&self.old.music().performance, std::slice::from_ref(&(0..gone)), self.bar, music.quarters);
        join(
            &mut performance,
            only(&music.performance, std::slice::from_ref(&(gone..bars.max(gone))), self.bar, music.quarters),
        );
        Take::new(composer::Take { performance, ..music.clone() }, place, new.decided())
    }
}
