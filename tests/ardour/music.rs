//! What Etude exports, what of it is to be heard, and what Ardour recorded.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::ops::Range;
use std::path::Path;

use base64::prelude::*;
use etude::params::EtudeParams;
use etude_pianist::midi::{self, Clip};
use etude_pianist::note::{self, Key, PedalChange, Performance, Velocity};
use etude_pianist::time::TimeSignature;
use midly::{MidiMessage, Smf, Timing, TrackEvent, TrackEventKind};
use nice_plug::prelude::Params;

use crate::ardour::TICKS;
use crate::{BARS, FIRST_BAR, SEED};

/// Quarter notes in a bar.
const BAR: f64 = 4.0;
/// Stands for the pedal among the MIDI keys.
const PEDAL: u8 = 0;
/// The pedal among the MIDI controllers, and what lifts all keys.
const SUSTAIN: u8 = 64;
const ALL_NOTES_OFF: u8 = 123;

/// A key, or the pedal, from its strike to its release, in quarter notes.
#[derive(Debug, Clone, PartialEq)]
pub struct Note {
    pub onset: f64,
    pub end: f64,
    pub key: u8,
    pub velocity: u8,
}

/// The clip that the editor would export of the take that Ardour's session keeps, in quarter notes from its start; `None`
/// if that is not the whole take that the session asks for.
pub fn exported(session: &str) -> Option<Vec<Note>> {
    let params = EtudeParams::default();
    params.deserialize_fields(&fields(session));
    let take = params.session.view().take.clone()?;
    let wanted = u64::from(SEED) == take.music().seed && f64::from(BARS) * BAR == take.music().quarters;
    let performance = take.clip().filter(|_| wanted)?;
    Some(written(&clip(performance)))
}

fn clip(performance: Performance<f64>) -> Clip {
    let (name, time_signature) = ("take".into(), TimeSignature::COMMON);
    Clip { name, tempo: 120.0, time_signature, quarters: f64::from(BARS) * BAR, performance }
}

/// What is in the file of a clip.
pub fn written(clip: &Clip) -> Vec<Note> {
    notes(&midi::write(clip), Begun::InSilence)
}

/// A bar with every key twice, the second time struck as it is released, in chords, at odd ticks, with all velocities and
/// with the pedal.
pub fn of_all_keys() -> Clip {
    let time = |tick: u32| f64::from(tick) / 960.0;
    let strikes = (0..88).flat_map(|i| [(i, i / 3 * 37, 500), (i, i / 3 * 37 + 500, 1 + i)]);
    let played = strikes.zip((1..=127).cycle()).map(|((i, onset, duration), velocity)| note::Note {
        onset: time(onset),
        duration: time(duration),
        key: Key::from_midi(21 + i as u8).unwrap(),
        velocity: Velocity::new(velocity),
    });
    let mut notes: Vec<_> = played.collect();
    notes.sort_by(|a, b| a.onset.total_cmp(&b.onset).then(a.key.cmp(&b.key)));
    let moves = [(11, true), (700, false), (701, true), (1601, false)];
    let pedal = moves.map(|(tick, down)| PedalChange { time: time(tick), down }).to_vec();
    clip(Performance { notes, pedal })
}

/// What session.lua prints of a MIDI file that Ardour has read.
pub fn read(printed: &str) -> Vec<Note> {
    let (mut notes, mut pressed) = (Vec::new(), None);
    for line in printed.lines() {
        match line.split_whitespace().collect::<Vec<_>>()[..] {
            ["note", onset, length, key, velocity] => {
                let (onset, length) = (ticks(onset), ticks(length));
                let [key, velocity] = [key, velocity].map(|number| number.parse().unwrap());
                notes.push(Note { onset: quarters(onset), end: quarters(onset + length), key, velocity });
            }
            ["pedal", time, "0.0"] => {
                let onset = pressed.take().expect("the pedal was pressed before");
                notes.push(Note { onset, end: quarters(ticks(time)), key: PEDAL, velocity: 127 });
            }
            ["pedal", time, "127.0"] => pressed = Some(quarters(ticks(time))),
            _ => {}
        }
    }
    assert_eq!(pressed, None, "the pedal is never lifted");
    in_order(notes)
}

fn quarters(ticks: u32) -> f64 {
    f64::from(ticks) / TICKS
}

/// A time of Ardour's: "beats:ticks", or "b" and ticks.
fn ticks(time: &str) -> u32 {
    let (beats, ticks) = time.split_once(':').unwrap_or(("0", time.trim_start_matches('b')));
    let [beats, ticks] = [beats, ticks].map(|number| number.parse::<u32>().unwrap());
    beats * TICKS as u32 + ticks
}

