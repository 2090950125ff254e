//! Takes to play.

use etude::params::Mode;
use etude::take::{Place, Take};
use etude_pianist::composer;
use etude_pianist::note::{Key, Note, PedalChange, Performance, Velocity};
use etude_pianist::time::TimeSignature;
use proptest::prelude::*;

/// The usual tempo of the tests: a quarter note has 24,000 samples at 48 kHz, and a tick 25.
pub const TEMPO: f32 = 120.0;

pub fn key(midi: u8) -> Key {
    Key::from_midi(midi).unwrap()
}

pub fn note(onset: f64, duration: f64, midi: u8) -> Note<f64> {
    Note { onset, duration, key: key(midi), velocity: Velocity::new(70) }
}

pub fn place(anchor: i64, mode: Mode) -> Place {
    Place { anchor, mode }
}

pub fn of_notes(notes: Vec<Note<f64>>, quarters: f64, place: Place) -> Take {
    take(Performance { notes, pedal: Vec::new() }, quarters, place)
}

pub fn with_pedal(notes: Vec<Note<f64>>, pedal: &[(f64, bool)], quarters: f64) -> Take {
    let pedal = pedal.iter().map(|&(time, down)| PedalChange { time, down }).collect();
    take(Performance { notes, pedal }, quarters, place(0, Mode::Loop))
}

fn take(performance: Performance<f64>, quarters: f64, place: Place) -> Take {
    let tempo = f64::from(TEMPO);
    let time_signature = TimeSignature::COMMON;
    let music = composer::Take { seed: 0, tempo, time_signature, quarters, performance };
    Take::new(music, place, quarters)
}

/// Takes of 1 to 6 quarter notes on the ticks of a clip, as a composer leaves them: keys are free when struck, and
/// everything ends inside.
pub fn takes() -> impl Strategy<Value = Take> {
    let notes = prop::collection::vec((0..5760u32, 1..2000u32, 50..60u8), 0..60);
    let pedal = prop::collection::btree_set(0..5760u32, 0..6);
    let anchor = prop_oneof![Just(0), -3000..3000i64];
    let mode = prop_oneof![Just(Mode::Loop), Just(Mode::Endless)];
    (1..=6u32, notes, pedal, anchor, mode).prop_map(|(length, mut notes, pedal, anchor, mode)| {
        let length = length * 960;
        notes.retain(|note| note.0 < length);
        notes.sort_by_key(|note| (note.0, note.2));
        notes.dedup_by_key(|note| (note.0, note.2));
        let quarters = |tick: u32| f64::from(tick) / 960.0;
        let played = |(i, &(onset, duration, midi)): (usize, &(u32, u32, u8))| {
            let again = notes[i + 1..].iter().find(|later| later.2 == midi).map_or(length, |later| later.0);
            note(quarters(onset), quarters(duration.min(again - onset)), midi)
        };
        let played = notes.iter().enumerate().map(played).collect();
        let mut pedal: Vec<u32> = pedal.into_iter().filter(|tick| *tick < length).collect();
        pedal.truncate(pedal.len() / 2 * 2);
        let moves = pedal.iter().enumerate();
        let pedal = moves.map(|(i, tick)| PedalChange { time: quarters(*tick), down: i % 2 == 0 }).collect();
        take(Performance { notes: played, pedal }, quarters(length), place(anchor, mode))
    })
}
