//! Locks on music that was composed already.

use etude_pianist::locks::{Locks, Scale, Tonic};
use etude_pianist::note::{Note, Performance};
use proptest::prelude::*;

use crate::common;

fn note<T>(onset: T, duration: T, midi: u8) -> Note<T> {
    common::note(midi, 64, onset, duration)
}

fn limited<T>(polyphony: usize, notes: Vec<Note<T>>) -> Vec<Note<T>>
where
    T: Copy + PartialOrd + std::ops::Sub<Output = T>,
{
    let mut music = Performance { notes, pedal: Vec::new() };
    Locks { polyphony, ..Locks::default() }.limit_polyphony(&mut music);
    music.notes
}

#[test]
fn a_note_too_many_ends_the_earlier_one_that_would_end_first() {
    // Held over from a bar that was kept into one that is new, in quarter notes.
    let joined = vec![note(0.0, 9.0, 48), note(3.5, 2.0, 60), note(3.5, 2.0, 64), note(4.0, 1.0, 72)];
    let expected = [note(0.0, 9.0, 48), note(3.5, 0.5, 60), note(3.5, 2.0, 64), note(4.0, 1.0, 72)];
    assert_eq!(limited(3, joined), expected);
}

#[test]
fn of_keys_struck_at_once_those_beyond_the_limit_are_dropped_the_shortest_and_lowest_first() {
    let chord = vec![note(0.0, 1.0, 48), note(0.0, 1.0, 60), note(0.0, 0.5, 64), note(0.0, 1.0, 67)];
    assert_eq!(limited(2, chord), [note(0.0, 1.0, 60), note(0.0, 1.0, 67)]);
    let struck_over = vec![note(0.0, 4.0, 40), note(1.0, 1.0, 60), note(1.0, 1.0, 64)];
    assert_eq!(limited(1, struck_over), [note(0.0, 1.0, 40), note(1.0, 1.0, 64)]);
}

#[test]
fn a_key_struck_again_takes_its_own_place_and_no_other() {
    let joined = vec![note(0.0, 8.0, 60), note(1.0, 5.0, 67), note(4.0, 1.0, 60)];
    let expected = [note(0.0, 4.0, 60), note(1.0, 5.0, 67), note(4.0, 1.0, 60)];
    assert_eq!(limited(2, joined), expected);
}

#[test]
fn notes_at_the_end_of_all_ticks_are_limited_like_others() {
    let last = u32::MAX - 1;
    let notes = vec![note(last, 1000, 60), note(u32::MAX, 1000, 64)];
    assert_eq!(limited(1, notes), [note(last, 1, 60), note(u32::MAX, 1000, 64)]);
}

#[test]
fn a_saved_tonic_that_is_no_pitch_class_is_refused() {
    for pitch_class in 0..12 {
        let saved = pitch_class.to_string();
        let tonic: Tonic = serde_json::from_str(&saved).unwrap();
        assert_eq!(serde_json::to_string(&tonic).unwrap(), saved);
        assert!(Scale::Major.contains(tonic, pitch_class));
    }
    for damaged in ["12", "255", "-1"] {
        assert!(serde_json::from_str::<Tonic>(damaged).is_err(), "{damaged}");
    }
}

proptest! {
    #[test]
    fn no_music_keeps_more_keys_down_than_the_limit(
        notes in prop::collection::vec((0..32u32, 1..32u32, 21..=108u8), 0..40),
        polyphony in 1..6usize,
    ) {
        let place = |(onset, duration, midi): (u32, u32, u8)| {
            note(f64::from(onset) / 8.0, f64::from(duration) / 8.0, midi)
        };
        let mut notes: Vec<Note<f64>> = notes.into_iter().map(place).collect();
        notes.sort_by(|a, b| a.onset.total_cmp(&b.onset).then(a.key.cmp(&b.key)));
        let kept = limited(polyphony, notes);
        for note in &kept {
            let down = kept.iter().filter(|other| other.onset <= note.onset && note.onset < other.end());
            prop_assert!(down.count() <= polyphony && note.duration > 0.0, "{kept:?}");
        }
        prop_assert_eq!(limited(polyphony, kept.clone()), kept);
    }
}
