//! Time bases, the tick grid, the folded pedal and time signatures.

use std::collections::HashMap;

use etude_pianist::{
    note::Performance,
    time::{MAX_TICKS, Ticks, TimeBase, TimeSignature},
};
use proptest::prelude::*;
use serde::{Deserialize, de::IntoDeserializer};

use crate::common::{note, pedal, performances};

fn seconds(notes: &[(u8, f64, f64)], pedal_times: &[f64]) -> Performance<f64> {
    let notes = notes.iter().map(|&(key, onset, duration)| note(key, 64, onset, duration)).collect();
    Performance { notes, pedal: pedal(pedal_times) }
}

fn quantised(notes: &[(u8, f64, f64)], pedal_times: &[f64]) -> Performance<Ticks> {
    seconds(notes, pedal_times).quantise(TimeBase::Seconds)
}

fn places(performance: &Performance<Ticks>) -> Vec<(u8, Ticks, Ticks)> {
    performance.notes.iter().map(|note| (note.key.midi(), note.onset, note.duration)).collect()
}

#[test]
fn times_round_to_the_grid_of_the_base() {
    let performance = seconds(&[(60, 0.504, 0.25)], &[]);
    assert_eq!(places(&performance.quantise(TimeBase::Seconds)), [(60, 50, 25)]);
    assert_eq!(places(&performance.quantise(TimeBase::Beats)), [(60, 12, 6)]);
}

#[test]
fn a_chord_is_sorted_by_key() {
    assert_eq!(
        places(&quantised(&[(67, 1.0, 1.0), (60, 1.001, 1.0)], &[])),
        [(60, 100, 100), (67, 100, 100)]
    );
}

#[test]
fn two_notes_of_one_key_at_one_tick_become_the_louder_and_longer() {
    let performance =
        Performance { notes: vec![note(60, 90, 1.0, 0.2), note(60, 40, 1.002, 0.5)], pedal: vec![] };
    let quantised = performance.quantise(TimeBase::Seconds);
    assert_eq!(quantised.notes, [note(60, 90, 100, 50)]);
}

#[test]
fn a_restruck_key_ends_its_note() {
    assert_eq!(places(&quantised(&[(60, 0.0, 2.0), (60, 0.5, 0.1)], &[])), [(60, 0, 50), (60, 50, 10)]);
}

#[test]
fn durations_stay_between_one_tick_and_the_longest() {
    assert_eq!(places(&quantised(&[(60, 0.0, 0.0), (62, 0.0, 60.0)], &[])), [(60, 0, 1), (62, 0, MAX_TICKS)]);
}

#[test]
fn long_gaps_close_to_the_longest_shift() {
    let quantised = quantised(&[(60, 30.0, 1.0), (62, 31.0, 1.0), (64, 50.0, 1.0)], &[45.0]);
    assert_eq!(places(&quantised), [(60, 1000, 100), (62, 1100, 100), (64, 2600, 100)]);
    assert_eq!(quantised.pedal, pedal(&[2100]));
}

#[test]
fn the_last_pedal_state_of_a_tick_counts() {
    let within_a_tick = quantised(&[], &[1.0, 2.0, 2.001, 3.0]);
    assert_eq!(within_a_tick.pedal, pedal(&[100, 300]));
    assert_eq!(quantised(&[], &[1.0, 1.001]).pedal, []);
}

#[test]
fn times_that_are_no_numbers_are_held_in_range() {
    let strange = quantised(&[(60, f64::NAN, 1.0), (61, -5.0, 1.0), (62, f64::INFINITY, f64::INFINITY)], &[]);
    assert!(strange.notes.iter().all(|note| note.onset <= MAX_TICKS && note.duration <= MAX_TICKS));
}

#[test]
fn the_pedal_holds_released_notes_until_it_lifts() {
    let folded = seconds(&[(60, 0.0, 1.0), (62, 0.5, 3.0)], &[0.5, 2.0]).fold_pedal();
    assert_eq!(folded, seconds(&[(60, 0.0, 2.0), (62, 0.5, 3.0)], &[]));
}

#[test]
fn the_pedal_holds_a_note_only_until_its_key_is_struck_again() {
    let folded = seconds(&[(60, 0.0, 0.5), (60, 1.0, 0.5)], &[0.0, 4.0]).fold_pedal();
    assert_eq!(folded, seconds(&[(60, 0.0, 1.0), (60, 1.0, 3.0)], &[]));
}

#[test]
fn a_pedal_never_lifted_holds_to_the_last_event() {
    let folded = seconds(&[(60, 0.0, 0.5), (62, 1.0, 2.0)], &[0.1]).fold_pedal();
    assert_eq!(folded, seconds(&[(60, 0.0, 3.0), (62, 1.0, 2.0)], &[]));
}

