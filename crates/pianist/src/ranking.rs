//! Which of many takes to hear first.

use crate::alphabet::Pedal;
use crate::composer::Take;
use crate::statistics::{self, Stretch};
use crate::time::TimeBase;

/// What a number is over stretches of 16 bars that people played: one stretch in a hundred has less than `low`, one has
/// more than `high`; infinite where it can't be too little or too much.
struct Human {
    of: fn(&Stretch) -> f64,
    low: f64,
    mean: f64,
    high: f64,
}

/// How near a take is to what people play, 0 to 1.
///
/// Five numbers of [`statistics`] are taken: pitch-class entropy, scale consistency, polyphony, note density and the
/// longest rest. Each counts 1 where it is the mean of human music, 0 from the hundredth least and the hundredth most
/// human stretch on, and in proportion in between; the score is their mean. Nothing can be too consistent: 45 % of the
/// stretches of songs keep to one scale altogether, so from the mean upwards that counts 1; nor is a rest too short.
///
/// A take is measured in equal parts, each as long as the human stretches or up to twice that, and the score is the mean
/// over these. A take shorter than one stretch has fewer pitch classes than people use in one, so entropy is left out;
/// so is polyphony where `pedal` is folded, since that was measured with keys released as they were played. Only
/// scores of takes of one length and pedal compare.
///
/// The score knows nothing of melody or form: it puts what wanders, is stuck, or is too thin or too thick last. Whether
/// a passage is copied needs the training data and is not known here.
///
/// `base` is the pianist's time base, which decides with whom the take is compared.
pub fn score(take: &Take, base: TimeBase, pedal: Pedal) -> f64 {
    let units_per_quarter = base.units_per_quarter(take.tempo);
    let notes = take.sounding().stretched(units_per_quarter).notes;
    let length = take.quarters * units_per_quarter;
    let whole_stretches = (length / stretch(base) + 1e-9) as usize;
    let human = human(base, whole_stretches > 0, pedal);

    let count = whole_stretches.max(1);
    let parts = statistics::stretches(&notes, length / count as f64, count);
    let nearness = |part: &Stretch| human.iter().map(|number| number.nearness(part)).sum::<f64>();
    parts.iter().map(nearness).sum::<f64>() / (count * human.len()) as f64
}

/// Length of the stretches that music is compared by, in the unit of `base`: 16 bars of 4/4, at 120 quarter notes a minute.
pub fn stretch(base: TimeBase) -> f64 {
    match base {
        TimeBase::Seconds => 32.0,
        TimeBase::Beats => 64.0,
    }
}

/// The numbers of human music that count: `evaluate --compare` of the validation pieces of `concert` and `songbook`,
/// pedal kept.
fn human(base: TimeBase, is_long: bool, pedal: Pedal) -> Vec<Human> {
    let human = |of, [low, mean, high]: [f64; 3]| Human { of, low, mean, high };
    let [entropy, consistency, polyphony, density, rest] = match base {
        TimeBase::Seconds => [
            human(|stretch| stretch.pitch_class_entropy, [2.47, 3.19, 3.55]),
            human(|stretch| stretch.scale_consistency, [0.63, 0.82, f64::INFINITY]),
            human(|stretch| stretch.polyphony, [1.44, 2.53, 4.74]),
            human(|stretch| stretch.note_density, [1.78, 9.64, 22.81]),
            human(|stretch| stretch.longest_rest, [f64::NEG_INFINITY, 1.84, 9.93]),
        ],
        TimeBase::Beats => [
            human(|stretch| stretch.pitch_class_entropy, [2.45, 2.74, 3.13]),
            human(|stretch| stretch.scale_consistency, [0.89, 0.98, f64::INFINITY]),
            human(|stretch| stretch.polyphony, [2.93, 3.86, 4.98]),
            human(|stretch| stretch.note_density, [2.38, 4.88, 8.75]),
            human(|stretch| stretch.longest_rest, [f64::NEG_INFINITY, 1.99, 7.0]),
        ],
    };
    let entropy = is_long.then_some(entropy);
    let polyphony = (pedal == Pedal::Keep).then_some(polyphony);
    [entropy, Some(consistency), polyphony, Some(density), Some(rest)].into_iter().flatten().collect()
}

