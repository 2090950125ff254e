//! Clips written as MIDI files.

use etude_pianist::{
    midi::{self, Clip},
    note::Performance,
    time::TimeSignature,
};
use midly::{MetaMessage, MidiMessage, Smf, Timing, TrackEvent, TrackEventKind};
use proptest::prelude::*;

use crate::common::{note, pedal, performances};

fn clip(performance: Performance<f64>) -> Clip {
    let time_signature = TimeSignature::new(6, 8).unwrap();
    Clip { name: "Étude".to_owned(), tempo: 90.0, time_signature, quarters: 6.0, performance }
}

/// Tick and message of everything on the piano's track.
fn messages(performance: Performance<f64>) -> Vec<(u32, MidiMessage)> {
    let bytes = midi::write(&clip(performance));
    let mut tick = 0;
    let mut messages = Vec::new();
    for event in &Smf::parse(&bytes).unwrap().tracks[1] {
        tick += event.delta.as_int();
        if let TrackEventKind::Midi { message, .. } = event.kind {
            messages.push((tick, message));
        }
    }
    messages
}

fn strike(key: u8, velocity: u8) -> MidiMessage {
    MidiMessage::NoteOn { key: key.into(), vel: velocity.into() }
}

fn release(key: u8) -> MidiMessage {
    MidiMessage::NoteOff { key: key.into(), vel: 64.into() }
}

fn sustain(value: u8) -> MidiMessage {
    MidiMessage::Controller { controller: 64.into(), value: value.into() }
}

#[test]
fn a_clip_has_a_conductor_track_with_name_tempo_and_metre() {
    let bytes = midi::write(&clip(Performance::default()));
    let smf = Smf::parse(&bytes).unwrap();
    assert_eq!(smf.header.timing, Timing::Metrical(960.into()));
    assert_eq!(smf.tracks.len(), 2);
    let metas: Vec<_> = smf.tracks[0].iter().map(|event| event.kind).collect();
    assert_eq!(
        metas,
        [
            TrackEventKind::Meta(MetaMessage::TrackName("Étude".as_bytes())),
            TrackEventKind::Meta(MetaMessage::Tempo(666_667.into())),
            TrackEventKind::Meta(MetaMessage::TimeSignature(6, 3, 12, 8)),
            TrackEventKind::Meta(MetaMessage::EndOfTrack),
        ]
    );
    let map = midi::read(&bytes).unwrap().beat_map;
    assert!((map.to_quarters(60.0) - 90.0).abs() < 1e-3);
    assert_eq!((map.bars()[0].numerator, map.bars()[0].denominator), (6, 8));
}

#[test]
fn both_tracks_end_with_the_last_bar_or_with_what_sounds_after_it() {
    let ends = |quarters, duration| {
        let performance = Performance { notes: vec![note(60, 80, 1.0, duration)], pedal: Vec::new() };
        let bytes = midi::write(&Clip { quarters, ..clip(performance) });
        let smf = Smf::parse(&bytes).unwrap();
        let end = |track: &[TrackEvent]| track.iter().map(|event| event.delta.as_int()).sum::<u32>();
        smf.tracks.iter().map(|track| end(track)).collect::<Vec<_>>()
    };
    assert_eq!(ends(6.0, 1.0), [5760, 5760]);
    assert_eq!(ends(1.5, 4.0), [4800, 4800]);
}

#[test]
fn at_one_tick_releases_come_before_the_pedal_and_strikes_last() {
    let performance = Performance {
        notes: vec![note(60, 80, 0.0, 1.0), note(60, 90, 1.0, 1.0)],
        pedal: pedal(&[1.0, 2.0]),
    };
    assert_eq!(
        messages(performance),
        [
            (0, strike(60, 80)),
            (960, release(60)),
            (960, sustain(127)),
            (960, strike(60, 90)),
            (1920, release(60)),
            (1920, sustain(0)),
        ]
    );
}

#[test]
fn a_pedal_left_down_comes_up_at_the_end() {
    let performance = Performance { notes: vec![note(60, 80, 0.0, 1.0)], pedal: pedal(&[0.5]) };
    let messages = messages(performance);
    assert_eq!(messages[1..], [(480, sustain(127)), (960, release(60)), (960, sustain(0))]);
}

#[test]
fn a_note_lasts_a_tick_at_least_and_ends_where_its_key_is_struck_again() {
    let notes = vec![note(60, 80, 0.0, 0.0), note(62, 80, 0.0, 4.0), note(62, 80, 1.0, 1.0)];
    let messages = messages(Performance { notes, pedal: vec![] });
    let ends = messages.iter().filter(|(_, message)| matches!(message, MidiMessage::NoteOff { .. }));
    assert_eq!(ends.map(|(tick, _)| *tick).collect::<Vec<_>>(), [1, 960, 1920]);
}

#[test]
fn impossible_clips_still_make_a_file() {
    for tempo in [0.0, -1.0, f64::NAN, f64::INFINITY, 1e-9] {
        let notes = vec![note(60, 80, f64::NAN, f64::INFINITY), note(61, 80, 1e300, 1.0)];
        let performance = Performance { notes, pedal: pedal(&[f64::INFINITY]) };
        let name = "é".repeat(1000);
        for quarters in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            let (name, performance) = (name.clone(), performance.clone());
            let bytes = midi::write(&Clip { name, tempo, quarters, ..clip(performance) });
            assert!(Smf::parse(&bytes).is_ok());
        }
    }
}

proptest! {
    #[test]
    fn what_is_written_reads_back_within_half_a_tick(performance in performances(40.0)) {
        // Only what one keyboard can play: the grid leaves each key one note at a time.
        let base = etude_pianist::time::TimeBase::Beats;
        let performance = performance.quantise(base).unquantise(base);
        let recording = midi::read(&midi::write(&clip(performance.clone()))).unwrap();
        let read = recording.performance.map_time(|seconds| recording.beat_map.to_quarters(seconds));
        let half_a_tick = 0.5 / 960.0;
        prop_assert_eq!(read.notes.len(), performance.notes.len());
        for (read, written) in read.notes.iter().zip(&performance.notes) {
            prop_assert_eq!((read.key, read.velocity), (written.key, written.velocity));
            prop_assert!((read.onset - written.onset).abs() <= half_a_tick);
            prop_assert!((read.end() - written.end()).abs() <= half_a_tick);
        }
        for (read, written) in read.pedal.iter().zip(&performance.pedal) {
            prop_assert_eq!(read.down, written.down);
            prop_assert!((read.time - written.time).abs() <= half_a_tick);
        }
    }

    #[test]
    fn any_performance_makes_a_file_in_which_every_note_ends(performance in performances(40.0)) {
        let mut sounding = [false; 128];
        let mut down = false;
        for (_, message) in messages(performance) {
            match message {
                MidiMessage::NoteOn { key, .. } => {
                    prop_assert!(!std::mem::replace(&mut sounding[usize::from(key.as_int())], true));
                }
                MidiMessage::NoteOff { key, .. } => {
                    prop_assert!(std::mem::replace(&mut sounding[usize::from(key.as_int())], false));
                }
                MidiMessage::Controller { value, .. } => down = value >= 64,
                _ => {}
            }
        }
        prop_assert!(!sounding.contains(&true) && !down);
    }
}
