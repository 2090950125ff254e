//! The VST3 in sessions of a real DAW: Ardour plays it at two tempos and in a loop, records what it sends, and keeps it
//! from one start of the program to the next. What is recorded must be the clip that Etude exports, and Ardour must read
//! that as it was written.
//!
//! Runs where Ardour is installed (Debian's package `ardour`), on the plugin that `cargo xtask bundle etude` built last.

mod ardour;
mod music;

use std::io::{Write, stderr};
use std::ops::Range;
use std::time::{Duration, Instant};

use ardour::{Ardour, SAMPLE_RATE};
use etude_pianist::midi;
use music::{Begun, Note, exported, heard, read, recorded, written};

/// The take: its bars of 4/4, its seed, and the bar of the session that it begins with, counted from 1.
const BARS: u32 = 2;
const SEED: u32 = 7;
const FIRST_BAR: u32 = 2;
/// How long Etude may take to compose it.
const PATIENCE: Duration = Duration::from_secs(300);
/// Samples that Ardour plays and records at once.
const CYCLE: f64 = 1024.0;
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

#[test]
fn jumps_while_ardour_rolls_leave_no_note_behind_and_play_on_from_there() {
    let plan = Plan { tempos: [83.0, 151.0], change: 9.0, repeat: 0.0..0.0, roll: 0.0..0.0 };
    let Some((ardour, clip)) = session(&plan) else { return };
    // From where on the session rolls, and where it jumps and lands then, in quarter notes: back, over the change of tempo,
    // into the midst of notes.
    let ways =
        [(3.0, [(7.3, 5.1), (8.2, 12.6), (15.7, 4.7)]), (6.2, [(8.8, 13.3), (14.9, 9.9), (12.2, 5.6)])];
    let begins = ways.map(|(from, jumps)| {
        let places = jumps.iter().flat_map(|(leave, land)| [*leave, *land]);
        let places: Vec<f64> = [from, until(&jumps)].into_iter().chain(places).collect();
        let samples: Vec<f64> =
            places.iter().map(|place| (plan.seconds(*place) * SAMPLE_RATE).round()).collect();
        let printed = ardour.run("jump", &samples);
        let begin = printed.lines().last().and_then(|sample| sample.trim().parse::<f64>().ok());
        plan.quarters(begin.unwrap_or_else(|| panic!("it prints {printed:?}")) / SAMPLE_RATE)
    });
    let files = ardour.recordings::<2>();
    for ((file, begin), (_, jumps)) in files.iter().zip(begins).zip(ways) {
        let landed = jumps[2].1;
        assert!((landed - ROUNDING..until(&jumps)).contains(&begin), "recording begins at {begin}");
        let recorded = recorded(file, Begun::InTheMidst);
        assert!(recorded.len() > 5, "{recorded:?}");
        // A recording that begins in the midst of a cycle is late or early as a whole, by less than that.
        let first = |notes: &[Note]| {
            plan.seconds(since(begin, notes).iter().map(|note| note.onset).fold(1e9, f64::min))
        };
        let shift = first(&plan.place(&recorded, begin, 0.0)) - first(&heard(&clip, landed..until(&jumps)));
        assert!(shift.abs() < CYCLE / SAMPLE_RATE, "all is shifted by {shift} seconds");
        let recorded = plan.place(&recorded, begin, shift);
        compare_since(begin, &recorded, &clip, &(landed..until(&jumps)), "after jumps");
    }
}

#[test]
fn a_clip_is_read_as_it_was_written() {
    let Some(ardour) = installed() else { return };
    let clip = music::of_all_keys();
    ardour.run("track", &[]);
    ardour.lay(&midi::write(&clip));
    assert_eq!(read(&ardour.run("read", &[])), written(&clip));
}

/// Until where is recorded after some jumps.
fn until(jumps: &[(f64, f64); 3]) -> f64 {
    jumps[2].1 + 6.0
}

/// Ardour; `None`, and a word on the terminal, where there is none.
fn installed() -> Option<Ardour> {
    let ardour = Ardour::find();
    if ardour.is_none() {
        // Unlike what is printed, this is seen although the test passes.
        stderr().write_all(b"Ardour is not installed: no DAW is tested.\n").unwrap();
    }
    ardour
}

/// A session whose take is composed, if there is Ardour.
fn session(plan: &Plan) -> Option<(Ardour, Vec<Note>)> {
    let ardour = installed()?;
    let [before, after] = plan.tempos;
    ardour.run("make", &[BARS.into(), SEED.into(), FIRST_BAR.into(), before, plan.change, after]);
    let clip = composed(&ardour);
    assert!(clip.len() > 10, "the clip has {} notes", clip.len());
    Some((ardour, clip))
}

fn check(plan: &Plan) {
    let Some((ardour, clip)) = session(plan) else { return };
    ardour.repeat(&plan.repeat);
    ardour.run("loop", &[2.0]);
    let samples = [plan.roll.start, plan.roll.end].map(|place| (plan.seconds(place) * SAMPLE_RATE).round());
    ardour.run("roll", &samples);
    same_take(&composed(&ardour), &clip);

    let [loops, roll] = ardour.recordings();
    let loops = recorded(&loops, Begun::InSilence);
    for pass in 0..2 {
        compare(&plan.pass(&loops, pass), &clip, &plan.repeat, &format!("pass {pass} of the loop"));
    }
    let start = plan.repeat.start;
    compare(&plan.pass(&loops, 2), &clip, &(start..start), "the pass in which the loop is left");
    let roll = plan.place(&recorded(&roll, Begun::InSilence), plan.roll.start, 0.0);
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

/// Compares two clips of what should be one take; what is another is told in one line.
fn same_take(now: &[Note], before: &[Note]) {
    let changed = now.iter().zip(before).find(|(now, before)| now != before);
    assert!(changed.is_none(), "it is another take in the end: {changed:?}");
    assert_eq!(now.len(), before.len(), "it is another take in the end");
}

/// Compares a recording that begins at `range.start`, and ends at `range.end` or somewhat later.
fn compare(recorded: &[Note], clip: &[Note], range: &Range<f64>, story: &str) {
    compare_since(f64::NEG_INFINITY, recorded, clip, range, story);
}

/// The same of what went down after `begin`: the session rolls from `range.start` on, but may not be recorded yet.
fn compare_since(begin: f64, recorded: &[Note], clip: &[Note], range: &Range<f64>, story: &str) {
    let end = recorded.iter().map(|note| note.end).fold(range.end, f64::max);
    let expected = heard(clip, range.start..end);
    let (recorded, expected) = (since(begin, recorded), since(begin, &expected));
    for (got, want) in recorded.iter().zip(&expected) {
        let near = (got.onset - want.onset).abs() < ROUNDING && (got.end - want.end).abs() < ROUNDING;
        let same = near && (got.key, got.velocity) == (want.key, want.velocity);
        assert!(same, "{story}: {got:?} instead of {want:?}");
    }
    assert_eq!(recorded.len(), expected.len(), "{story}");
}

/// What goes down surely after `begin`.
fn since(begin: f64, notes: &[Note]) -> Vec<Note> {
    notes.iter().filter(|note| note.onset > begin + 0.1).cloned().collect()
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
