//! The tonality of a take: what keeps it to the pitch classes that are asked for, or to its own.
//!
//! A wish for pitch classes is an input of the network, which follows it more or less. A network that only hears the last
//! bars well drifts from key to key, until half a minute has used all twelve pitch classes alike, as hardly any music
//! does. In both cases the network is made to like the other classes less, so that they become rare; they are not
//! forbidden, as a lock on a scale forbids them.

use std::collections::VecDeque;

use crate::time::{Ticks, TimeBase};

/// How many pitch classes a scale leaves out.
const FOREIGN: usize = 5;
/// How many nats less likely classes become that are not wished for: so that of the notes over a held chord a half to three
/// quarters are the chord's.
const WISH: f32 = 0.6;

/// What a take should keep away from.
pub(super) enum Tonality {
    /// What has smaller shares than others of what is asked for.
    Asked([f32; 12]),
    /// What is foreign to music that has lost its way.
    Own(Wanderer),
}

impl Tonality {
    /// Follows a step that was taken at tick `now` and struck a note of this pitch class, if any.
    pub(super) fn follow(&mut self, now: Ticks, pitch_class: Option<usize>) {
        if let Tonality::Own(wanderer) = self {
            wanderer.follow(now, pitch_class);
        }
    }

    /// How many nats less likely a note of this pitch class shall be.
    pub(super) fn reluctance(&self, pitch_class: usize) -> f32 {
        match self {
            Tonality::Asked(shares) => {
                let most = shares.iter().copied().fold(0.0, f32::max);
                WISH * (1.0 - shares[pitch_class] / most)
            }
            Tonality::Own(wanderer) if wanderer.wanders && wanderer.is_foreign(pitch_class) => {
                wanderer.limits.reluctance
            }
            Tonality::Own(_) => 0.0,
        }
    }
}

/// When music is led back. It is as scattered as if so many pitch classes were equally frequent; a scale has 7.
struct Limits {
    /// How far back the pitch classes are counted, in seconds or quarter notes.
    span: f64,
    /// Of people's music of that length, hardly any is more scattered.
    scattered: u64,
    /// Where the pianist is left alone again: what people play on average.
    settled: u64,
    /// How many nats less likely foreign classes become.
    reluctance: f32,
}

/// The pitch classes of a take that nobody asked for any: where they are too scattered, it wanders, until it has settled
/// again.
pub(super) struct Wanderer {
    limits: Limits,
    span: Ticks,
    /// Onset and pitch class of the notes within the span.
    notes: VecDeque<(Ticks, usize)>,
    /// How many of those notes have each pitch class.
    counts: [u64; 12],
    wanders: bool,
}

impl Wanderer {
    /// That of a take by a pianist of this time base.
    pub(super) fn new(base: TimeBase) -> Wanderer {
        // Of sixteen bars of songs, one in twenty is more scattered than that; of half a minute of competition
        // performances, which may go further, one in four.
        let limits = match base {
            TimeBase::Seconds => Limits { span: 32.0, scattered: 9, settled: 8, reluctance: 1.5 },
            TimeBase::Beats => Limits { span: 64.0, scattered: 7, settled: 6, reluctance: 2.0 },
        };
        let span = (limits.span * base.ticks_per_unit()) as Ticks;
        Wanderer { limits, span, notes: VecDeque::new(), counts: [0; 12], wanders: false }
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
        // n² / Σc² is how many equally frequent classes would be as scattered (the inverse of Simpson's index). Unlike
        // the entropy it needs no logarithm, so that it is the same on every machine.
        let notes: u64 = self.counts.iter().sum();
        let squares: u64 = self.counts.iter().map(|count| count * count).sum();
        if notes * notes > self.limits.scattered * squares {
            self.wanders = true;
        } else if notes * notes < self.limits.settled * squares {
            self.wanders = false;
        }
    }

    /// Whether it is one of the classes that the music uses least.
    fn is_foreign(&self, pitch_class: usize) -> bool {
        self.counts.iter().filter(|count| **count < self.counts[pitch_class]).count() < FOREIGN
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BAR: Ticks = 96;

    /// Bars of eighth notes of these pitch classes, one after another.
    fn play(tonality: &mut Tonality, bars: std::ops::Range<Ticks>, classes: &[usize]) {
        let eighths = (bars.start * BAR..bars.end * BAR).step_by(12);
        for (now, class) in eighths.zip(classes.iter().cycle()) {
            tonality.follow(now, Some(*class));
        }
    }

    /// The classes that are less likely.
    fn foreign(tonality: &Tonality) -> Vec<usize> {
        (0..12).filter(|class| tonality.reluctance(*class) > 0.0).collect()
    }

    #[test]
    fn what_is_not_asked_for_is_less_likely_and_what_is_asked_for_most_is_not() {
        let mut shares = [0.0; 12];
        (shares[0], shares[4], shares[7]) = (0.5, 0.25, 0.25);
        let reluctance = |class| Tonality::Asked(shares).reluctance(class);
        assert_eq!([0, 4, 7, 1].map(reluctance), [0.0, WISH / 2.0, WISH / 2.0, WISH]);
        assert_eq!(Tonality::Asked([1.0 / 12.0; 12]).reluctance(3), 0.0, "nobody prefers anything");
    }

    #[test]
    fn a_song_in_one_key_is_left_alone() {
        let mut tonality = Tonality::Own(Wanderer::new(TimeBase::Beats));
        play(&mut tonality, 0..32, &[0, 2, 4, 5, 7, 9, 11]);
        assert!(foreign(&tonality).is_empty());
    }

    #[test]
    fn a_song_that_wanders_is_led_back_until_it_has_settled() {
        let mut tonality = Tonality::Own(Wanderer::new(TimeBase::Beats));
        play(&mut tonality, 0..8, &[0, 2, 4, 5, 7, 9, 11]);
        play(&mut tonality, 8..16, &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
        assert_eq!(foreign(&tonality), [1, 3, 6, 8, 10]);
        play(&mut tonality, 16..20, &[0, 4, 7]);
        assert_eq!(foreign(&tonality), [1, 3, 6, 8, 10], "not settled yet");
        play(&mut tonality, 20..40, &[0, 4, 7, 2, 5]);
        assert!(foreign(&tonality).is_empty());
    }
}
