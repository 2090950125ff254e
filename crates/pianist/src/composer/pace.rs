//! The pace of a take: where nobody asks for a density, it stays within what people play.
//!
//! A network that hears its own fast notes expects more of them, and can talk itself into a frenzy that no hands keep
//! up. Where the last seconds were as busy as that, it is asked for less, through the density that it learned to follow,
//! until it has calmed down.

use std::collections::VecDeque;

use crate::time::{Ticks, TimeBase};

/// How far back the pace is measured, in seconds or quarter notes: longer than a run or a cadenza's flourish, which may
/// be as fast as they like.
const SPAN: f64 = 8.0;

/// Densities in notes per second or quarter note.
struct Limits {
    /// What people hardly exceed for long. Lower, and lively pieces are never heard; higher, and frenzies are.
    busiest: f32,
    /// What is asked for then.
    wish: f32,
    /// Where the pianist is left alone again: what people play on average.
    calm: f32,
}

/// Follows a take and says what density to ask for.
pub(super) struct Pace {
    limits: Limits,
    span: Ticks,
    /// The onsets within the span.
    onsets: VecDeque<Ticks>,
    wish: Option<f32>,
}

impl Pace {
    /// The pace of a take by a pianist of this time base.
    pub(super) fn new(base: TimeBase) -> Pace {
        // Competition performances have 10 notes per second on average and up to 23 in their busiest stretches of half a
        // minute, arrangements of songs 5 per quarter note.
        let limits = match base {
            TimeBase::Seconds => Limits { busiest: 16.0, wish: 6.0, calm: 10.0 },
            TimeBase::Beats => Limits { busiest: 10.0, wish: 3.0, calm: 5.0 },
        };
        let span = (SPAN * base.ticks_per_unit()) as Ticks;
        Pace { limits, span, onsets: VecDeque::new(), wish: None }
    }

    /// Follows a step that was taken at tick `now`.
    pub(super) fn follow(&mut self, now: Ticks, strikes: bool) {
        if strikes {
            self.onsets.push_back(now);
        }
        while self.onsets.front().is_some_and(|onset| onset + self.span < now) {
            self.onsets.pop_front();
        }
        let density = self.onsets.len() as f32 / SPAN as f32;
        if density > self.limits.busiest {
            self.wish = Some(self.limits.wish);
        } else if density < self.limits.calm {
            self.wish = None;
        }
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
        assert_eq!(play(&mut pace, 1000, 4, 14), Some(6.0), "not calm yet");
        assert_eq!(play(&mut pace, 1400, 10, 8), None);
    }
}