/// The plugin's saved state in a session.
fn fields(session: &str) -> BTreeMap<String, String> {
    let (_, chunk) = session.split_once("<chunk>").expect("the session keeps Etude's state");
    let (chunk, _) = chunk.split_once("</chunk>").unwrap();
    let preset = BASE64_STANDARD.decode(chunk.split_whitespace().collect::<String>()).unwrap();
    // A VST3 preset: a header, then the plugin's state, then a list of parts.
    let state = preset.iter().position(|byte| *byte == b'{').expect("the state is JSON");
    let mut state = serde_json::Deserializer::from_slice(&preset[state..]).into_iter::<serde_json::Value>();
    serde_json::from_value(state.next().unwrap().unwrap()["fields"].take()).unwrap()
}

/// What is to be heard of a take that is repeated, while a session rolls through a range of quarter notes.
pub fn heard(clip: &[Note], range: Range<f64>) -> Vec<Note> {
    let (first, length) = (f64::from(FIRST_BAR - 1) * BAR, f64::from(BARS) * BAR);
    let turns = 0..(range.end / length) as u32 + 1;
    let mut notes: Vec<Note> = turns
        .flat_map(|turn| {
            let start = first + f64::from(turn) * length;
            clip.iter().map(move |note| Note { onset: start + note.onset, end: start + note.end, ..*note })
        })
        .collect();
    for note in &mut notes {
        if note.key == PEDAL && note.end > range.start {
            note.onset = note.onset.max(range.start);
        }
        note.end = note.end.min(range.end);
    }
    notes.retain(|note| range.contains(&note.onset));
    in_order(notes)
}

/// What Ardour recorded, in quarter notes from where it began: from the first note on, or while others sounded, whose ends
/// are left out.
pub fn recorded(file: &Path, begun: Begun) -> Vec<Note> {
    notes(&fs::read(file).unwrap(), begun)
}

/// When a recording began.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Begun {
    /// Before anything sounded.
    InSilence,
    /// While something may have sounded.
    InTheMidst,
}

/// All that sounds in a MIDI file, read to the letter: everything that goes down must come up before it goes down again.
fn notes(file: &[u8], begun: Begun) -> Vec<Note> {
    let smf = Smf::parse(file).unwrap();
    let Timing::Metrical(ticks) = smf.header.timing else { panic!("{:?}", smf.header) };
    let (mut down, mut notes) = (BTreeMap::new(), Vec::new());
    let mut known = BTreeSet::new();
    for track in &smf.tracks {
        let mut tick = 0;
        for (at, event) in track.iter().enumerate() {
            tick += event.delta.as_int();
            let time = f64::from(tick) / f64::from(ticks.as_int());
            let TrackEventKind::Midi { message, .. } = event.kind else { continue };
            if is_of_ardour(&track[at..]) {
                continue;
            }
            let (key, velocity) = strike(message);
            if velocity > 0 {
                let before = down.insert(key, (time, velocity));
                assert_eq!(before, None, "key {key} goes down again at {time}");
                known.insert(key);
            } else if known.insert(key) && begun == Begun::InTheMidst {
                // It went down before.
            } else {
                let strike = down.remove(&key);
                let (onset, velocity) = strike.unwrap_or_else(|| panic!("key {key} is not down at {time}"));
                notes.push(Note { onset, end: time, key, velocity });
            }
        }
    }
    assert_eq!(down, BTreeMap::new(), "these never come up");
    in_order(notes)
}

/// Whether the first of these events is one of Ardour's own: where it turns or stops, it lifts the pedal and all keys of each
/// channel, whether they are down or not.
fn is_of_ardour(events: &[TrackEvent]) -> bool {
    let controller = |at: usize| match events.get(at)?.kind {
        TrackEventKind::Midi { message: MidiMessage::Controller { controller, value }, .. } => {
            Some((controller.as_int(), value.as_int()))
        }
        _ => None,
    };
    let at_once = events.get(1).is_some_and(|next| next.delta == 0);
    controller(0) == Some((ALL_NOTES_OFF, 0))
        || (controller(0) == Some((SUSTAIN, 0)) && at_once && controller(1) == Some((ALL_NOTES_OFF, 0)))
}

/// Which key, and how fast it goes down; 0 if it comes up.
fn strike(message: MidiMessage) -> (u8, u8) {
    match message {
        MidiMessage::NoteOn { key, vel } => (key.as_int(), vel.as_int()),
        MidiMessage::NoteOff { key, .. } => (key.as_int(), 0),
        MidiMessage::Controller { controller, value } if controller.as_int() == SUSTAIN => {
            (PEDAL, value.as_int())
        }
        other => panic!("Etude does not send {other:?}"),
    }
}

/// Key by key: notes of a chord may be a tick apart in one file and not in the other.
fn in_order(mut notes: Vec<Note>) -> Vec<Note> {
    notes.sort_by(|a, b| a.key.cmp(&b.key).then(a.onset.total_cmp(&b.onset)));
    notes
}
