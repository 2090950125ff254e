//! The VST3 in a real session of a real DAW: Ardour plays it at two tempos and in a loop, records what it sends, and keeps
//! it from one start of the program to the next. What is recorded must be the clip that Etude exports.
//!
//! Runs where Ardour is installed (Debian's package `ardour`), on the plugin that `cargo xtask bundle etude` built last.

mod ardour;

use std::collections::BTreeMap;
use std::path::Path;

use ardour::Ardour;
use base64::prelude::*;
use etude::params::EtudeParams;
use etude_pianist::midi::{self, Clip};
use etude_pianist::note::Performance;
use etude_pianist::time::TimeSignature;
use nice_plug::prelude::Params;

/// What session.lua makes: a take of two bars, from the second bar on.
const FIRST_BAR: f64 = 4.0;
/// Where the loop ends, and the take, in quarter notes from the session's start.
const END: f64 = 12.0;
/// Up to `CHANGE` quarter notes, and from there on, so many seconds for each.
const CHANGE: f64 = 8.0;
const BEFORE: f64 = 60.0 / 120.0;
const AFTER: f64 = 60.0 / 90.0;
/// A sample and a tick of Ardour's, in quarter notes, are less than this.
const ROUNDING: f64 = 2e-3;

/// What is played, in order: begin and end in quarter notes from the session's start, MIDI key, velocity. The pedal is
/// key 0.
type Played = Vec<(f64, f64, u8, u8)>;

#[test]
fn what_ardour_records_is_the_clip_that_etude_exports() {
    let Some(ardour) = Ardour::find() else {
        eprintln!("Ardour is not installed: not tested");
        return;
    };
    ardour.run("make");
    let made = ardour.session();
    let looped = "<Location id=\"9001\" name=\"Loop\" start=\"b0\" end=\"b23040\" flags=\"IsAutoLoop\" locked=\"0\" \
                  lock-style=\"AudioTime\" timestamp=\"0\"/>";
    ardour.write_session(&made.replace("<Locations/>", &format!("<Locations>{looped}</Locations>")));
    ardour.run("loop");
    ardour.run("roll");
    let clip = exported(&ardour.session());
    assert!(clip.len() > 10, "the clip has {} notes", clip.len());
    let [loops, roll] = ardour.recordings();
    for pass in 0..2 {
        assert_same(&recorded(&loops, pass), &clip, &format!("pass {pass} of the loop"));
    }
    assert_same(&recorded(&roll, 0), &clip, "after the session was closed and loaded again");
}

/// The clip that the editor would export, of the take that Ardour's session keeps, put where the take is.
fn exported(session: &str) -> Played {
    let (_, chunk) = session.split_once("<chunk>").expect("the session keeps Etude's state");
    let (chunk, _) = chunk.split_once("</chunk>").unwrap();
    let preset = BASE64_STANDARD.decode(chunk.split_whitespace().collect::<String>()).unwrap();
    // A VST3 preset: a header, then the plugin's state, then a list of parts.
    let state = preset.iter().position(|byte| *byte == b'{').expect("the state is JSON");
    let mut state = serde_json::Deserializer::from_slice(&preset[state..]).into_iter::<serde_json::Value>();
    let fields = state.next().unwrap().unwrap()["fields"].take();
    let params = EtudeParams::default();
    params.deserialize_fields(&serde_json::from_value::<BTreeMap<String, String>>(fields).unwrap());
    let take = params.session.view().take.clone().expect("the session has a take");
    let performance = take.clip().expect("the take is whole");
    let clip = Clip { name: "take".into(), tempo: 120.0, time_signature: TimeSignature::COMMON, performance };
    let recording = midi::read(&midi::write(&clip)).unwrap();
    let quarters = |seconds| FIRST_BAR + recording.beat_map.to_quarters(seconds);
    played(&recording.performance, |onset, end| (quarters(onset), quarters(end)))
}

/// What Ardour recorded in a pass of the loop. Its files count quarter notes at the session's tempi, as if there were no
/// loop.
fn recorded(file: &Path, pass: u32) -> Played {
    let recording = midi::read_file(file).unwrap();
    let start = f64::from(pass) * seconds(END);
    let quarters = |time| quarters(seconds(recording.beat_map.to_quarters(time)) - start);
    let mut all = played(&recording.performance, |onset, end| (quarters(onset), quarters(end)));
    all.retain(|(onset, ..)| (0.0..END - ROUNDING).contains(onset));
    all
}

fn seconds(quarters: f64) -> f64 {
    quarters.min(CHANGE) * BEFORE + (quarters - CHANGE).max(0.0) * AFTER
}

fn quarters(seconds: f64) -> f64 {
    let change = CHANGE * BEFORE;
    seconds.min(change) / BEFORE + (seconds - change).max(0.0) / AFTER
}

fn played(performance: &Performance<f64>, place: impl Fn(f64, f64) -> (f64, f64)) -> Played {
    let notes = performance.notes.iter().map(|note| {
        let (onset, end) = place(note.onset, note.end());
        (onset, end, note.key.midi(), note.velocity.midi())
    });
    let pedal = performance.pedal.iter().filter(|change| change.down).map(|change| {
        let up = performance.pedal.iter().find(|other| !other.down && other.time >= change.time);
        let (down, up) = place(change.time, up.map_or(f64::INFINITY, |up| up.time));
        (down, up, 0, 127)
    });
    let mut all: Played = notes.chain(pedal).collect();
    // Notes of one chord may be a tick apart in one file and not in the other.
    let line = |onset: f64| (onset * 100.0).round() as i64;
    all.sort_by_key(|(onset, _, key, _)| (line(*onset), *key));
    all
}

fn assert_same(recorded: &Played, clip: &Played, story: &str) {
    for (got, want) in recorded.iter().zip(clip) {
        let near = (got.0 - want.0).abs() < ROUNDING && (got.1 - want.1).abs() < ROUNDING;
        assert!(near && (got.2, got.3) == (want.2, want.3), "{story}: {got:?} instead of {want:?}");
    }
    assert_eq!(recorded.len(), clip.len(), "{story}");
}
