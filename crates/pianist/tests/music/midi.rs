//! Any MIDI file read as one piano's recording.

use std::path::{Path, PathBuf};

use etude_pianist::{
    midi::{self, MidiError, MidiFileError, Recording},
    note::Performance,
};
use proptest::prelude::*;

use crate::common::{note, pedal};

/// The end of a track.
const END: [u8; 4] = [0, 0xFF, 0x2F, 0];

/// A Standard MIDI File of these tracks' bytes, each an events list without its chunk header.
fn file(format: u8, division: u16, tracks: &[&[u8]]) -> Vec<u8> {
    let mut bytes = b"MThd\0\0\0\x06\0".to_vec();
    bytes.push(format);
    bytes.extend((tracks.len() as u16).to_be_bytes());
    bytes.extend(division.to_be_bytes());
    for track in tracks {
        bytes.extend(b"MTrk");
        bytes.extend((track.len() as u32).to_be_bytes());
        bytes.extend(*track);
    }
    bytes
}

/// A format-0 file at 100 ticks per quarter note, and so 200 per second.
fn track(events: &[u8]) -> Vec<u8> {
    file(0, 100, &[events])
}

fn read(bytes: &[u8]) -> Performance<f64> {
    midi::read(bytes).expect("a readable file").performance
}

/// Key, onset and end of each note, in hundredths of a second.
fn places(performance: &Performance<f64>) -> Vec<(u8, u32, u32)> {
    let hundredths = |time: f64| (time * 100.0).round() as u32;
    performance
        .notes
        .iter()
        .map(|note| (note.key.midi(), hundredths(note.onset), hundredths(note.end())))
        .collect()
}

#[test]
fn notes_have_their_times_in_seconds() {
    let performance =
        read(&track(&[0, 0x90, 60, 100, 100, 0x80, 60, 64, 100, 0x90, 62, 80, 50, 0x80, 62, 64]));
    assert_eq!(performance.notes, [note(60, 100, 0.0, 0.5), note(62, 80, 1.0, 0.25)]);
}

#[test]
fn running_status_goes_on_even_after_a_meta_event() {
    let text = [0, 0xFF, 0x01, 2, b'h', b'i'];
    let events = [&[0, 0x90, 60, 100, 100, 60, 0][..], &text, &[0, 62, 100, 100, 62, 0]].concat();
    assert_eq!(places(&read(&track(&events))), [(60, 0, 50), (62, 50, 100)]);
}

#[test]
fn a_restruck_key_ends_the_note_before() {
    let events = [0, 0x90, 60, 100, 100, 60, 90, 50, 60, 0, 50, 60, 0];
    assert_eq!(places(&read(&track(&events))), [(60, 0, 50), (60, 50, 75)]);
}

#[test]
fn a_release_written_after_the_strike_of_its_tick_is_that_of_the_note_before() {
    let events = [0, 0x90, 60, 100, 100, 60, 90, 0, 60, 0, 100, 60, 0];
    assert_eq!(places(&read(&track(&events))), [(60, 0, 50), (60, 50, 100)]);
}

#[test]
fn notes_that_hang_end_with_their_track_or_all_notes_off() {
    let hanging = [&[0, 0x90, 60, 100][..], &[100, 0xFF, 0x2F, 0]].concat();
    assert_eq!(places(&read(&track(&hanging))), [(60, 0, 50)]);
    let ended = [0, 0x90, 60, 100, 0, 62, 100, 50, 0xB0, 123, 0, 50, 0x90, 64, 100, 50, 64, 0];
    assert_eq!(places(&read(&track(&ended))), [(60, 0, 25), (62, 0, 25), (64, 50, 75)]);
}

#[test]
fn a_note_that_hangs_does_not_hold_its_key_for_other_voices() {
    let hanging = [0, 0x90, 60, 100, 0x83, 0x10, 0xFF, 0x2F, 0];
    let voice = [100, 0x91, 60, 100, 20, 60, 0];
    assert_eq!(places(&read(&file(1, 100, &[&hanging, &voice]))), [(60, 0, 50), (60, 50, 60)]);
}

