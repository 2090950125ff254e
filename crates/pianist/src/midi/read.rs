//! A Standard MIDI File as one piano's recording.

use midly::Format;
use thiserror::Error;

use super::clock::{Clock, Division};
use super::events::{Events, Sustain};
use crate::note::{Note, PedalChange, Performance, hold_across_voices, on_one_keyboard};
use crate::time::BeatMap;

/// The latest onset or pedal change of a recording, in seconds: a day.
const LONGEST: f64 = 24.0 * 3600.0;

/// A file as played on one piano.
#[derive(Debug, Clone, PartialEq)]
pub struct Recording {
    /// What was played, in seconds from the start of the file.
    pub performance: Performance<f64>,
    /// Beats and bars by the file's own tempi and time signatures: 120 quarters a minute and 4/4 where it has none.
    pub beat_map: BeatMap,
    /// How many notes were left out because a piano has no such key.
    pub outside_keyboard: usize,
}

/// Why bytes are no recording.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum MidiError {
    /// Nothing in it.
    #[error("it is empty; check that it was copied or downloaded completely")]
    Empty,
    /// It does not begin as one.
    #[error("it is not a Standard MIDI File; export one from the program that made it")]
    NotMidi,
    /// Its header makes no sense.
    #[error("its header is damaged ({0}); export the file again")]
    Header(&'static str),
    /// It holds several independent sequences.
    #[error("it is a format-2 file of independent sequences; export it as format 0 or 1")]
    Independent,
    /// Its header gives ticks no length.
    #[error("its header divides time by zero, so nothing in it has a time; export the file again")]
    NoDivision,
    /// There is a header and nothing else.
    #[error("it has no tracks; it may be cut off")]
    NoTracks,
    /// Something in it is more than a day after its start.
    #[error("it goes on for more than 24 hours; cut it into pieces, or repair its tempo")]
    TooLong,
    /// There is more in it than a pianist can play.
    #[error("it has more than a million notes, pedal or tempo changes; cut it into pieces")]
    TooManyEvents,
}

/// Reads a Standard MIDI File (format 0 or 1, also wrapped in RIFF) as played on one piano.
///
/// All tracks and channels but percussion (channel 10) are merged: what several voices strike at once is one note, and
/// a key stays down until the last of them lets go. Within a voice a restruck key ends the note before; what never
/// ends lasts to the end of its track. The sustain pedal is down while that of any channel is (64 and above).
/// A damaged track counts up to the damage. Memory is bounded: 24 hours at most, and about a million each of
/// notes, pedal changes, tempi and time signatures.
pub fn read(bytes: &[u8]) -> Result<Recording, MidiError> {
    let (header, tracks) = parse_header(bytes)?;
    if header.format == Format::Sequential {
        return Err(MidiError::Independent);
    }
    let division = Division::new(header.timing)?;
    let mut events = Events::with_room_for(bytes.len());
    let mut tracks = tracks.map_while(Result::ok).peekable();
    tracks.peek().ok_or(MidiError::NoTracks)?;
    for track in tracks {
        events.read_track(track.unread())?;
    }
    events.tempi.sort_by_key(|&(tick, _)| tick);
    events.metres.sort_by_key(|&(tick, _)| tick);
    let clock = Clock::new(division, &events.tempi);
    hold_across_voices(&mut events.notes);
    // Only now: a note that hangs by mistake must not hold its key for the other voices.
    events.notes.append(&mut events.hanging);
    on_one_keyboard(&mut events.notes);
    Ok(Recording {
        performance: Performance {
            notes: place_notes(events.notes, &clock)?,
            pedal: place_pedal(events.pedals, &clock)?,
        },
        beat_map: clock.beat_map(&events.metres),
        outside_keyboard: events.outside_keyboard,
    })
}

fn parse_header(bytes: &[u8]) -> Result<(midly::Header, midly::TrackIter<'_>), MidiError> {
    if bytes.is_empty() {
        return Err(MidiError::Empty);
    }
    let file = if bytes.starts_with(b"RIFF") { unwrap_riff(bytes) } else { Some(bytes) };
    let file = file.filter(|file| file.starts_with(b"MThd")).ok_or(MidiError::NotMidi)?;
    // No such frame rate, and midly 0.5.3 overflows when it negates it.
    if file.get(12) == Some(&0x80) {
        return Err(MidiError::NoDivision);
    }
    midly::parse(file).map_err(|error| MidiError::Header(error.kind().message()))
}

/// The MIDI file inside a RIFF file of form RMID: its `data` chunk.
fn unwrap_riff(bytes: &[u8]) -> Option<&[u8]> {
    let mut rest = bytes.get(8..)?.strip_prefix(b"RMID")?;
    loop {
        let (id, after) = rest.split_first_chunk::<4>()?;
        let (length, contents) = after.split_first_chunk::<4>()?;
        let length = u32::from_le_bytes(*length) as usize;
        if id == b"data" {
            return Some(&contents[..length.min(contents.len())]);
        }
        rest = contents.get(length.checked_next_multiple_of(2)?..)?;
    }
}

/// Sorted notes, in seconds.
fn place_notes(notes: Vec<Note<u64>>, clock: &Clock) -> Result<Vec<Note<f64>>, MidiError> {
    let place = |note: Note<u64>| {
        let onset = clock.seconds(note.onset);
        let end = clock.seconds(note.onset + note.duration).min(LONGEST);
        Note { onset, duration: (end - onset).max(0.0), key: note.key, velocity: note.velocity }
    };
    let notes: Vec<Note<f64>> = notes.into_iter().map(place).collect();
    let too_long = notes.last().is_some_and(|note| note.onset > LONGEST);
    if too_long { Err(MidiError::TooLong) } else { Ok(notes) }
}

/// One sustain pedal, in seconds: down while that of any channel is.
fn place_pedal(mut pedals: Vec<Sustain>, clock: &Clock) -> Result<Vec<PedalChange<f64>>, MidiError> {
    pedals.sort_by_key(|sustain| sustain.tick);
    let mut channels_down = 0u16;
    let mut changes = Vec::new();
    for Sustain { tick, channel, down } in pedals {
        let before = channels_down;
        channels_down = channels_down & !(1 << channel) | u16::from(down) << channel;
        if (before == 0) != (channels_down == 0) {
            changes.push(PedalChange { time: clock.seconds(tick), down });
        }
    }
    let too_long = changes.last().is_some_and(|change: &PedalChange<f64>| change.time > LONGEST);
    if too_long { Err(MidiError::TooLong) } else { Ok(changes) }
}
