//! The tonality of a song: where nobody asks for pitch classes, it keeps to the ones that it has settled on.
//!
//! A network that only hears the last bars well drifts from key to key, until sixteen bars have used all twelve pitch
//! classes alike, as no song does. Where the last bars were as scattered as that, it is made to like the classes less
//! that the song uses least, until the song has found its key again.

use std::collections::VecDeque;

use crate::time::{Ticks, TimeBase};

/// How far back the pitch classes are counted, in quarter notes: sixteen bars, long enough to hold a verse and a chorus.
const SPAN: f64 = 64.0;
/// How many equally frequent pitch classes would be as scattered as those of a song that needs help. A scale has 7, and
/// of the stretches of sixteen bars in arrangements of pop songs one in twenty has more than this.
const SCATTERED: u64 = 7;
/// Where the pianist is left alone again: what songs have on average.
const SETTLED: u64 = 6;
/// How many pitch classes a scale leaves out.
const FOREIGN: usize = 5;
/// How many nats less likely those become then: rare, but not forbidden.
const RELUCTANCE: f32 = 2.0;

/// Follows a take and says what it should keep away from.
#[derive(Default)]
pub(super) struct Tonality {
    /// Onset and pitch class of the notes within the span.
    notes: VecDeque<(Ticks, usize)>,
    /// How many of those notes have each pitch class.
    counts: [u64; 12],
    wanders: bool,
}

impl Tonality {
    /// Follows a step that was taken at tick `now` and struck a note of this pitch class, if any.
    pub(super) fn follow(&mut self, now: Ticks, pitch_class: Option<usize>) {
        let span = (SPAN * TimeBase::Beats.ticks_per_unit()) as Ticks;
        if let Some(class) = pitch_class {
            self.notes.push_back((now, class));
            self.counts[class] += 1;
        }
        let left = self.notes.partition_point(|(onset, _)| *onset + span < now);
        for (_, class) in self.notes.drain(..left) {
            self.counts[class] -= 1;
        }
        // n² / Σc² is how many equally frequent classes would be as scattered (the inverse of Simpson's index). Unlike
        // the entropy it needs no logarithm, so that it is the same on every machine.
        let notes: u64 = self.counts.iter().sum();
        let squares: u64 = self.counts.iter().map(|count| count * count).sum();
        if notes * notes > SCATTERED * squares {
            self.wanders = true;
        } else if notes * notes < SETTLED * squares {
            self.wanders = false;
        }
    }

    /// How many nats less likely a note of this pitch class shall be.
    pub(super) fn reluctance(&self, pitch_class: usize) -> f32 {
        let rarer = self.counts.iter().filter(|count| **count < self.counts[pitch_class]).count();
        if self.wanders && rarer < FOREIGN { RELUCTANCE } else { 0.0 }
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
    fn a_song_in_one_key_is_left_alone() {
        let mut tonality = Tonality::default();
        play(&mut tonality, 0..32, &[0, 2, 4, 5, 7, 9, 11]);
        assert!(foreign(&tonality).is_empty());
    }

    #[test]
    fn a_song_that_wanders_is_led_back_until_it_has_settled() {
        let mut tonality = Tonality::default();
        play(&mut tonality, 0..8, &[0, 2, 4, 5, 7, 9, 11]);
        play(&mut tonality, 8..16, &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
        assert_eq!(foreign(&tonality), [1, 3, 6, 8, 10]);
        play(&mut tonality, 16..20, &[0, 4, 7]);
        assert_eq!(foreign(&tonality), [1, 3, 6, 8, 10], "not settled yet");
        play(&mut tonality, 20..40, &[0, 4, 7, 2, 5]);
        assert!(foreign(&tonality).is_empty());
    }
}