#[test]
fn voices_share_one_keyboard() {
    let long = [0, 0x90, 60, 50, 0, 64, 50, 0x81, 0x48, 60, 0, 0, 64, 0];
    let short = [0, 0x91, 60, 90, 50, 60, 0, 50, 64, 90, 20, 64, 0];
    let performance = read(&file(1, 100, &[&long, &short]));
    assert_eq!(places(&performance), [(60, 0, 100), (64, 0, 50), (64, 50, 100)]);
    assert_eq!(performance.notes[0].velocity.midi(), 90);
}

#[test]
fn channels_of_one_track_are_voices_of_their_own() {
    // The second channel lets go of the key that the first still holds.
    let shared = [0, 0x90, 60, 100, 50, 0x91, 60, 90, 50, 60, 0, 100, 0x90, 60, 0];
    assert_eq!(places(&read(&track(&shared))), [(60, 0, 25), (60, 25, 100)]);
    let ended = [0, 0x90, 60, 100, 0, 0x91, 64, 90, 50, 0xB1, 123, 0, 50, 0x90, 60, 0];
    assert_eq!(places(&read(&track(&ended))), [(60, 0, 50), (64, 0, 25)]);
}

#[test]
fn exclusive_messages_are_passed_over() {
    let exclusive = [&[0, 0x90, 60, 100][..], &[50, 0xF0, 3, 1, 2, 0xF7, 50, 0x80, 60, 0]].concat();
    assert_eq!(places(&read(&track(&exclusive))), [(60, 0, 50)]);
}

#[test]
fn times_of_several_bytes_are_read_whole() {
    // 200 and 128 * 128 ticks.
    let events = [0, 0x90, 60, 100, 0x81, 0x48, 60, 0, 0x81, 0x80, 0x00, 62, 100, 100, 62, 0];
    assert_eq!(places(&read(&track(&events))), [(60, 0, 100), (62, 8292, 8342)]);
}

#[test]
fn percussion_and_notes_beyond_the_piano_are_left_out() {
    let events = [0, 0x99, 60, 100, 0, 0x90, 20, 100, 0, 109, 100, 0, 108, 100, 50, 108, 0, 0, 0xB9, 64, 127];
    let recording = midi::read(&track(&events)).unwrap();
    assert_eq!(places(&recording.performance), [(108, 0, 25)]);
    assert_eq!(recording.outside_keyboard, 2);
    assert!(recording.performance.pedal.is_empty());
}

#[test]
fn the_pedal_is_down_from_half_way_on() {
    let events = [0, 0xB0, 64, 1, 20, 64, 63, 20, 64, 64, 20, 64, 127, 20, 64, 70, 20, 64, 63, 20, 64, 0];
    assert_eq!(read(&track(&events)).pedal, pedal(&[0.2, 0.5]));
}

#[test]
fn the_pedal_is_down_while_that_of_any_channel_is() {
    let events = [0, 0xB0, 64, 127, 20, 0xB1, 64, 127, 20, 0xB0, 64, 0, 20, 0xB1, 121, 0];
    assert_eq!(read(&track(&events)).pedal, pedal(&[0.0, 0.3]));
}

#[test]
fn tempi_in_any_track_count_and_one_of_zero_does_not() {
    let tempi = [100, 0xFF, 0x51, 3, 0x0F, 0x42, 0x40, 0, 0xFF, 0x51, 3, 0, 0, 0];
    let notes = [0, 0x90, 60, 100, 100, 60, 0, 0, 62, 100, 100, 62, 0];
    let recording = midi::read(&file(1, 100, &[&notes, &tempi])).unwrap();
    assert_eq!(places(&recording.performance), [(60, 0, 50), (62, 50, 150)]);
    assert_eq!(recording.beat_map.to_quarters(1.5), 2.0);
    assert_eq!(recording.beat_map.to_seconds(3.0), 2.5);
}

