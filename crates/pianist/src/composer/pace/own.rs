//! The pace of a take for which nobody asks for a density: it stays within what people play.
//!
//! A network that hears its own fast notes expects more of them, and can talk itself into a frenzy that no hands keep
//! up. Where the last seconds were as busy as that, it is asked for less, through the density that it learned to follow,
//! and short waits get a penalty, until it has calmed down. It can also doze off: one that hears hardly any notes expects
//! few, and follows a wish for more too little. There long waits get a penalty, until it is awake. And it learned from
//! recordings of whole recitals how long people rest between two pieces, which a take has no use for: the longer nothing
//! was struck, the higher is the penalty of waiting on.

use super::Onsets;
use crate::time::{Ticks, TimeBase};

/// How far back the pace is measured, in seconds or quarter notes: longer than a run or a cadenza's flourish, which may
/// be as fast as they like.
const SPAN: f64 = 8.0;
/// How far back music that dozes off is looked for: longer than a pause or a held chord at the end of a phrase.
const LONG_SPAN: f64 = 16.0;
/// Penalties in nats, waits and rests in seconds or quarter notes. Where the music dozes: for each unit that a wait is
/// longer than this.
const DOZING: f64 = 1.0;
const SHORT_WAIT: f64 = 0.5;
/// In a frenzy: for no wait at all, and nothing any more for a wait of this length.
const FRENZY: f64 = 1.0;
const BREATH: f64 = 0.1;
/// Always: for each unit that a rest is longer than people's.
const RESTING: f64 = 2.0;

/// Densities in notes per second or quarter note.
struct Limits {
    /// What people hardly exceed for long. Lower, and lively pieces are never heard; higher, and frenzies are.
    busiest: f64,
    /// What is asked for then.
    wish: f32,
    /// Where the pianist is left alone again: what people play on average.
    calm: f64,
    /// What people hardly stay below for long.
    sparsest: f64,
    /// Where long waits are as likely as ever again.
    awake: f64,
    /// The longest that nothing is struck within a piece, in seconds or quarter notes.
    rest: f64,
}

/// Follows a take and says when it is off people's pace.
pub(in crate::composer) struct Own {
    limits: Limits,
    onsets: Onsets,
    /// Whether few notes are what was asked for.
    may_be_sparse: bool,
    /// Ticks since the latest onset.
    rested: Ticks,
    wish: Option<f32>,
    dozes: bool,
}

impl Own {
    pub(super) fn new(base: TimeBase, may_be_sparse: bool) -> Own {
        // Competition performances have 10 notes per second on average, and 2 to 23 in their quietest and busiest
        // stretches of half a minute; arrangements of songs 5 per quarter note, and 2.4 to 9 in sixteen bars.
        let limits = match base {
            TimeBase::Seconds => {
                Limits { busiest: 16.0, wish: 6.0, calm: 10.0, sparsest: 2.0, awake: 4.0, rest: 2.0 }
            }
            TimeBase::Beats => {
                Limits { busiest: 10.0, wish: 3.0, calm: 5.0, sparsest: 2.5, awake: 3.5, rest: 3.0 }
            }
        };
        let onsets = Onsets::new(base, LONG_SPAN);
        Own { limits, onsets, may_be_sparse, rested: 0, wish: None, dozes: false }
    }

    pub(super) fn follow(&mut self, now: Ticks, strikes: bool) {
        self.onsets.follow(now, strikes);
        self.rested = self.onsets.ticks.back().map_or(0, |onset| now - onset);
        let density = self.onsets.density(now, SPAN);
        if density > self.limits.busiest {
            self.wish = Some(self.limits.wish);
        } else if density < self.limits.calm {
            self.wish = None;
        }
        let density = self.onsets.density(now, LONG_SPAN);
        if density < self.limits.sparsest && now > self.onsets.span {
            self.dozes = !self.may_be_sparse;
        } else if density > self.limits.awake {
            self.dozes = false;
        }
    }

    pub(super) fn penalty(&self, wait: Ticks) -> f32 {
        let units = |ticks: Ticks| f64::from(ticks) / self.onsets.unit;
        let nats = if self.dozes {
            DOZING * (units(wait) - SHORT_WAIT).max(0.0)
        } else if self.wish.is_some() {
            FRENZY * (1.0 - units(wait) / BREATH).max(0.0)
        } else {
            0.0
        };
        let rest = units(self.rested.saturating_add(wait)) - self.limits.rest;
        (nats + RESTING * rest.max(0.0)) as f32
    }

    pub(super) fn wish(&self) -> Option<f32> {
        self.wish
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The wish after `seconds` of `density` notes per second.
    fn play(own: &mut Own, from: Ticks, seconds: Ticks, density: Ticks) -> Option<f32> {
        (0..seconds * density).for_each(|note| own.follow(from + note * 100 / density, true));
        own.wish()
    }

    fn penalties<const COUNT: usize>(own: &Own, waits: [Ticks; COUNT]) -> [f32; COUNT] {
        waits.map(|wait| own.penalty(wait))
    }

    #[test]
    fn a_short_run_may_be_as_fast_as_it_likes() {
        let mut own = Own::new(TimeBase::Seconds, false);
        assert_eq!(play(&mut own, 0, 20, 10), None);
        assert_eq!(play(&mut own, 2000, 2, 30), None);
        assert_eq!(penalties(&own, [0, 5, 10, 100]), [0.0; 4]);
    }

    #[test]
    fn what_no_hands_keep_up_is_calmed_until_it_is_calm() {
        let mut own = Own::new(TimeBase::Seconds, false);
        assert_eq!(play(&mut own, 0, 10, 25), Some(6.0));
        assert_eq!(penalties(&own, [0, 5, 10, 150]), [1.0, 0.5, 0.0, 0.0]);
        assert_eq!(play(&mut own, 1000, 4, 14), Some(6.0), "not calm yet");
        assert_eq!(play(&mut own, 1400, 10, 8), None);
    }

    #[test]
    fn what_dozes_off_waits_less_until_it_is_awake() {
        let mut own = Own::new(TimeBase::Seconds, false);
        let dozes = |own: &Own| own.penalty(150) > 0.0;
        play(&mut own, 0, 14, 1);
        assert!(!dozes(&own), "it may begin as slowly as it likes");
        play(&mut own, 1400, 6, 1);
        assert_eq!(penalties(&own, [50, 100, 150]), [0.0, 0.5, 1.0]);
        play(&mut own, 2000, 10, 4);
        assert!(dozes(&own), "not awake yet");
        play(&mut own, 3000, 10, 6);
        assert!(!dozes(&own));
    }

    #[test]
    fn a_rest_may_be_as_long_as_within_a_piece_and_not_as_between_two() {
        let mut own = Own::new(TimeBase::Seconds, false);
        play(&mut own, 0, 10, 10);
        assert_eq!(penalties(&own, [200, 300, 400]), [0.0, 2.0, 4.0]);
        own.follow(1090, false);
        assert_eq!(penalties(&own, [100, 200]), [0.0, 2.0], "a moved pedal ends no rest");
        own.follow(1090, true);
        assert_eq!(penalties(&own, [200]), [0.0]);
    }

    #[test]
    fn few_keys_at_once_may_be_slow() {
        let mut own = Own::new(TimeBase::Seconds, true);
        play(&mut own, 0, 30, 1);
        assert_eq!(penalties(&own, [50, 100, 150]), [0.0; 3]);
    }
}
