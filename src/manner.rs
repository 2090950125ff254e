//! What is done to music after composing, without composing anew: quantising, swing, loudness, how the pedal is played, and
//! how many keys may be down at once. What is played, drawn and exported went through here, so all three are the same.

use etude_pianist::locks::Locks;
use etude_pianist::note::{Key, Note, PedalChange, Performance, Velocity};
use etude_pianist::time::TimeSignature;

use crate::params::{Grid, Pedal};

/// Swing at its most makes a line this much later, as a share of the grid: the third note of a triplet.
const FULL_SWING: f64 = 1.0 / 3.0;

/// Times nearer than this, in quarter notes, are the same but for rounding.
const SAME_PLACE: f64 = 1e-6;

/// How music is played.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Manner {
    /// How far onsets are pulled to the grid: 0 not at all, 1 all the way.
    pub quantise: f32,
    /// The grid.
    pub grid: Grid,
    /// How late every second line of the grid is: 0 on time, 1 as in triplets. Triplet grids do not swing.
    pub swing: f32,
    /// What velocities are multiplied by.
    pub velocity: f32,
    /// What becomes of the pedal.
    pub pedal: Pedal,
    /// How many keys may be down at once. Joined bars and quantised notes can have more than were composed.
    pub polyphony: usize,
}

impl Default for Manner {
    /// As composed.
    fn default() -> Manner {
        Manner {
            quantise: 0.0,
            grid: Grid::Sixteenth,
            swing: 0.0,
            velocity: 1.0,
            pedal: Pedal::Cc64,
            polyphony: Key::COUNT,
        }
    }
}

impl Manner {
    /// The performance, in quarter notes from a bar line, as it is played in bars of `signature` within `quarters`.
    pub fn play(
        &self,
        performance: &Performance<f64>,
        signature: TimeSignature,
        quarters: f64,
    ) -> Performance<f64> {
        let feel = Feel { manner: self, bar: signature.quarters_per_bar(), quarters };
        let mut played = match self.pedal {
            Pedal::Cc64 => performance.clone(),
            Pedal::Lengths => performance.fold_pedal(),
            Pedal::None => Performance { notes: performance.notes.clone(), pedal: Vec::new() },
        };
        played.notes.iter_mut().for_each(|note| *note = feel.note(note));
        played.notes.sort_by(|a, b| a.onset.total_cmp(&b.onset).then(a.key.cmp(&b.key)));
        let swing = |change: &PedalChange<f64>| PedalChange { time: feel.swung(change.time), ..*change };
        played.pedal = played.pedal.iter().map(swing).collect();
        if self.polyphony < Key::COUNT {
            Locks { polyphony: self.polyphony, ..Locks::default() }.limit_polyphony(&mut played);
        }
        played
    }
}

/// A manner in bars of a length. Lines of the grid are counted from each bar line, which is one, too.
struct Feel<'a> {
    manner: &'a Manner,
    /// In quarter notes.
    bar: f64,
    /// Where the take ends.
    quarters: f64,
}

