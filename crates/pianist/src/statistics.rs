//! What music is like, in numbers: to compare what a pianist composes with what people play, and to rank takes.
//!
//! Everything here looks at notes on a timeline of seconds or quarter notes ("units"), sorted by onset. Notes of one
//! key must not overlap. Whoever wants to know what sounds, rather than which keys are held, folds the pedal first.

use std::collections::BTreeSet;

use crate::note::{Key, Note};

/// The degrees of a major scale, in half steps above its tonic.
const MAJOR: [usize; 7] = [0, 2, 4, 5, 7, 9, 11];

/// The spread of pitch classes in bits: 0 where all notes are one pitch class (or there are none), log2(12) = 3.58
/// where all twelve are equally frequent.
pub fn pitch_class_entropy(notes: &[Note<f64>]) -> f64 {
    let bits = |share: f64| if share > 0.0 { -share * share.log2() } else { 0.0 };
    pitch_classes(notes).map(|count| bits(count / notes.len() as f64)).iter().sum()
}

/// The largest share of the notes that fits one diatonic scale, 7/12 to 1; 1 for no notes.
///
/// This is the scale consistency of Mogren ("C-RNN-GAN", 2016) as MusPy computes it, over all major and natural minor
/// scales. A minor scale has the pitch classes of its relative major, so there are twelve to try.
pub fn scale_consistency(notes: &[Note<f64>]) -> f64 {
    if notes.is_empty() {
        return 1.0;
    }
    let counts = pitch_classes(notes);
    let within = |tonic: usize| MAJOR.iter().map(|degree| counts[(tonic + degree) % 12]).sum::<f64>();
    (0..12).map(within).fold(0.0, f64::max) / notes.len() as f64
}

/// How many notes sound at once, on average over the time in which any does; 0 where none does.
pub fn polyphony(notes: &[Note<f64>]) -> f64 {
    let (mut sounding, mut silent_from) = (0.0, f64::NEG_INFINITY);
    for note in notes {
        sounding += (note.end() - note.onset.max(silent_from)).max(0.0);
        silent_from = silent_from.max(note.end());
    }
    let total: f64 = notes.iter().map(|note| note.duration).sum();
    if sounding > 0.0 { total / sounding } else { 0.0 }
}

/// How long the longest note lasts, in units; 0 for no notes.
pub fn longest_note(notes: &[Note<f64>]) -> f64 {
    notes.iter().map(|note| note.duration).fold(0.0, f64::max)
}

/// The share of the bars, each `bar` units long, that are nearly one of the sixteen before: of what both strike, keys at
/// sixteenths of the bar, at least half is the same. Bars without a note don't count; 0 if there is none.
pub fn returning_bars(notes: &[Note<f64>], bar: f64) -> f64 {
    const BEFORE: usize = 16;
    let mut bars: Vec<(u64, BTreeSet<(u64, Key)>)> = Vec::new();
    for note in notes {
        let place = (note.onset / bar * 16.0).round() as u64;
        if bars.last().is_none_or(|(number, _)| *number != place / 16) {
            bars.push((place / 16, BTreeSet::new()));
        }
        bars.last_mut().expect("one was pushed").1.insert((place % 16, note.key));
    }
    let returns = |i: &usize| {
        let (number, struck) = &bars[*i];
        let before = bars[..*i].iter().rev().take_while(|(earlier, _)| earlier + BEFORE as u64 >= *number);
        before
            .map(|(_, other)| (struck.intersection(other).count(), struck.union(other).count()))
            .any(|(common, all)| 2 * common >= all)
    };
    (0..bars.len()).filter(returns).count() as f64 / bars.len().max(1) as f64
}

/// How hard notes are struck, in bins of 4 as the alphabets spell it.
pub fn velocities(notes: &[Note<f64>]) -> Histogram<32> {
    Histogram::of(notes.iter().map(|note| usize::from(note.velocity.midi()) / 4))
}

