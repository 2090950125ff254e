//! A clip as a Standard MIDI File.

use midly::num::{u4, u7, u15, u24, u28};
use midly::{Format, Header, MetaMessage, MidiMessage, Smf, Timing, Track, TrackEvent, TrackEventKind};

use super::cue::{Action, Cue, TICKS_PER_QUARTER, cues, tick};
use crate::note::{Key, Performance};
use crate::time::TimeSignature;

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
    /// Length in quarter notes: whole bars, so that it repeats on the bar where a host goes by the end of its tracks.
    pub quarters: f64,
    /// In quarter notes from the clip's start.
    pub performance: Performance<f64>,
}

/// Writes a format-1 file with 960 ticks per quarter note: a track with tempo, time signature and name, and one with
/// the notes and the sustain pedal on channel 1. Both end with the clip's last bar, or later if something else does.
///
/// What happens at one tick is ordered as in [`cues`].
pub fn write(clip: &Clip) -> Vec<u8> {
    let cues = cues(&clip.performance);
    let last = cues.last().map_or(0, |cue| cue.tick);
    let end = last.max(tick(clip.quarters) as u32);
    let header = Header::new(Format::Parallel, Timing::Metrical(u15::new(TICKS_PER_QUARTER)));
    let smf = Smf { header, tracks: vec![conductor_track(clip, end), piano_track(clip, &cues, end)] };
    let mut bytes = Vec::new();
    smf.write(&mut bytes).expect("a vector takes everything, and names are cut to fit an event");
    bytes
}

fn conductor_track(clip: &Clip, end: u32) -> Track<'_> {
    let metre = clip.time_signature;
    let tempo = if clip.tempo > 0.0 { 60e6 / clip.tempo } else { 500_000.0 };
    let tempo = tempo.round().clamp(1.0, f64::from(u24::max_value().as_int())) as u32;
    // MIDI clocks, 24 in a quarter note, between clicks of the metronome: one for each note counted.
    let click = (96 / metre.denominator()).max(1);
    vec![
        meta(MetaMessage::TrackName(name(clip))),
        meta(MetaMessage::Tempo(u24::new(tempo))),
        meta(MetaMessage::TimeSignature(metre.numerator(), metre.denominator().ilog2() as u8, click, 8)),
        end_of_track(end),
    ]
}

fn piano_track<'a>(clip: &'a Clip, cues: &[Cue], end: u32) -> Track<'a> {
    let mut track = vec![meta(MetaMessage::TrackName(name(clip)))];
    let mut last = 0;
    for cue in cues {
        let kind = TrackEventKind::Midi { channel: u4::new(0), message: message(cue.action) };
        track.push(TrackEvent { delta: u28::new(cue.tick - last), kind });
        last = cue.tick;
    }
    track.push(end_of_track(end - last));
    track
}

fn message(action: Action) -> MidiMessage {
    let number = |key: Key| u7::new(key.midi());
    match action {
        Action::Release(key) => MidiMessage::NoteOff { key: number(key), vel: u7::new(RELEASE) },
        Action::Pedal(down) => {
            let value = u7::new(if down { 127 } else { 0 });
            MidiMessage::Controller { controller: u7::new(SUSTAIN), value }
        }
        Action::Strike(key, velocity) => {
            MidiMessage::NoteOn { key: number(key), vel: u7::new(velocity.midi()) }
        }
    }
}

fn name(clip: &Clip) -> &[u8] {
    let ends = clip.name.char_indices().map(|(start, letter)| start + letter.len_utf8());
    let end = ends.take_while(|end| *end <= LONGEST_NAME).last().unwrap_or(0);
    &clip.name.as_bytes()[..end]
}

/// The end of a track, `delta` ticks after its last event.
fn end_of_track(delta: u32) -> TrackEvent<'static> {
    TrackEvent { delta: u28::new(delta), ..meta(MetaMessage::EndOfTrack) }
}

fn meta(message: MetaMessage) -> TrackEvent {
    TrackEvent { delta: u28::new(0), kind: TrackEventKind::Meta(message) }
}