impl Feel<'_> {
    fn note(&self, note: &Note<f64>) -> Note<f64> {
        let moved = self.pulled(note.onset) - note.onset;
        let on_time = note.onset + moved;
        // A take that ends between two lines has no room for the later one.
        let onset = Some(self.swung(on_time)).filter(|swung| *swung < self.quarters).unwrap_or(on_time);
        let end = self.swung(note.end() + moved).min(self.quarters.max(note.end()));
        let velocity = (f32::from(note.velocity.midi()) * self.manner.velocity).round().clamp(1.0, 127.0);
        Note { onset, duration: (end - onset).max(0.0), velocity: Velocity::new(velocity as u8), ..*note }
    }

    /// An onset on its way to the nearest line of the grid before the end.
    fn pulled(&self, onset: f64) -> f64 {
        let step = self.manner.grid.quarters();
        let (start, inside) = self.in_bar(onset);
        let before = (inside / step).floor() * step;
        let after = (before + step).min(self.bar);
        let is_nearer = after - inside <= inside - before && start + after < self.quarters;
        let line = start + if is_nearer { after } else { before };
        onset + (line - onset) * f64::from(self.manner.quantise)
    }

    /// A time in swing: the first of two steps of the grid gets longer, the second as much shorter. A step that is left
    /// alone at the end of a bar stays as it is.
    fn swung(&self, time: f64) -> f64 {
        let late = FULL_SWING * f64::from(self.manner.swing);
        if self.manner.grid.is_triplet() || late == 0.0 {
            return time;
        }
        let step = self.manner.grid.quarters();
        let (start, inside) = self.in_bar(time);
        let pair = (inside / (2.0 * step)).floor() * 2.0 * step;
        if pair + 2.0 * step > self.bar + SAME_PLACE {
            return time;
        }
        let inside = inside - pair;
        let first = step * (1.0 + late);
        let swung =
            if inside < step { inside * (1.0 + late) } else { first + (inside - step) * (1.0 - late) };
        start + pair + swung
    }

    /// The bar line before a time, and the time from there.
    fn in_bar(&self, time: f64) -> (f64, f64) {
        let start = ((time + SAME_PLACE) / self.bar).floor() * self.bar;
        (start, (time - start).max(0.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn note(onset: f64, duration: f64) -> Note<f64> {
        Note { onset, duration, key: Key::from_midi(60).unwrap(), velocity: Velocity::new(64) }
    }

    fn played(manner: Manner, notes: &[(f64, f64)]) -> Vec<(f64, f64)> {
        let notes = notes.iter().map(|&(onset, duration)| note(onset, duration)).collect();
        let played = manner.play(&Performance { notes, pedal: Vec::new() }, TimeSignature::default(), 4.0);
        played.notes.iter().map(|note| (note.onset, note.duration)).collect()
    }

    fn onsets(manner: Manner, signature: (u8, u8), onsets: &[f64]) -> Vec<f64> {
        let signature = TimeSignature::new(signature.0, signature.1).unwrap();
        let notes = onsets.iter().map(|&onset| note(onset, 0.1)).collect();
        let played = manner.play(&Performance { notes, pedal: Vec::new() }, signature, 28.0);
        played.notes.iter().map(|note| note.onset).collect()
    }

    #[test]
    fn notes_pulled_together_are_no_more_keys_at_once_than_may_be() {
        let notes = vec![
            note(0.2, 1.0),
            Note { key: Key::from_midi(64).unwrap(), ..note(0.28, 1.0) },
            note(1.0, 1.0),
        ];
        let manner = Manner { quantise: 1.0, polyphony: 1, ..Manner::default() };
        let played = manner.play(&Performance { notes, pedal: Vec::new() }, TimeSignature::default(), 4.0);
        let played: Vec<_> =
            played.notes.iter().map(|note| (note.onset, note.end(), note.key.midi())).collect();
        assert_eq!(played, [(0.25, 1.0, 64), (1.0, 2.0, 60)]);
    }

    #[test]
    fn every_bar_line_is_a_line_of_the_grid_in_odd_metres_too() {
        let manner = Manner { quantise: 1.0, grid: Grid::Quarter, ..Manner::default() };
        assert_eq!(onsets(manner, (7, 8), &[3.2, 3.3, 3.5, 4.4, 6.9]), [3.0, 3.5, 3.5, 4.5, 7.0]);
    }

    #[test]
    fn swing_begins_anew_in_every_bar() {
        let manner = Manner { swing: 1.0, grid: Grid::Eighth, ..Manner::default() };
        // The seventh eighth of a bar has no other to swing with.
        let swung = onsets(manner, (7, 8), &[0.0, 0.5, 3.0, 3.25, 3.5, 4.0, 4.5, 7.0]);
        for (onset, wanted) in swung.iter().zip([0.0, 2.0 / 3.0, 3.0, 3.25, 3.5, 3.5 + 2.0 / 3.0, 4.5, 7.0]) {
            assert!((onset - wanted).abs() < 1e-9, "{onset} is not {wanted}");
        }
    }

    #[test]
    fn half_strength_pulls_half_the_way_and_full_strength_onto_the_line() {
        let manner = |quantise| Manner { quantise, ..Manner::default() };
        assert_eq!(played(manner(0.5), &[(0.125 + 0.0625, 1.0)]), [(0.21875, 1.0)]);
        assert_eq!(played(manner(1.0), &[(1.1875, 0.5), (2.0, 0.5)]), [(1.25, 0.5), (2.0, 0.5)]);
    }

    #[test]
    fn what_would_fall_on_the_end_falls_on_the_last_line_before() {
        let manner = Manner { quantise: 1.0, ..Manner::default() };
        assert_eq!(played(manner, &[(3.9375, 0.0625)]), [(3.75, 0.0625)]);
    }

    #[test]
    fn full_swing_plays_every_second_line_as_the_last_of_a_triplet() {
        let manner = Manner { swing: 1.0, grid: Grid::Eighth, ..Manner::default() };
        let onsets: Vec<f64> = played(manner, &[(0.0, 0.1), (0.5, 0.1), (1.0, 0.1), (1.5, 0.1)])
            .iter()
            .map(|note| note.0)
            .collect();
        for (onset, wanted) in onsets.iter().zip([0.0, 2.0 / 3.0, 1.0, 1.0 + 2.0 / 3.0]) {
            assert!((onset - wanted).abs() < 1e-9, "{onset} is not {wanted}");
        }
    }

    #[test]
    fn the_pedal_is_played_written_into_lengths_or_left_out() {
        let change = |time, down| PedalChange { time, down };
        let performance =
            Performance { notes: vec![note(0.0, 0.5)], pedal: vec![change(0.25, true), change(2.0, false)] };
        let play =
            |pedal| Manner { pedal, ..Manner::default() }.play(&performance, TimeSignature::default(), 4.0);
        assert_eq!(play(Pedal::Cc64), performance);
        assert_eq!(play(Pedal::Lengths).notes, [note(0.0, 2.0)]);
        assert!(play(Pedal::Lengths).pedal.is_empty() && play(Pedal::None).pedal.is_empty());
        assert_eq!(play(Pedal::None).notes, performance.notes);
    }

    proptest! {
        #[test]
        fn no_note_is_lost_or_leaves_the_take(
            notes in prop::collection::vec((0.0..3.99f64, 0.01..4.0f64), 0..40),
            quantise in 0.0..=1.0f32,
            swing in 0.0..=1.0f32,
            velocity in 0.0..=2.0f32,
        ) {
            let notes: Vec<_> = notes.into_iter().map(|(onset, length)| note(onset, length.min(4.0 - onset))).collect();
            let count = notes.len();
            let manner = Manner { quantise, swing, velocity, ..Manner::default() };
            let played = manner.play(&Performance { notes, pedal: Vec::new() }, TimeSignature::default(), 4.0);
            prop_assert_eq!(played.notes.len(), count);
            prop_assert!(played.notes.is_sorted_by_key(|note| note.onset));
            for note in &played.notes {
                prop_assert!((0.0..4.0).contains(&note.onset) && note.end() <= 4.0 + 1e-9, "{:?}", note);
            }
        }
    }
}
