//! The tonality of a take: what keeps it to the pitch classes that are asked for, or to its own, and in motion.
//!
//! A wish for pitch classes is an input of the network, which follows it more or less. A network that only hears the last
//! bars well drifts from key to key, until half a minute has used all twelve pitch classes alike, as hardly any music
//! does; or it hears itself repeat a note or a figure, and expects nothing else any more. In all these cases some classes
//! get a penalty, which is taken off their logits. It makes them rare; a lock on a scale would forbid them.

mod rut;
mod wanderer;

use std::collections::VecDeque;

use rut::Rut;
use wanderer::Wanderer;

use crate::time::{Ticks, TimeBase};

/// The penalty in nats of classes that nobody asked for: with it, a half to three quarters of the notes over a held chord
/// are the chord's.
const WISH: f32 = 0.6;

/// What a take should keep away from.
pub(super) enum Tonality {
    /// What has smaller shares than others of what is asked for.
    Asked([f32; 12]),
    /// What is foreign to music that has lost its way, and what music that is stuck repeats.
    Own(Box<Wanderer>, Rut),
}

impl Tonality {
    /// The tonality of a take by a pianist of this time base; `shares` of the pitch classes if they are asked for.
    pub(super) fn new(base: TimeBase, shares: Option<[f32; 12]>) -> Tonality {
        match shares {
            Some(shares) => Tonality::Asked(shares),
            None => Tonality::Own(Box::new(Wanderer::new(base)), Rut::new(base)),
        }
    }

    /// Follows a step that was taken at tick `now` and struck a note of this pitch class, if any.
    pub(super) fn follow(&mut self, now: Ticks, pitch_class: Option<usize>) {
        if let Tonality::Own(wanderer, rut) = self {
            wanderer.follow(now, pitch_class);
            rut.follow(now, pitch_class);
        }
    }

    /// The penalty of a note of this pitch class, in nats.
    pub(super) fn penalty(&self, pitch_class: usize) -> f32 {
        match self {
            Tonality::Asked(shares) => {
                let most = shares.iter().copied().fold(0.0, f32::max);
                WISH * (1.0 - shares[pitch_class] / most)
            }
            Tonality::Own(wanderer, rut) => wanderer.penalty(pitch_class) + rut.penalty(pitch_class),
        }
    }
}

/// How often each pitch class was struck lately.
struct Lately {
    span: Ticks,
    /// Onset and pitch class of the notes within the span.
    notes: VecDeque<(Ticks, usize)>,
    counts: [u64; 12],
}

impl Lately {
    /// In the last `span` seconds or quarter notes.
    fn new(base: TimeBase, span: f64) -> Lately {
        Lately { span: (span * base.ticks_per_unit()) as Ticks, notes: VecDeque::new(), counts: [0; 12] }
    }

    fn follow(&mut self, now: Ticks, pitch_class: Option<usize>) {
        if let Some(class) = pitch_class {
            self.notes.push_back((now, class));
            self.counts[class] += 1;
        }
        let left = self.notes.partition_point(|(onset, _)| *onset + self.span < now);
        for (_, class) in self.notes.drain(..left) {
            self.counts[class] -= 1;
        }
    }

    /// See [`is_beyond`].
    fn is_beyond(&self, classes: u64) -> bool {
        is_beyond(&self.counts, classes as f64)
    }
}

/// Whether notes, so many of each pitch class, are more scattered than if they were spread evenly over `classes` pitch
/// classes; a scale has 7.
///
/// n² / Σc² is the number of such classes that is as scattered (the inverse of Simpson's index). Unlike the entropy it
/// needs no logarithm, so that it is the same on every machine.
pub(super) fn is_beyond(counts: &[u64; 12], classes: f64) -> bool {
    let notes: u64 = counts.iter().sum();
    let squares: u64 = counts.iter().map(|count| count * count).sum();
    (notes * notes) as f64 > classes * squares as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_asked_for_is_less_likely_and_what_is_asked_for_most_is_not() {
        let mut shares = [0.0; 12];
        (shares[0], shares[4], shares[7]) = (0.5, 0.25, 0.25);
        let penalty = |class| Tonality::Asked(shares).penalty(class);
        assert_eq!([0, 4, 7, 1].map(penalty), [0.0, WISH / 2.0, WISH / 2.0, WISH]);
        assert_eq!(Tonality::Asked([1.0 / 12.0; 12]).penalty(3), 0.0, "nobody prefers anything");
    }
}