#[test]
fn bars_follow_the_time_signatures() {
    let events =
        [0, 0xFF, 0x58, 4, 3, 2, 24, 8, 0x82, 0x2C, 0xFF, 0x58, 4, 6, 3, 24, 8, 0, 0xFF, 0x58, 4, 0, 9, 1, 1];
    let map = midi::read(&track(&events)).unwrap().beat_map;
    let bars: Vec<_> = map.bars().iter().map(|bar| (bar.start, bar.numerator, bar.denominator)).collect();
    assert_eq!(bars, [(0.0, 3, 4), (3.0, 6, 8)]);
    let (bar, position) = map.position_in_bar(7.5);
    assert_eq!((bar.start, position), (6.0, 1.5));
}

#[test]
fn smpte_time_needs_no_tempo() {
    // 25 frames a second, 40 ticks a frame: a tick is a millisecond.
    let events = [0, 0xFF, 0x51, 3, 1, 1, 1, 100, 0x90, 60, 100, 50, 60, 0];
    let recording = midi::read(&file(0, 0xE728, &[&events])).unwrap();
    assert_eq!(places(&recording.performance), [(60, 10, 15)]);
    assert_eq!(recording.beat_map.to_quarters(1.0), 2.0);
}

#[test]
fn a_file_wrapped_in_riff_is_read() {
    let inner = track(&[0, 0x90, 60, 100, 100, 60, 0]);
    let mut riff = b"RIFF\0\0\0\0RMIDLIST\x01\0\0\0x\0data".to_vec();
    riff.extend((inner.len() as u32).to_le_bytes());
    riff.extend(&inner);
    assert_eq!(places(&read(&riff)), [(60, 0, 50)]);
}

#[test]
fn a_damaged_track_counts_up_to_the_damage() {
    let events = [0, 0x90, 60, 100, 100, 60, 0, 0, 62, 100, 100, 0xF4, 0, 0x90, 64, 100];
    assert_eq!(places(&read(&track(&events))), [(60, 0, 50), (62, 50, 100)]);
    let whole = track(&[0, 0x90, 60, 100, 100, 60, 0, 0, 62, 100, 100, 62, 0]);
    assert_eq!(places(&read(&whole[..whole.len() - 5])), [(60, 0, 50)]);
}

#[test]
fn nothing_counts_after_the_end_of_a_track() {
    let events = [&END[..], &[0, 0x90, 60, 100, 100, 60, 0]].concat();
    assert_eq!(read(&track(&events)), Performance::default());
}

#[test]
fn useless_files_are_refused_with_the_reason() {
    let cases: [(&[u8], MidiError); 8] = [
        (b"", MidiError::Empty),
        (b"RIFF....WAVEfmt ", MidiError::NotMidi),
        (b"ID3 not a midi file", MidiError::NotMidi),
        (&file(2, 100, &[&END]), MidiError::Independent),
        (&file(0, 0, &[&END]), MidiError::NoDivision),
        (&file(0, 0xE700, &[&END]), MidiError::NoDivision),
        (&file(0, 0x8028, &[&END]), MidiError::NoDivision),
        (&file(1, 100, &[]), MidiError::NoTracks),
    ];
    for (bytes, reason) in cases {
        assert_eq!(midi::read(bytes), Err(reason));
    }
    assert!(matches!(midi::read(b"MThd\0\0\0\x06\0\0"), Err(MidiError::Header(_))));
    assert!(matches!(midi::read(&file(7, 100, &[&END])), Err(MidiError::Header(_))));
}

#[test]
fn recordings_longer_than_a_day_are_refused() {
    let late = [0xFF, 0xFF, 0xFF, 0x7F];
    let strike = [&late[..], &[0x90, 60, 100, 10, 60, 0]].concat();
    assert_eq!(midi::read(&track(&strike)), Err(MidiError::TooLong));
    let press = [&late[..], &[0xB0, 64, 127]].concat();
    assert_eq!(midi::read(&track(&press)), Err(MidiError::TooLong));
    let hanging = [&[0, 0x90, 60, 100][..], &late, &[0xFF, 0x2F, 0]].concat();
    assert_eq!(places(&read(&track(&hanging))), [(60, 0, 24 * 3600 * 100)]);
}