#[test]
fn a_note_released_at_the_press_is_let_go() {
    let folded = seconds(&[(60, 0.0, 1.0)], &[1.0, 2.0]).fold_pedal();
    assert_eq!(folded, seconds(&[(60, 0.0, 1.0)], &[]));
}

#[test]
fn transposition_stops_at_the_ends_of_the_keyboard() {
    let performance = seconds(&[(60, 0.0, 1.0), (107, 1.0, 1.0)], &[0.5]);
    assert_eq!(performance.transposed(1), Some(seconds(&[(61, 0.0, 1.0), (108, 1.0, 1.0)], &[0.5])));
    assert_eq!(performance.transposed(2), None);
    assert_eq!(performance.transposed(i32::MIN), None);
}

#[test]
fn stretching_moves_and_lengthens_everything() {
    let performance = seconds(&[(60, 1.0, 2.0)], &[3.0]);
    assert_eq!(performance.stretched(1.5), seconds(&[(60, 1.5, 3.0)], &[4.5]));
}

#[test]
fn time_bases_are_named_by_one_word() {
    for (base, word) in [(TimeBase::Seconds, "seconds"), (TimeBase::Beats, "beats")] {
        assert_eq!(base.to_string(), word);
        assert_eq!(word.parse(), Ok(base));
        let input: serde::de::value::StrDeserializer<serde::de::value::Error> = word.into_deserializer();
        assert_eq!(TimeBase::deserialize(input), Ok(base));
    }
    let error = "bars".parse::<TimeBase>().unwrap_err();
    assert_eq!(error.to_string(), "`bars` is no time base: write `seconds` or `beats`");
}

#[test]
fn time_signatures_are_read_as_they_are_written() {
    for (text, quarters) in [("4/4", 4.0), ("6/8", 3.0), ("2/2", 4.0), ("12/16", 3.0), ("1/64", 0.0625)] {
        let metre: TimeSignature = text.parse().unwrap();
        assert_eq!(metre.to_string(), text);
        assert_eq!(metre.quarters_per_bar(), quarters);
        let saved = serde_json::to_string(&metre).unwrap();
        assert_eq!(saved, format!("\"{text}\""));
        assert_eq!(serde_json::from_str::<TimeSignature>(&saved).unwrap(), metre);
    }
    for wrong in ["", "4", "4/", "0/4", "4/3", "4/0", "4/128", "100/4", "-4/4", "4/4/4"] {
        let error = wrong.parse::<TimeSignature>().unwrap_err().to_string();
        assert!(error.starts_with(&format!("`{wrong}` is no time signature")), "{error}");
    }
}

proptest! {
    #[test]
    fn quantising_twice_changes_nothing_more(performance in performances(60.0)) {
        for base in [TimeBase::Seconds, TimeBase::Beats] {
            let once = performance.quantise(base);
            prop_assert_eq!(&once.unquantise(base).quantise(base), &once);
        }
    }

    #[test]
    fn a_quantised_performance_is_what_the_alphabets_spell(performance in performances(60.0)) {
        let quantised = performance.quantise(TimeBase::Seconds);
        prop_assert!(quantised.notes.is_sorted_by(|one, next| (one.onset, one.key) < (next.onset, next.key)));
        prop_assert!(quantised.notes.iter().all(|note| (1..=MAX_TICKS).contains(&note.duration)));
        prop_assert!(quantised.pedal.is_sorted_by(|one, next| one.time < next.time));
        prop_assert!(quantised.pedal.iter().enumerate().all(|(index, change)| change.down == (index % 2 == 0)));

        let mut sounding = HashMap::new();
        for note in &quantised.notes {
            let ended = sounding.insert(note.key, note.onset + note.duration);
            prop_assert!(ended.is_none_or(|ended| ended <= note.onset));
        }
        let mut times: Vec<Ticks> = quantised.notes.iter().map(|note| note.onset).collect();
        times.extend(quantised.pedal.iter().map(|change| change.time));
        times.push(0);
        times.sort_unstable();
        prop_assert!(times.windows(2).all(|pair| pair[1] - pair[0] <= MAX_TICKS));
    }

    #[test]
    fn folding_keeps_onsets_and_never_shortens(performance in performances(30.0)) {
        let folded = performance.fold_pedal();
        prop_assert!(folded.pedal.is_empty());
        prop_assert_eq!(folded.notes.len(), performance.notes.len());
        for (after, before) in folded.notes.iter().zip(&performance.notes) {
            prop_assert_eq!((after.onset, after.key, after.velocity), (before.onset, before.key, before.velocity));
            prop_assert!(after.duration >= before.duration);
            prop_assert!(after.end() <= performance.last_event() + 1e-9);
        }
    }
}
