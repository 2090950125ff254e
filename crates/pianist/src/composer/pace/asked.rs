//! The pace of a take for which a density is asked.

use super::Onsets;
use crate::time::{Ticks, TimeBase};

/// How far back the density is measured, in seconds or quarter notes: short, so that a turned knob is soon heard.
const SPAN: f64 = 4.0;
/// The density is not known before the take is as long as this, in seconds or quarter notes.
const SOON: f64 = 1.0;
/// Penalty in nats for each note that would be due in a wait, and how many of these count at most.
const STEER: f64 = 1.75;
const MOST: f64 = 2.5;

/// Follows a take and steers it to a density.
pub(in crate::composer) struct Asked {
    /// In notes per second or quarter note.
    density: f64,
    /// What the network is asked for, in the same unit: it knows only what people play.
    wish: f32,
    onsets: Onsets,
    /// The density of the last `SPAN`; before it is known, what is asked for.
    played: f64,
}

impl Asked {
    pub(super) fn new(base: TimeBase, density: f32) -> Asked {
        // All but the sparsest and the busiest hundredth of people's music, as `evaluate` finds it.
        let wish = match base {
            TimeBase::Seconds => density.clamp(1.8, 22.8),
            TimeBase::Beats => density.clamp(2.4, 8.7),
        };
        let density = f64::from(density);
        Asked { density, wish, onsets: Onsets::new(base, SPAN), played: density }
    }

    pub(super) fn follow(&mut self, now: Ticks, strikes: bool) {
        self.onsets.follow(now, strikes);
        let span = (f64::from(now) / self.onsets.unit).min(SPAN);
        if span >= SOON {
            self.played = self.onsets.density(now, span);
        }
    }

    pub(super) fn penalty(&self, wait: Ticks) -> f32 {
        let due = f64::from(wait) / self.onsets.unit * self.density.max(self.played);
        (STEER * self.shortage() * due.min(MOST)) as f32
    }

    /// -2 where there are far too many notes, 0 where they are as many as asked for, 2 where there are none: nearly the
    /// logarithm of their ratio where that is small, but the same on every machine.
    fn shortage(&self) -> f64 {
        2.0 * (self.density - self.played) / (self.density + self.played).max(f64::MIN_POSITIVE)
    }

    pub(super) fn wish(&self) -> f32 {
        self.wish
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The pace after `seconds` of `played` notes per second where `asked` are wanted.
    fn after(seconds: Ticks, played: Ticks, asked: f32) -> Asked {
        let mut pace = Asked::new(TimeBase::Seconds, asked);
        (0..=seconds * played).for_each(|note| pace.follow(note * 100 / played, true));
        pace
    }

    #[test]
    fn too_many_notes_make_long_waits_likelier_and_too_few_short_ones() {
        let (busy, sparse) = (after(8, 10, 5.0), after(8, 2, 5.0));
        for waits in [[0, 10], [10, 40]] {
            let [short, long] = waits;
            assert!(busy.penalty(long) < busy.penalty(short));
            assert!(sparse.penalty(long) > sparse.penalty(short));
        }
        assert_eq!([busy.penalty(0), sparse.penalty(0)], [0.0; 2], "chords are what they are");
    }

    #[test]
    fn as_many_notes_as_asked_for_are_hardly_steered() {
        let pace = after(8, 5, 5.0);
        assert!([10, 20, 100].iter().all(|wait| pace.penalty(*wait).abs() < 0.3));
    }

    #[test]
    fn silence_and_frenzy_are_steered_with_all_might_but_no_more() {
        let most = (2.0 * STEER * MOST) as f32;
        let mut silent = Asked::new(TimeBase::Beats, 1000.0);
        silent.follow(96, false);
        assert_eq!(silent.penalty(Ticks::MAX), most);
        assert!(after(8, 90, 0.0).penalty(Ticks::MAX).abs() <= most);
    }

    #[test]
    fn the_network_is_asked_for_what_it_has_heard() {
        let wishes = |base, densities: [f32; 3]| densities.map(|density| Asked::new(base, density).wish());
        assert_eq!(wishes(TimeBase::Beats, [0.0, 5.0, 32.0]), [2.4, 5.0, 8.7]);
        assert_eq!(wishes(TimeBase::Seconds, [0.0, 5.0, 32.0]), [1.8, 5.0, 22.8]);
    }
}
