//! The pace of a take: where nobody asks for a density, it stays within what people play.
//!
//! A network that hears its own fast notes expects more of them, and can talk itself into a frenzy that no hands keep
//! up. Where the last seconds were as busy as that, it is asked for less, through the density that it learned to follow,
//! and made to like short waits less, until it has calmed down. The other way round it dozes off: one that hears hardly
//! any notes expects few, and follows a wish for more too little. There it is made to like long waits less, until it is
//! awake.

use std::collections::VecDeque;

use crate::time::{Ticks, TimeBase};

/// How far back the pace is measured, in seconds or quarter notes: longer than a run or a cadenza's flourish, which may
/// be as fast as they like.
const SPAN: f64 = 8.0;

/// How far back music that dozes off is looked for: longer than a pause or a held chord at the end of a phrase.
const LONG_SPAN: f64 = 16.0;
/// Waits up to this are as likely as ever, in seconds or quarter notes; each second or quarter note more is so many nats
/// less likely.
const SHORT: f64 = 0.5;
const RELUCTANCE: f64 = 1.0;
/// In a frenzy, waits from this on are as likely as ever; none at all is so many nats less likely.
const BREATH: f64 = 0.1;
const HASTE: f64 = 1.0;

/// Densities in notes per second or quarter note.
struct Limits {
    /// What people hardly exceed for long. Lower, and lively pieces are never heard; higher, and frenzies are.
    busiest: f32,
    /// What is asked for then.
    wish: f32,
    /// Where the pianist is left alone again: what people play on average.
    calm: f32,
    /// What people hardly stay below for long.
    sparsest: f32,
    /// Where long waits are as likely as ever again.
    awake: f32,
}

/// Follows a take and says what density to ask for.
pub(super) struct Pace {
    limits: Limits,
    unit: f64,
    /// The onsets within the longer span.
    onsets: VecDeque<Ticks>,
    wish: Option<f32>,
    dozes: bool,
}

impl Pace {
    /// The pace of a take by a pianist of this time base.
    pub(super) fn new(base: TimeBase) -> Pace {
        // Competition performances have 10 notes per second on average, and 2 to 23 in their quietest and busiest
        // stretches of half a minute; arrangements of songs 5 per quarter note, and 2.4 to 9 in sixteen bars.
        let limits = match base {
            TimeBase::Seconds => Limits { busiest: 16.0, wish: 6.0, calm: 10.0, sparsest: 2.0, awake: 4.0 },
            TimeBase::Beats => Limits { busiest: 10.0, wish: 3.0, calm: 5.0, sparsest: 2.5, awake: 3.5 },
        };
        let unit = base.ticks_per_unit();
        Pace { limits, unit, onsets: VecDeque::new(), wish: None, dozes: false }
    }

    /// Follows a step that was taken at tick `now`.
    pub(super) fn follow(&mut self, now: Ticks, strikes: bool) {
        if strikes {
            self.onsets.push_back(now);
        }
        let long_span = (LONG_SPAN * self.unit) as Ticks;
        let first_within =
            |onsets: &VecDeque<Ticks>, span| onsets.partition_point(|onset| onset + span < now);
        self.onsets.drain(..first_within(&self.onsets, long_span));

        let notes = self.onsets.len() - first_within(&self.onsets, (SPAN * self.unit) as Ticks);
        let density = notes as f32 / SPAN as f32;
        if density > self.limits.busiest {
            self.wish = Some(self.limits.wish);
        } else if density < self.limits.calm {
            self.wish = None;
        }
        let density = self.onsets.len() as f32 / LONG_SPAN as f32;
        if density < self.limits.sparsest && now > long_span {
            self.dozes = true;
        } else if density > self.limits.awake {
            self.dozes = false;
        }
    }

    /// Whether some waits shall be less likely.
    pub(super) fn is_off(&self) -> bool {
        self.dozes || self.wish.is_some()
    }

    /// Whether that is because it is too slow.
    pub(super) fn dozes(&self) -> bool {
        self.dozes
    }

    /// How many nats less likely so long a wait shall be.
    pub(super) fn reluctance(&self, wait: Ticks) -> f32 {
        let wait = f64::from(wait) / self.unit;
        let nats = if self.dozes {
            RELUCTANCE * (wait - SHORT).max(0.0)
        } else if self.wish.is_some() {
            HASTE * (1.0 - wait / BREATH).max(0.0)
        } else {
            0.0
        };
        nats as f32
    }

    /// The density to ask for, if any.
    pub(super) fn wish(&self) -> Option<f32> {
        self.wish
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The wish after `seconds` of so many notes per second.
    fn play(pace: &mut Pace, from: Ticks, seconds: Ticks, density: Ticks) -> Option<f32> {
        (0..seconds * density).for_each(|note| pace.follow(from + note * 100 / density, true));
        pace.wish()
    }

    #[test]
    fn a_short_run_may_be_as_fast_as_it_likes() {
        let mut pace = Pace::new(TimeBase::Seconds);
        assert_eq!(play(&mut pace, 0, 20, 10), None);
        assert_eq!(play(&mut pace, 2000, 2, 30), None);
    }

    #[test]
    fn what_no_hands_keep_up_is_calmed_until_it_is_calm() {
        let mut pace = Pace::new(TimeBase::Seconds);
        assert_eq!(play(&mut pace, 0, 10, 25), Some(6.0));
        assert_eq!([0, 5, 10, 250].map(|wait| pace.reluctance(wait)), [1.0, 0.5, 0.0, 0.0]);
        assert_eq!(play(&mut pace, 1000, 4, 14), Some(6.0), "not calm yet");
        assert_eq!(play(&mut pace, 1400, 10, 8), None);
    }

    #[test]
    fn what_dozes_off_waits_less_until_it_is_awake() {
        let mut pace = Pace::new(TimeBase::Seconds);
        play(&mut pace, 0, 14, 1);
        assert!(!pace.is_off(), "it may begin as slowly as it likes");
        play(&mut pace, 1400, 6, 1);
        assert!(pace.is_off());
        assert_eq!([50, 150, 250].map(|wait| pace.reluctance(wait)), [0.0, 1.0, 2.0]);
        play(&mut pace, 2000, 10, 4);
        assert!(pace.is_off(), "not awake yet");
        play(&mut pace, 3000, 10, 6);
        assert!(!pace.is_off());
    }
}
