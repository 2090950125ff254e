//! Performances for the tests of notes, time and files.

use etude_pianist::note::{Key, Note, PedalChange, Performance, Velocity};
use proptest::prelude::*;

/// A note by MIDI number and velocity.
pub fn note<T>(midi: u8, velocity: u8, onset: T, duration: T) -> Note<T> {
    let key = Key::from_midi(midi).expect("a key of the piano");
    Note { onset, duration, key, velocity: Velocity::new(velocity) }
}

/// Pedal changes at these times, beginning with a press.
pub fn pedal<T: Copy>(times: &[T]) -> Vec<PedalChange<T>> {
    times.iter().enumerate().map(|(index, &time)| PedalChange { time, down: index % 2 == 0 }).collect()
}

/// Any performance up to about `length` units long: crowded on few keys, with rests longer than any shift.
pub fn performances(length: f64) -> impl Strategy<Value = Performance<f64>> {
    let key = prop_oneof![21u8..=108, 60u8..=62];
    let notes = prop::collection::vec((key, 1u8..=127, 0.0..length, 0.0..length / 3.0), 0..60);
    let pedal_times = prop::collection::vec(0.0..length, 0..20);
    (notes, pedal_times).prop_map(|(notes, mut times)| {
        let mut notes: Vec<_> =
            notes.into_iter().map(|(key, vel, on, long)| note(key, vel, on, long)).collect();
        notes.sort_by(|one, other| one.onset.total_cmp(&other.onset).then(one.key.cmp(&other.key)));
        times.sort_by(f64::total_cmp);
        Performance { notes, pedal: pedal(&times) }
    })
}
