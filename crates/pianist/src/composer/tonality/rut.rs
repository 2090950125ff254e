//! Music that is stuck in a rut.

use super::Lately;
use crate::time::{Ticks, TimeBase};

/// How far back the pitch classes are counted, in seconds or quarter notes: longer than a trill or a repeated chord.
const SPAN: f64 = 12.0;
/// Notes within the span from which on they are a rut and not a beginning.
const ENOUGH: usize = 24;
/// Music is stuck that is no more scattered than this many pitch classes, as one stretch of people's music in two hundred
/// is; and loose again beyond this many, which one in twenty never comes to.
const STUCK: u64 = 3;
const LOOSE: u64 = 4;
/// A class is worn out that has more than one note in this many; its penalty in nats.
const WORN: u64 = 4;
const PENALTY: f32 = 2.0;

/// Follows a take: where it uses too few pitch classes, it is stuck, until it uses enough again.
pub(in crate::composer) struct Rut {
    lately: Lately,
    stuck: bool,
}

impl Rut {
    pub(super) fn new(base: TimeBase) -> Rut {
        Rut { lately: Lately::new(base, SPAN), stuck: false }
    }

    pub(super) fn follow(&mut self, now: Ticks, pitch_class: Option<usize>) {
        self.lately.follow(now, pitch_class);
        if self.lately.is_beyond(LOOSE) {
            self.stuck = false;
        } else if !self.lately.is_beyond(STUCK) && self.lately.notes.len() >= ENOUGH {
            self.stuck = true;
        }
    }

    pub(super) fn penalty(&self, pitch_class: usize) -> f32 {
        let is_worn = self.lately.counts[pitch_class] * WORN > self.lately.notes.len() as u64;
        if self.stuck && is_worn { PENALTY } else { 0.0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sixteenth notes of these pitch classes, one after another, from a quarter note up to another.
    fn play(rut: &mut Rut, quarters: std::ops::Range<Ticks>, classes: &[usize]) {
        let sixteenths = (quarters.start * 24..quarters.end * 24).step_by(6);
        for (now, class) in sixteenths.zip(classes.iter().cycle()) {
            rut.follow(now, Some(*class));
        }
    }

    /// The classes that are less likely.
    fn worn(rut: &Rut) -> Vec<usize> {
        (0..12).filter(|class| rut.penalty(*class) > 0.0).collect()
    }

    #[test]
    fn a_broken_chord_and_a_trill_are_left_alone() {
        let mut rut = Rut::new(TimeBase::Beats);
        play(&mut rut, 0..16, &[0, 4, 7, 11]);
        play(&mut rut, 16..20, &[2, 4]);
        assert!(worn(&rut).is_empty());
    }

    #[test]
    fn what_repeats_one_note_or_two_for_long_is_stuck_until_it_has_got_going() {
        let mut rut = Rut::new(TimeBase::Beats);
        play(&mut rut, 0..5, &[9]);
        assert!(worn(&rut).is_empty(), "it may begin as it likes");
        play(&mut rut, 5..8, &[9]);
        assert_eq!(worn(&rut), [9]);
        play(&mut rut, 8..24, &[9, 4]);
        assert_eq!(worn(&rut), [4, 9]);
        play(&mut rut, 24..40, &[9, 4, 0, 7, 2]);
        assert!(worn(&rut).is_empty());
    }
}