impl Human {
    fn nearness(&self, stretch: &Stretch) -> f64 {
        let value = (self.of)(stretch);
        let end = if value < self.mean { self.low } else { self.high };
        (1.0 - (value - self.mean) / (end - self.mean)).clamp(0.0, 1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::note::{Key, Note, Performance, Velocity};
    use crate::time::TimeSignature;

    /// Sixteen bars in which note `i` is struck at `i / per_quarter` and lasts `duration` quarter notes.
    fn take(per_quarter: f64, duration: f64, midi: impl Fn(usize) -> u8) -> Take {
        take_of(64.0, per_quarter, duration, midi)
    }

    /// The same, of so many quarter notes.
    fn take_of(quarters: f64, per_quarter: f64, duration: f64, midi: impl Fn(usize) -> u8) -> Take {
        let note = |i: usize| Note {
            onset: i as f64 / per_quarter,
            duration,
            key: Key::from_midi(midi(i)).unwrap(),
            velocity: Velocity::new(64),
        };
        let notes = (0..(quarters * per_quarter) as usize).map(note).collect();
        Take {
            seed: 0,
            tempo: 120.0,
            time_signature: TimeSignature::COMMON,
            quarters,
            performance: Performance { notes, pedal: Vec::new() },
        }
    }

    #[test]
    fn music_in_a_key_scores_more_than_one_note_noise_and_silence() {
        const SCALE: [u8; 7] = [0, 2, 4, 5, 7, 9, 11];
        for base in [TimeBase::Seconds, TimeBase::Beats] {
            let chords = take(5.0, 0.7, |i| 48 + SCALE[i * 3 % 7] + 12 * (i % 3) as u8);
            let stuck = take(5.0, 0.1, |_| 60);
            let noise = take(25.0, 2.0, |i| 21 + (i * 37 % 88) as u8);
            let silence = take(0.0, 1.0, |_| 60);
            let best = score(&chords, base, Pedal::Keep);
            for worse in [stuck, noise, silence].map(|take| score(&take, base, Pedal::Keep)) {
                assert!(worse < best && best <= 1.0, "{base}: {best}, {worse}");
            }
        }
    }

    #[test]
    fn a_song_in_one_key_scores_more_than_the_same_with_wrong_notes() {
        const SCALE: [u8; 7] = [0, 2, 4, 5, 7, 9, 11];
        // Of every so many notes one is half a step too high.
        let song =
            |every: usize| take(5.0, 0.7, move |i| 60 + SCALE[i * 3 % 7] + u8::from(i % every == every - 1));
        let right = score(&song(usize::MAX), TimeBase::Beats, Pedal::Keep);
        for every in [12, 24, 48, 96] {
            let wrong = score(&song(every), TimeBase::Beats, Pedal::Keep);
            assert!(right > wrong, "{right}, {wrong} with a wrong note in {every}");
        }
    }

    #[test]
    fn of_takes_with_as_many_notes_the_one_that_stops_in_between_scores_less() {
        for base in [TimeBase::Seconds, TimeBase::Beats] {
            let even = take(5.0, 0.7, |i| 48 + (i * 7 % 35) as u8);
            let mut stops = even.clone();
            // The last quarter of them in the last four quarter notes, after a rest of twelve.
            let notes = &mut stops.performance.notes;
            let (first, from) = (notes.len() * 3 / 4, 60.0);
            notes[first..].iter_mut().enumerate().for_each(|(i, note)| note.onset = from + i as f64 / 20.1);
            let [even, stops] = [even, stops].map(|take| score(&take, base, Pedal::Fold));
            assert!(stops < even, "{base}: {stops}, not below {even}");
        }
    }

    #[test]
    fn music_in_seconds_scores_the_same_whatever_the_tempo_it_is_written_in() {
        let slow = take(2.5, 1.4, |i| 48 + (i * 7 % 35) as u8);
        let fast = Take {
            tempo: 240.0,
            quarters: 128.0,
            performance: slow.performance.stretched(2.0),
            ..slow.clone()
        };
        let [slow, fast] = [slow, fast].map(|take| score(&take, TimeBase::Seconds, Pedal::Keep));
        assert!(slow > 0.0 && (slow - fast).abs() < 1e-9, "{slow}, {fast}");
    }

    #[test]
    fn a_folded_pedal_is_no_fault_however_much_sounds_at_once() {
        for base in [TimeBase::Seconds, TimeBase::Beats] {
            let [dry, rings] = [0.7, 3.0].map(|duration| take(5.0, duration, |i| 48 + (i * 7 % 35) as u8));
            assert_eq!(score(&dry, base, Pedal::Fold), score(&rings, base, Pedal::Fold));
            assert!(score(&dry, base, Pedal::Keep) > score(&rings, base, Pedal::Keep));
        }
    }

    #[test]
    fn a_bar_needs_no_more_pitch_classes_than_fit_in_it_but_sixteen_bars_do() {
        for base in [TimeBase::Seconds, TimeBase::Beats] {
            let [triad, scale] = [[60, 64, 67, 72, 64, 67, 60], [60, 62, 64, 65, 67, 69, 71]];
            let scores = |notes: [u8; 7], quarters| {
                score(&take_of(quarters, 5.0, 0.7, |i| notes[i % 7]), base, Pedal::Keep)
            };
            assert_eq!(scores(triad, 4.0), scores(scale, 4.0));
            assert!(scores(triad, 64.0) < scores(scale, 64.0));
        }
    }

    #[test]
    fn a_long_take_scores_the_mean_of_its_stretches() {
        let calm = |i: usize| 48 + (i * 7 % 35) as u8;
        let half = score(&take(5.0, 0.7, calm), TimeBase::Beats, Pedal::Keep);
        let stuck = score(&take(5.0, 0.7, |_| 60), TimeBase::Beats, Pedal::Keep);
        let both = take_of(128.0, 5.0, 0.7, |i| if i < 320 { calm(i) } else { 60 });
        let score = score(&both, TimeBase::Beats, Pedal::Keep);
        assert!((score - (half + stuck) / 2.0).abs() < 0.01, "{score}, not the mean of {half} and {stuck}");
    }

    #[test]
    fn a_number_counts_most_at_the_human_mean_and_nothing_beyond_the_human_range() {
        let human = Human { of: |stretch| stretch.note_density, low: 2.0, mean: 5.0, high: 9.0 };
        let nearness = |note_density| {
            let stretch = Stretch {
                pitch_class_entropy: 0.0,
                scale_consistency: 0.0,
                polyphony: 0.0,
                note_density,
                longest_rest: 0.0,
            };
            human.nearness(&stretch)
        };
        assert_eq!([1.0, 2.0, 3.5, 5.0, 7.0, 9.0, 12.0].map(nearness), [0.0, 0.0, 0.5, 1.0, 0.5, 0.0, 0.0]);
    }
}
