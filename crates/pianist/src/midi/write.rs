//! A clip as a Standard MIDI File.

use midly::{
    Format, Header, MetaMessage, MidiMessage, Smf, Timing, Track, TrackEvent, TrackEventKind,
    num::{u4, u7, u15, u24, u28},
};

use crate::{
    note::{Note, Performance, on_one_keyboard},
    time::TimeSignature,
};

/// The resolution that hosts export at: fine enough for a millisecond at any tempo, and whole for triplets.
const TICKS_PER_QUARTER: u16 = 960;

/// The last tick at which anything is written, so that every delta fits its 28 bits: 34 days at 90 a minute.
const LAST_TICK: u64 = (1 << 28) - 2;

/// What is written of a name, in bytes; no host shows more.
const LONGEST_NAME: usize = 255;

const SUSTAIN: u8 = 64;
/// The release velocity that stands for none.
const RELEASE: u8 = 64;

/// A take as it goes into a file.
#[derive(Debug, Clone, PartialEq)]
pub struct Clip {
    /// The name of file and track that hosts show.
    pub name: String,
    /// In quarter notes per minute, above 3.6 (what a file can say).
    pub tempo: f64,
    /// The metre of every bar.
    pub time_signature: TimeSignature,
    /// In quarter notes from the clip's start.
    pub performance: Performance<f64>,
}

/// Writes a format-1 file with 960 ticks per quarter note: a track with tempo, time signature and name, and one with
/// the notes and the sustain pedal on channel 1.
///
/// Every note ends, and lasts at least one tick; the pedal is up at the end. At one tick, releases come first, so
/// that a restruck key is free again; then the pedal, so that it never catches what was let go; then strikes.
pub fn write(clip: &Clip) -> Vec<u8> {
    let header = Header::new(Format::Parallel, Timing::Metrical(u15::new(TICKS_PER_QUARTER)));
    let smf = Smf { header, tracks: vec![conductor_track(clip), piano_track(clip)] };
    let mut bytes = Vec::new();
    smf.write(&mut bytes).expect("a vector takes everything, and names are cut to fit an event");
    bytes
}

fn conductor_track(clip: &Clip) -> Track<'_> {
    let metre = clip.time_signature;
    let tempo = if clip.tempo > 0.0 { 60e6 / clip.tempo } else { 500_000.0 };
    let tempo = tempo.round().clamp(1.0, f64::from(u24::max_value().as_int())) as u32;
    // MIDI clocks, 24 in a quarter note, between clicks of the metronome: one for each note counted.
    let click = (96 / metre.denominator()).max(1);
    vec![
        meta(MetaMessage::TrackName(name(clip))),
        meta(MetaMessage::Tempo(u24::new(tempo))),
        meta(MetaMessage::TimeSignature(metre.numerator(), metre.denominator().ilog2() as u8, click, 8)),
        meta(MetaMessage::EndOfTrack),
    ]
}

fn piano_track(clip: &Clip) -> Track<'_> {
    let mut track = vec![meta(MetaMessage::TrackName(name(clip)))];
    let mut last = 0;
    for Event { tick, message, .. } in piano_events(&clip.performance) {
        let kind = TrackEventKind::Midi { channel: u4::new(0), message };
        track.push(TrackEvent { delta: u28::new((tick - last) as u32), kind });
        last = tick;
    }
    track.push(meta(MetaMessage::EndOfTrack));
    track
}

/// A message and its place: by tick, then by order within the tick.
struct Event {
    tick: u64,
    order: u8,
    message: MidiMessage,
}

fn piano_events(performance: &Performance<f64>) -> Vec<Event> {
    let mut notes: Vec<Note<u64>> = performance.notes.iter().map(place_note).collect();
    on_one_keyboard(&mut notes);
    let mut events: Vec<Event> = notes.iter().flat_map(strike_and_release).collect();
    events.extend(performance.pedal.iter().map(|change| pedal(tick(change.time), change.down)));
    events.sort_by_key(|event| (event.tick, event.order));
    if performance.pedal.last().is_some_and(|change| change.down) {
        events.push(pedal(events.last().map_or(0, |event| event.tick), false));
    }
    events
}

fn strike_and_release(note: &Note<u64>) -> [Event; 2] {
    let key = u7::new(note.key.midi());
    let strike = MidiMessage::NoteOn { key, vel: u7::new(note.velocity.midi()) };
    let release = MidiMessage::NoteOff { key, vel: u7::new(RELEASE) };
    [
        Event { tick: note.onset, order: 2, message: strike },
        Event { tick: note.onset + note.duration, order: 0, message: release },
    ]
}

fn pedal(tick: u64, down: bool) -> Event {
    let value = u7::new(if down { 127 } else { 0 });
    Event { tick, order: 1, message: MidiMessage::Controller { controller: u7::new(SUSTAIN), value } }
}

fn place_note(note: &Note<f64>) -> Note<u64> {
    let onset = tick(note.onset);
    let duration = tick(note.end()).saturating_sub(onset).max(1);
    Note { onset, duration, key: note.key, velocity: note.velocity }
}

fn tick(quarters: f64) -> u64 {
    (quarters * f64::from(TICKS_PER_QUARTER)).round().clamp(0.0, LAST_TICK as f64) as u64
}

fn name(clip: &Clip) -> &[u8] {
    let ends = clip.name.char_indices().map(|(start, letter)| start + letter.len_utf8());
    let end = ends.take_while(|end| *end <= LONGEST_NAME).last().unwrap_or(0);
    &clip.name.as_bytes()[..end]
}

fn meta(message: MetaMessage) -> TrackEvent {
    TrackEvent { delta: u28::new(0), kind: TrackEventKind::Meta(message) }
}