/// Units from each onset to the next: bin 0 for below 0.01 (a chord), then two bins per doubling (so that the edges
/// are 0.01, 0.014, 0.02, ...), the last for all above 10.24.
pub fn inter_onsets(notes: &[Note<f64>]) -> Histogram<22> {
    const SHORTEST: f64 = 0.01;
    // Onsets lie on a grid whose lines may be edges; rounding of their difference must not decide.
    const ROUNDING: f64 = 1e-6;
    let bin = |pair: &[Note<f64>]| {
        let doublings = ((pair[1].onset - pair[0].onset + ROUNDING) / SHORTEST).log2();
        if doublings < 0.0 { 0 } else { (2.0 * doublings) as usize + 1 }
    };
    Histogram::of(notes.windows(2).map(bin))
}

/// How often values fall in each bin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Histogram<const BINS: usize> {
    counts: [u64; BINS],
}

impl<const BINS: usize> Histogram<BINS> {
    /// Counts bins; those beyond the last count as the last.
    pub fn of(bins: impl Iterator<Item = usize>) -> Histogram<BINS> {
        let mut counts = [0; BINS];
        bins.for_each(|bin| counts[bin.min(BINS - 1)] += 1);
        Histogram { counts }
    }

    /// Adds the counts of another.
    pub fn add(&mut self, other: &Histogram<BINS>) {
        self.counts.iter_mut().zip(other.counts).for_each(|(count, more)| *count += more);
    }

    /// How often each bin was hit.
    pub fn counts(&self) -> &[u64; BINS] {
        &self.counts
    }

    /// The area that two distributions share, 0 (nothing in common, or nothing counted) to 1 (the same).
    ///
    /// It is the sum over bins of the smaller share (Swain and Ballard's histogram intersection). Yang and Lerch ("On
    /// the evaluation of generative models in music", 2020) measure the same area between densities smoothed by a
    /// kernel; with thousands of values in few bins there is nothing to smooth.
    pub fn overlap(&self, other: &Histogram<BINS>) -> f64 {
        let shares = self.shares().into_iter().zip(other.shares());
        shares.map(|(one, other)| one.min(other)).sum()
    }

    fn shares(&self) -> [f64; BINS] {
        let total = self.counts.iter().sum::<u64>().max(1) as f64;
        self.counts.map(|count| count as f64 / total)
    }
}

/// A stretch of music, long enough to have a character: 16 bars, say.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Stretch {
    /// See [`pitch_class_entropy`], in bits.
    pub pitch_class_entropy: f64,
    /// See [`scale_consistency`].
    pub scale_consistency: f64,
    /// See [`polyphony`].
    pub polyphony: f64,
    /// Notes per unit.
    pub note_density: f64,
    /// The longest time in which no note begins, in units.
    pub longest_rest: f64,
}

/// The first `count` stretches of `length` units each, one after another from 0. A note belongs to the stretch that
/// it begins in.
pub fn stretches(notes: &[Note<f64>], length: f64, count: usize) -> Vec<Stretch> {
    let first_from = |time: f64| notes.partition_point(|note| note.onset < time);
    let stretch = |i: usize| {
        let (start, end) = (i as f64 * length, (i + 1) as f64 * length);
        let notes = &notes[first_from(start)..first_from(end)];
        Stretch {
            pitch_class_entropy: pitch_class_entropy(notes),
            scale_consistency: scale_consistency(notes),
            polyphony: polyphony(notes),
            note_density: notes.len() as f64 / length,
            longest_rest: longest_rest(notes, start, end),
        }
    };
    (0..count).map(stretch).collect()
}

/// The longest time from `start` to `end` in which none of these notes begins.
fn longest_rest(notes: &[Note<f64>], start: f64, end: f64) -> f64 {
    let onsets = notes.iter().map(|note| note.onset).chain([end]);
    let rests = onsets.scan(start, |from, onset| Some(onset - std::mem::replace(from, onset)));
    rests.fold(0.0, f64::max)
}