#[test]
fn more_notes_than_anybody_plays_are_refused() {
    let strikes = [&[0, 0x90, 60, 1][..], &[1, 60, 1].repeat(1 << 20)].concat();
    assert_eq!(midi::read(&track(&strikes)), Err(MidiError::TooManyEvents));
}

fn scratch(name: &str) -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join(name)
}

#[test]
fn a_file_is_read_as_its_bytes_are() {
    let path = scratch("rich.mid");
    std::fs::write(&path, rich_file()).unwrap();
    assert_eq!(midi::read_file(&path).ok(), midi::read(&rich_file()).ok());
    assert!(midi::read_file(&path).is_ok());
}

fn message(path: &Path) -> String {
    midi::read_file(path).expect_err("no recording").to_string()
}

#[test]
fn file_errors_name_the_file_and_what_to_do() {
    let missing = scratch("missing.mid");
    assert!(message(&missing).starts_with(&format!("can't read {}", missing.display())));

    let folder = scratch("folder.mid");
    std::fs::create_dir_all(&folder).unwrap();
    assert_eq!(message(&folder), format!("{} is not a file; give the path of a .mid file", folder.display()));

    let huge = scratch("huge.mid");
    std::fs::File::create(&huge).unwrap().set_len((64 << 20) + 1).unwrap();
    assert!(matches!(midi::read_file(&huge), Err(MidiFileError::TooLarge { .. })));
    std::fs::remove_file(&huge).unwrap();

    let empty = scratch("empty.mid");
    std::fs::write(&empty, b"").unwrap();
    let advice = "it is empty; check that it was copied or downloaded completely";
    assert_eq!(message(&empty), format!("{}: {advice}", empty.display()));
}

/// What holds for whatever was read.
fn assert_sound(recording: &Recording) {
    let Performance { notes, pedal } = &recording.performance;
    assert!(notes.is_sorted_by(|one, next| (one.onset, one.key) <= (next.onset, next.key)));
    assert!(notes.iter().all(|note| note.duration >= 0.0 && note.end() <= 24.0 * 3600.0));
    assert!(pedal.is_sorted_by(|one, next| one.time <= next.time && one.down != next.down));
    assert!(pedal.first().is_none_or(|change| change.down));
    let (bar, position) = recording.beat_map.position_in_bar(recording.beat_map.to_quarters(10.0));
    assert!((0.0..=bar.quarters()).contains(&position));
}

/// A valid file with something of everything.
fn rich_file() -> Vec<u8> {
    let conductor =
        [0, 0xFF, 0x51, 3, 7, 0xA1, 0x20, 0, 0xFF, 0x58, 4, 3, 2, 24, 8, 100, 0xFF, 0x59, 2, 0, 0];
    let piano =
        [0, 0x90, 60, 100, 50, 64, 90, 0, 0xB0, 64, 127, 50, 0x80, 60, 0, 0x81, 0, 64, 0, 0, 0xB0, 64, 0];
    let other =
        [0, 0xF0, 3, 1, 2, 0xF7, 0, 0xC1, 5, 0, 0xE1, 0, 64, 0, 0x91, 72, 100, 99, 72, 0, 0, 0xFF, 0x2F, 0];
    file(1, 100, &[&conductor, &piano, &other])
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = midi::read(&bytes);
    }

    #[test]
    fn any_events_are_read_or_refused(
        division in any::<u16>(),
        tracks in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..200), 1..4),
    ) {
        let tracks: Vec<&[u8]> = tracks.iter().map(Vec::as_slice).collect();
        if let Ok(recording) = midi::read(&file(1, division, &tracks)) {
            assert_sound(&recording);
        }
    }

    #[test]
    fn damaged_files_are_read_or_refused(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        length in any::<prop::sample::Index>(),
    ) {
        let mut bytes = rich_file();
        for (place, value) in changes {
            let place = place.index(bytes.len());
            bytes[place] = value;
        }
        for bytes in [&bytes[..], &bytes[..length.index(bytes.len())]] {
            if let Ok(recording) = midi::read(bytes) {
                assert_sound(&recording);
            }
        }
    }
}
