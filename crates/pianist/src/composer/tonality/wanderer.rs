//! Music that has lost its way.

use super::Lately;
use crate::time::{Ticks, TimeBase};

/// How many pitch classes a scale leaves out.
const FOREIGN: usize = 5;

/// When music is led back, in pitch classes that would be as scattered if they were equally frequent.
struct Limits {
    /// How far back the pitch classes are counted, in seconds or quarter notes.
    span: f64,
    /// Of people's music of that length, hardly any is more scattered.
    scattered: u64,
    /// Below this it is left alone again: what people play on average.
    settled: u64,
    /// The penalty of foreign classes, in nats.
    penalty: f32,
}

/// Follows a take: where its pitch classes are too scattered, it wanders, until it has settled again.
pub(in crate::composer) struct Wanderer {
    limits: Limits,
    lately: Lately,
    wanders: bool,
}

impl Wanderer {
    pub(super) fn new(base: TimeBase) -> Wanderer {
        // Of sixteen bars of songs, one in twenty is more scattered than that; of half a minute of competition
        // performances, which may go further, one in four.
        let limits = match base {
            TimeBase::Seconds => Limits { span: 32.0, scattered: 9, settled: 8, penalty: 1.5 },
            TimeBase::Beats => Limits { span: 64.0, scattered: 7, settled: 6, penalty: 2.0 },
        };
        Wanderer { lately: Lately::new(base, limits.span), limits, wanders: false }
    }

    pub(super) fn follow(&mut self, now: Ticks, pitch_class: Option<usize>) {
        self.lately.follow(now, pitch_class);
        if self.lately.is_beyond(self.limits.scattered) {
            self.wanders = true;
        } else if !self.lately.is_beyond(self.limits.settled) {
            self.wanders = false;
        }
    }

    pub(super) fn penalty(&self, pitch_class: usize) -> f32 {
        if self.wanders && self.is_foreign(pitch_class) { self.limits.penalty } else { 0.0 }
    }

    /// Whether it is one of the classes that the music uses least.
    fn is_foreign(&self, pitch_class: usize) -> bool {
        let counts = &self.lately.counts;
        counts.iter().filter(|count| **count < counts[pitch_class]).count() < FOREIGN
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BAR: Ticks = 96;

    /// Bars of eighth notes of these pitch classes, one after another.
    fn play(wanderer: &mut Wanderer, bars: std::ops::Range<Ticks>, classes: &[usize]) {
        let eighths = (bars.start * BAR..bars.end * BAR).step_by(12);
        for (now, class) in eighths.zip(classes.iter().cycle()) {
            wanderer.follow(now, Some(*class));
        }
    }

    /// The classes that are less likely.
    fn foreign(wanderer: &Wanderer) -> Vec<usize> {
        (0..12).filter(|class| wanderer.penalty(*class) > 0.0).collect()
    }

    #[test]
    fn a_song_in_one_key_is_left_alone() {
        let mut wanderer = Wanderer::new(TimeBase::Beats);
        play(&mut wanderer, 0..32, &[0, 2, 4, 5, 7, 9, 11]);
        assert!(foreign(&wanderer).is_empty());
    }

    #[test]
    fn a_song_that_wanders_is_led_back_until_it_has_settled() {
        let mut wanderer = Wanderer::new(TimeBase::Beats);
        play(&mut wanderer, 0..8, &[0, 2, 4, 5, 7, 9, 11]);
        play(&mut wanderer, 8..16, &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
        assert_eq!(foreign(&wanderer), [1, 3, 6, 8, 10]);
        play(&mut wanderer, 16..20, &[0, 4, 7]);
        assert_eq!(foreign(&wanderer), [1, 3, 6, 8, 10], "not settled yet");
        play(&mut wanderer, 20..40, &[0, 4, 7, 2, 5]);
        assert!(foreign(&wanderer).is_empty());
    }
}
