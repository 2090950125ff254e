//! The tonality of a song: where nobody asks for pitch classes, it keeps to the ones it has settled on.
//!
//! A network that only hears the last bars well drifts from key to key, until sixteen bars have used all twelve pitch
//! classes alike, as no song does. Where the last bars were as scattered as that, the song is asked for the pitch
//! classes that it plays most, through the histogram that it learned to follow, until it has found its key again.

use std::collections::VecDeque;

use crate::time::{Ticks, TimeBase};

/// How far back the pitch classes are counted, in quarter notes: sixteen bars, long enough to hold a verse and a chorus.
const SPAN: f64 = 64.0;
/// How many equally frequent pitch classes would be as scattered as those of a song that needs help. A scale has 7, and
/// of the stretches of sixteen bars in arrangements of pop songs one in twenty has more than this.
const SCATTERED: u64 = 7;
/// Where the pianist is left alone again: what songs have on average.
const SETTLED: u64 = 6;

/// Follows a take and says what pitch classes to ask for.
pub(super) struct Tonality {
    span: Ticks,
    /// Onset and pitch class of the notes within the span.
    notes: VecDeque<(Ticks, usize)>,
    /// How many of those notes have each pitch class.
    counts: [u64; 12],
    wanders: bool,
}

impl Tonality {
    /// The tonality of a song, which is in beats.
    pub(super) fn new() -> Tonality {
        let span = (SPAN * TimeBase::Beats.ticks_per_unit()) as Ticks;
        Tonality { span, notes: VecDeque::new(), counts: [0; 12], wanders: false }
    }

    /// Follows a step that was taken at tick `now` and struck a note of this pitch class, if any.
    pub(super) fn follow(&mut self, now: Ticks, pitch_class: Option<usize>) {
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
        if notes * notes > SCATTERED * squares {
            self.wanders = true;
        } else if notes * notes < SETTLED * squares {
            self.wanders = false;
        }
    }

    /// The shares of the pitch classes to ask for, if any: what was played, with the frequent more frequent.
    pub(super) fn wish(&self) -> Option<[f32; 12]> {
        let squares = self.counts.map(|count| (count * count) as f32);
        let sum: f32 = squares.iter().sum();
        self.wanders.then(|| squares.map(|square| square / sum))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BAR: Ticks = 96;

    /// The wish after bars of eighth notes of these pitch classes, one after another.
    fn play(tonality: &mut Tonality, bars: std::ops::Range<Ticks>, classes: &[usize]) -> Option<[f32; 12]> {
        let eighths = (bars.start * BAR..bars.end * BAR).step_by(12);
        for (now, class) in eighths.zip(classes.iter().cycle()) {
            tonality.follow(now, Some(*class));
        }
        tonality.wish()
    }

    #[test]
    fn a_song_in_one_key_is_left_alone() {
        assert_eq!(play(&mut Tonality::new(), 0..32, &[0, 2, 4, 5, 7, 9, 11]), None);
    }

    #[test]
    fn a_song_that_wanders_is_asked_to_come_back_until_it_has() {
        let mut tonality = Tonality::new();
        play(&mut tonality, 0..8, &[0, 4, 7, 0, 2, 5, 7, 11]);
        let wish = play(&mut tonality, 8..16, &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]).expect("it wanders");
        assert!((wish.iter().sum::<f32>() - 1.0).abs() < 1e-6);
        assert!(wish[0] > 0.25 && wish[6] < 0.02, "{wish:?} is the song's own key");
        assert!(play(&mut tonality, 16..20, &[0, 4, 7]).is_some(), "not settled yet");
        assert_eq!(play(&mut tonality, 20..40, &[0, 4, 7, 2, 5]), None);
    }
}
