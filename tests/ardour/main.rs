//! The VST3 in sessions of a real DAW: Ardour plays it at two tempos and in a loop, records what it sends, and keeps it
//! from one start of the program to the next. What is recorded must be the clip that Etude exports.
//!
//! Runs where Ardour is installed (Debian's package `ardour`), on the plugin that `cargo xtask bundle etude` built last.

mod ardour;
mod music;

use std::io::{Write, stderr};
use std::ops::Range;
use std::time::{Duration, Instant};

use ardour::{Ardour, SAMPLE_RATE};
use music::{Note, exported, heard, recorded};

/// The take: its bars of 4/4, its seed, and the bar of the session that it begins with, counted from 1.
const BARS: u32 = 2;
const SEED: u32 = 7;
const FIRST_BAR: u32 = 2;
/// How long Etude may take to compose it.
const PATIENCE: Duration = Duration::from_secs(300);
/// A sample and a tick of Ardour's, in quarter notes, are less than this.
const ROUNDING: f64 = 2e-3;

/// What Ardour does.
struct Plan {
    /// Quarter notes per minute, up to `change` quarter notes from the session's start, and from there on. Ardour takes a
    /// change to the next beat.
    tempos: [f64; 2],
    change: f64,
    /// What is repeated first, in quarter notes from the session's start.
    repeat: Range<f64>,
    /// What is played then, after the session was closed and loaded again.
    roll: Range<f64>,
}

#[test]
fn a_take_that_is_repeated_at_two_tempos_is_recorded_as_etude_exports_it() {
    check(&Plan { tempos: [120.0, 90.0], change: 8.0, repeat: 0.0..12.0, roll: 0.0..13.0 });
}

#[test]
fn a_loop_and_a_start_in_the_midst_of_notes_record_no_others() {
    check(&Plan { tempos: [71.0, 187.0], change: 6.0, repeat: 5.3..14.8, roll: 9.6..22.0 });
}

fn check(plan: &Plan) {
    let Some(ardour) = Ardour::find() else {
        // Unlike what is printed, this is seen although the test passes.
        return stderr().write_all(b"Ardour is not installed: no DAW is tested.\n").unwrap();
    };
    let [before, after] = plan.tempos;
    ardour.run("make", &[BARS.into(), SEED.into(), FIRST_BAR.into(), before, plan.change, after]);
    let clip = composed(&ardour);
    assert!(clip.len() > 10, "the clip has {} notes", clip.len());
    ardour.repeat(&plan.repeat);
    ardour.run("loop", &[2.0]);
    let samples = [plan.roll.start, plan.roll.end].map(|place| (plan.seconds(place) * SAMPLE_RATE).round());
    ardour.run("roll", &samples);
    assert_eq!(composed(&ardour), clip, "it is another take in the end");

    let [loops, roll] = ardour.recordings();
    let loops = recorded(&loops);
    for pass in 0..2 {
        compare(&plan.pass(&loops, pass), &clip, &plan.repeat, &format!("pass {pass} of the loop"));
    }
    let start = plan.repeat.start;
    compare(&plan.pass(&loops, 2), &clip, &(start..start), "the pass in which the loop is left");
    let roll = plan.place(&recorded(&roll), plan.roll.start, 0.0);
    compare(&roll, &clip, &plan.roll, "after the session was closed and loaded again");
}

/// The clip of the take, once all of it is composed.
fn composed(ardour: &Ardour) -> Vec<Note> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(clip) = exported(&ardour.session()) {
            return clip;
        }
        assert!(Instant::now() < deadline, "no take in {PATIENCE:?}");
        ardour.run("wait", &[]);
    }
}

/// Compares a recording that begins at `range.start`, and ends at `range.end` or somewhat later.
fn compare(recorded: &[Note], clip: &[Note], range: &Range<f64>, story: &str) {
    let end = recorded.iter().map(|note| note.end).fold(range.end, f64::max);
    let expected = heard(clip, range.start..end);
    for (got, want) in recorded.iter().zip(&expected) {
        let near = (got.onset - want.onset).abs() < ROUNDING && (got.end - want.end).abs() < ROUNDING;
        let same = near && (got.key, got.velocity) == (want.key, want.velocity);
        assert!(same, "{story}: {got:?} instead of {want:?}");
    }
    assert_eq!(recorded.len(), expected.len(), "{story}");
}

impl Plan {
    /// When the session, played without its loop, comes to a place.
    fn seconds(&self, quarters: f64) -> f64 {
        let [before, after] = self.tempos.map(|tempo| 60.0 / tempo);
        quarters.min(self.change) * before + (quarters - self.change).max(0.0) * after
    }

    /// The opposite.
    fn quarters(&self, seconds: f64) -> f64 {
        let [before, after] = self.tempos.map(|tempo| 60.0 / tempo);
        let change = self.change * before;
        seconds.min(change) / before + (seconds - change).max(0.0) / after
    }

    /// What was recorded in a pass of the loop, in quarter notes from the session's start.
    fn pass(&self, recorded: &[Note], pass: u32) -> Vec<Note> {
        let Range { start, end } = self.repeat;
        let turn = self.seconds(end) - self.seconds(start);
        let begin = f64::from(pass) * turn;
        let mut notes = self.place(recorded, start, begin);
        notes.retain(|note| (start - ROUNDING..end - ROUNDING).contains(&note.onset));
        notes
    }

    /// Where the session was at what it recorded from `start` on, if it was there again after `begin` seconds. Ardour's
    /// files count quarter notes from where recording began, at the session's tempos as if there were no loop.
    fn place(&self, recorded: &[Note], start: f64, begin: f64) -> Vec<Note> {
        let place = |quarters| self.quarters(self.seconds(start + quarters) - begin);
        let placed = |note: &Note| Note { onset: place(note.onset), end: place(note.end), ..note.clone() };
        recorded.iter().map(placed).collect()
    }
}