/// How many notes have each pitch class.
fn pitch_classes(notes: &[Note<f64>]) -> [f64; 12] {
    let mut counts = [0.0; 12];
    notes.iter().for_each(|note| counts[note.key.pitch_class()] += 1.0);
    counts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::note::{Key, Velocity};
    use proptest::prelude::*;

    fn note(onset: f64, duration: f64, midi: u8) -> Note<f64> {
        let key = Key::from_midi(midi).unwrap();
        Note { onset, duration, key, velocity: Velocity::new(64) }
    }

    /// One note after another, each a unit long.
    fn melody(pitches: &[u8]) -> Vec<Note<f64>> {
        pitches.iter().enumerate().map(|(i, &midi)| note(i as f64, 1.0, midi)).collect()
    }

    fn close(value: f64, expected: f64) {
        assert!((value - expected).abs() < 1e-9, "{value} is not {expected}");
    }

    #[test]
    fn entropy_counts_pitch_classes_in_bits() {
        close(pitch_class_entropy(&melody(&[60, 72, 48])), 0.0);
        close(pitch_class_entropy(&melody(&[60, 64, 67, 71])), 2.0);
        close(pitch_class_entropy(&melody(&[60, 60, 64, 67])), 1.5);
        close(pitch_class_entropy(&melody(&(60..72).collect::<Vec<_>>())), 12f64.log2());
        close(pitch_class_entropy(&[]), 0.0);
    }

    #[test]
    fn a_scale_is_consistent_in_any_key_and_in_minor() {
        close(scale_consistency(&melody(&[66, 68, 70, 71, 73, 75, 77])), 1.0);
        close(scale_consistency(&melody(&[57, 59, 60, 62, 64, 65, 67])), 1.0);
        close(scale_consistency(&melody(&(60..72).collect::<Vec<_>>())), 7.0 / 12.0);
        close(scale_consistency(&melody(&[60, 62, 64, 65, 67, 69, 71, 61])), 7.0 / 8.0);
        close(scale_consistency(&[]), 1.0);
    }

    #[test]
    fn polyphony_leaves_silence_out() {
        close(polyphony(&melody(&[60, 62, 64])), 1.0);
        close(polyphony(&[note(0.0, 1.0, 60), note(0.0, 1.0, 64), note(5.0, 1.0, 60)]), 1.5);
        close(polyphony(&[note(0.0, 4.0, 48), note(1.0, 1.0, 60), note(3.0, 1.0, 62)]), 1.5);
        close(polyphony(&[]), 0.0);
    }

    #[test]
    fn bars_return_if_half_of_them_is_as_in_one_of_the_sixteen_before() {
        let bars = |bars: &[[u8; 4]]| returning_bars(&melody(bars.as_flattened()), 4.0);
        close(bars(&[[60, 62, 64, 65], [67, 69, 71, 72], [60, 62, 64, 65]]), 1.0 / 3.0);
        close(bars(&[[60, 62, 64, 65], [60, 62, 64, 72]]), 1.0 / 2.0);
        close(bars(&[[60, 62, 64, 65], [60, 62, 71, 72]]), 0.0);
        close(bars(&[[60, 62, 64, 65], [62, 64, 65, 60]]), 0.0);
        let theme = [60, 62, 64, 65];
        let mut long: Vec<[u8; 4]> = (0..16).map(|bar| [70 + bar, 22 + bar, 40 + bar, 90 + bar]).collect();
        long.insert(0, theme);
        long.push(theme);
        close(bars(&long), 0.0);
        long.remove(1);
        close(bars(&long), 1.0 / 17.0);
        close(returning_bars(&[], 4.0), 0.0);
    }

    #[test]
    fn the_longest_note_is_found() {
        close(longest_note(&[note(0.0, 0.5, 60), note(1.0, 12.0, 40), note(2.0, 1.0, 60)]), 12.0);
        close(longest_note(&[]), 0.0);
    }

    #[test]
    fn inter_onset_bins_tell_apart_chords_figures_and_pauses() {
        let bins = |onsets: &[f64]| {
            let notes: Vec<_> = onsets.iter().map(|&onset| note(onset, 1.0, 60)).collect();
            let counts = *inter_onsets(&notes).counts();
            (0..22).filter(|&bin| counts[bin] > 0).collect::<Vec<_>>()
        };
        assert_eq!(bins(&[1.0, 1.0]), [0]);
        assert_eq!(bins(&[3.46, 3.47]), [1], "a tick is the edge of a bin, however its difference rounds");
        assert_eq!(bins(&[7.11, 7.13]), [3]);
        assert_eq!(bins(&[0.0, 0.64]), [13]);
        assert_eq!(bins(&[0.0, 11.0, 1000.0]), [21]);
        assert!(bins(&[4.0]).is_empty());
    }

    #[test]
    fn velocities_fall_in_bins_of_four() {
        let struck = |velocity| Note { velocity: Velocity::new(velocity), ..note(0.0, 1.0, 60) };
        let histogram = velocities(&[struck(1), struck(3), struck(4), struck(127)]);
        assert_eq!((histogram.counts()[0], histogram.counts()[1], histogram.counts()[31]), (2, 1, 1));
    }

    #[test]
    fn overlap_is_the_shared_area() {
        let histogram = |bins: &[usize]| Histogram::<4>::of(bins.iter().copied());
        close(histogram(&[0, 0, 1, 1]).overlap(&histogram(&[0, 1])), 1.0);
        close(histogram(&[0, 1]).overlap(&histogram(&[2, 3])), 0.0);
        close(histogram(&[0, 0, 0, 1]).overlap(&histogram(&[0, 1, 1, 1])), 0.5);
        close(histogram(&[]).overlap(&histogram(&[0])), 0.0);
    }

    #[test]
    fn stretches_are_measured_one_by_one() {
        let mut notes = melody(&[60, 60, 60, 60]);
        notes.extend(melody(&[60, 64]).into_iter().map(|note| Note { onset: note.onset + 4.0, ..note }));
        let stretches = stretches(&notes, 4.0, 3);
        assert_eq!(stretches.iter().map(|stretch| stretch.note_density).collect::<Vec<_>>(), [1.0, 0.5, 0.0]);
        let entropies: Vec<_> = stretches.iter().map(|stretch| stretch.pitch_class_entropy).collect();
        assert_eq!(entropies, [0.0, 1.0, 0.0]);
        let rests: Vec<_> = stretches.iter().map(|stretch| stretch.longest_rest).collect();
        assert_eq!(rests, [1.0, 3.0, 4.0]);
    }

    proptest! {
        #[test]
        fn transposing_changes_neither_entropy_nor_consistency(pitches in prop::collection::vec(30u8..90, 1..60)) {
            let (notes, higher) = (melody(&pitches), melody(&pitches.iter().map(|p| p + 5).collect::<Vec<_>>()));
            prop_assert!((pitch_class_entropy(&notes) - pitch_class_entropy(&higher)).abs() < 1e-9);
            prop_assert!((scale_consistency(&notes) - scale_consistency(&higher)).abs() < 1e-9);
        }

        #[test]
        fn every_histogram_overlaps_itself_wholly_and_others_in_part(
            one in prop::collection::vec(0usize..8, 1..50),
            other in prop::collection::vec(0usize..8, 1..50),
        ) {
            let histogram = |bins: &[usize]| Histogram::<8>::of(bins.iter().copied());
            let (one, other) = (histogram(&one), histogram(&other));
            prop_assert!((one.overlap(&one) - 1.0).abs() < 1e-9);
            prop_assert!((0.0..=1.0 + 1e-9).contains(&one.overlap(&other)));
        }
    }
}
