//! Tempi that change, at once or little by little, and hosts that jump at the same time.

use std::ops::Range;

use etude::params::Mode;
use etude::player::Block;
use etude::take::Take;
use etude_pianist::midi::Action;
use proptest::prelude::*;

use crate::host::{self, Host, Stretch, assert_playable, log, notes};
use crate::music::{note, of_notes, place};

/// Short notes, ten in a quarter note, each on another key than those around it.
fn steady(quarters: u32) -> Take {
    let every_tenth = (0..quarters * 10).map(|i| note(f64::from(i) / 10.0, 0.05, 48 + (i % 36) as u8));
    of_notes(every_tenth.collect(), f64::from(quarters), place(0, Mode::Endless))
}

/// A stretch after a jump.
fn at(position: f64, tempo: f64, samples: u32) -> Stretch {
    Stretch { position: Some(position), samples, tempo, ..Stretch::default() }
}

/// How a host may count seconds.
#[derive(Debug, Clone, Copy)]
enum Time {
    /// As they pass.
    True,
    /// It does not.
    Unknown,
    /// It leaves them at nought.
    Nought,
    /// As if the tempo had always been the one of now.
    OfTempo,
}

fn times() -> impl Strategy<Value = Time> {
    prop_oneof![Just(Time::True), Just(Time::Unknown), Just(Time::Nought), Just(Time::OfTempo)]
}

/// The keys that are struck while the tempo goes from one to another in the course of `quarters` quarter notes.
fn struck_in_a_ramp(tempi: (f64, f64), quarters: u32, sizes: &[u32], time: Time) -> Vec<u8> {
    let take = steady(quarters + 20);
    let mut host = Host::default();
    let end = f64::from(quarters);
    let (mut position, mut seconds) = (0.0f64, 0.0);
    for &samples in sizes.iter().cycle() {
        if position >= end {
            break;
        }
        let at = |position: f64| tempi.0 + (tempi.1 - tempi.0) * (position / end).min(1.0);
        let tempo = at(position);
        let time = match time {
            Time::True => Some(seconds),
            Time::Unknown => None,
            Time::Nought => Some(0.0),
            Time::OfTempo => Some(position * 60.0 / tempo),
        };
        host.block(&Block { samples, tempo, position, time, ..host::rolling() }, Some(&take));
        for _ in 0..samples {
            position += at(position) / 60.0 / 48_000.0;
        }
        seconds += f64::from(samples) / 48_000.0;
    }
    host.stop();
    struck(&host)
}

/// The keys that a host heard struck, in order.
fn struck(host: &Host) -> Vec<u8> {
    assert_playable(&host.log);
    let strikes = host.log.iter().filter_map(|event| match event.1 {
        Action::Strike(key, _) => Some(key.midi()),
        _ => None,
    });
    strikes.collect()
}

/// Whether these are the first keys of a [steady] take, each once.
fn are_all_there(keys: &[u8]) -> bool {
    keys.iter().enumerate().all(|(i, key)| *key == 48 + (i % 36) as u8)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn a_ramp_of_the_tempo_neither_repeats_nor_skips_a_note(
        from in 40.0..240.0f64,
        to in 40.0..240.0f64,
        sizes in host::block_sizes(),
        time in times(),
    ) {
        let struck = struck_in_a_ramp((from, to), 12, &sizes, time);
        prop_assert!(struck.len() >= 120, "{} notes", struck.len());
        prop_assert!(are_all_there(&struck), "{struck:?}");
    }

    #[test]
    fn a_change_of_tempo_inside_a_block_neither_repeats_nor_skips_a_note(
        tempi in (40.0..240.0f64, 40.0..240.0f64),
        samples in 64..16_384u32,
        part in 0.0..1.0f64,
        time in times(),
    ) {
        let take = steady(20);
        let mut host = Host::default();
        let rate = |tempo: f64| tempo / 60.0 / 48_000.0;
        let length = f64::from(samples);
        let position = length * (part * rate(tempi.0) + (1.0 - part) * rate(tempi.1));
        let seconds = |position: f64, passed: f64, tempo: f64| match time {
            Time::True => Some(passed / 48_000.0),
            Time::Unknown => None,
            Time::Nought => Some(0.0),
            Time::OfTempo => Some(position * 60.0 / tempo),
        };
        let time = seconds(0.0, 0.0, tempi.0);
        host.block(&Block { samples, tempo: tempi.0, time, ..host::rolling() }, Some(&take));
        let time = seconds(position, length, tempi.1);
        let after = Block { samples: 48_000, tempo: tempi.1, position, time, ..host::rolling() };
        host.block(&after, Some(&take));
        host.stop();
        let struck = struck(&host);
        let reached = position + 48_000.0 * rate(tempi.1);
        prop_assert!(struck.len() as f64 > reached * 10.0 - 1.0, "{} notes until {reached}", struck.len());
        prop_assert!(are_all_there(&struck), "{struck:?}");
    }
}

/// A loop of whole tenths of a quarter note, somewhere in which the tempo changes, as a project has it.
#[derive(Debug, Clone)]
struct Loop {
    /// From where to where, in tenths of a quarter note; notes begin a bit later than these.
    tenths: Range<u32>,
    /// In the midst of it: where the tempo changes, in quarter notes, and from what to what.
    change: f64,
    tempi: (f64, f64),
}

impl Loop {
    fn range(&self) -> Range<f64> {
        f64::from(self.tenths.start) / 10.0 - 0.03..f64::from(self.tenths.end) / 10.0 - 0.03
    }

    fn tempo(&self, position: f64) -> f64 {
        if position < self.change { self.tempi.0 } else { self.tempi.1 }
    }

    /// Seconds from the project's start.
    fn time(&self, position: f64) -> f64 {
        let before = position.min(self.change);
        before * 60.0 / self.tempi.0 + (position - before) * 60.0 / self.tempi.1
    }

    /// The keys of a [steady] take that are struck while the host repeats, and how many of them until it turned so often
    /// and came to a position.
    fn strikes(&self, turns: usize, position: f64) -> (impl Iterator<Item = u8>, usize) {
        let tenths = (0..self.tenths.end).chain(self.tenths.clone().cycle());
        let before = |position: f64| (position * 10.0).ceil() as usize;
        let length = self.tenths.len();
        (tenths.map(|tenth| 48 + (tenth % 36) as u8), before(position) + turns * length)
    }
}

fn loops() -> impl Strategy<Value = Loop> {
    let tenths = (3..40u32, 10..40u32).prop_map(|(start, length)| start..start + length);
    (tenths, 0.2..0.8f64, 40.0..240.0f64, 0.5..2.0f64).prop_map(|(tenths, part, tempo, faster)| {
        let change = (f64::from(tenths.start) + part * tenths.len() as f64) / 10.0;
        Loop { tenths, change, tempi: (tempo, tempo * faster) }
    })
}

/// Plays a loop until it turned so often: once in blocks that let it hear of both tempos, then in others.
fn check_loop(looped: &Loop, turns: usize, sizes: &[u32], time: Time) {
    let take = steady(20);
    let mut host = Host::default();
    let range = looped.range();
    let (mut position, mut turned) = (0.0, 0);
    let mut sizes = sizes.iter().cycle().copied();
    // What was left out is caught up with in the block after it.
    let mut last = false;
    while !last {
        last = turned >= turns;
        let samples = match turned {
            0 => 1024,
            _ if last => 1,
            _ => sizes.next().unwrap(),
        };
        let tempo = looped.tempo(position);
        let time = match time {
            Time::True => Some(looped.time(position)),
            Time::Unknown => None,
            Time::Nought => Some(0.0),
            Time::OfTempo => Some(position * 60.0 / tempo),
        };
        let repeat = Some(range.clone());
        host.block(&Block { samples, tempo, position, time, repeat, ..host::rolling() }, Some(&take));
        for _ in 0..samples {
            position += looped.tempo(position) / 60.0 / 48_000.0;
            if position >= range.end {
                (position, turned) = (position - range.end + range.start, turned + 1);
            }
        }
    }
    host.stop();
    let struck = struck(&host);
    let (strikes, count) = looped.strikes(turned, position);
    assert!(struck.len() + 1 >= count, "{} notes of {count}, {turned} turns", struck.len());
    let wrong = struck.iter().zip(strikes).position(|(struck, expected)| *struck != expected);
    assert_eq!(wrong, None, "{struck:?}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_loop_in_which_the_tempo_changes_neither_repeats_nor_skips_a_note(
        looped in loops(),
        turns in 2..5usize,
        sizes in prop::collection::vec(1..16_384u32, 1..8),
        time in times(),
    ) {
        check_loop(&looped, turns, &sizes, time);
    }
}

#[test]
fn a_jump_together_with_a_change_of_tempo_is_no_ramp() {
    // The first block leads to 0.683 quarter notes; at the second one's tempo it would have led to 1.365.
    let log = log(&[at(0.0, 120.0, 16_384), at(1.0, 240.0, 12_000)], &[16_384], &[steady(4)]);
    let jumped = notes(&log).into_iter().filter(|note| note.0 >= 16_384);
    let strikes: Vec<(u64, u8)> = jumped.map(|note| (note.0 - 16_384, note.2)).collect();
    assert_eq!(strikes, (0..10).map(|i| (i * 1_200, 58 + i as u8)).collect::<Vec<_>>());
}

#[test]
fn a_jump_back_together_with_a_change_of_tempo_plays_again_what_it_went_back_over() {
    let log = log(&[at(0.0, 240.0, 16_384), at(1.0, 120.0, 24_000)], &[16_384], &[steady(4)]);
    let jumped = notes(&log).into_iter().filter(|note| note.0 >= 16_384);
    let strikes: Vec<(u64, u8)> = jumped.map(|note| (note.0 - 16_384, note.2)).collect();
    assert_eq!(strikes, (0..10).map(|i| (i * 2_400, 58 + i as u8)).collect::<Vec<_>>());
}

#[test]
fn a_host_that_names_the_end_of_a_loop_where_it_begins_again_plays_it_again() {
    let take = steady(4);
    let mut host = Host::default();
    for position in [0.0, 1.0, 1.0 + 1e-9] {
        let repeat = Some(0.0..1.0);
        host.block(&Block { samples: 24_000, position, repeat, ..host::rolling() }, Some(&take));
    }
    host.stop();
    assert_eq!(
        struck(&host),
        [(48..58).collect::<Vec<u8>>(), (48..58).collect(), (48..58).collect()].concat()
    );
}

#[test]
fn a_jump_out_of_a_loop_into_another_tempo_is_no_turn() {
    // The first block leads to 1.865; had the host turned back from there, a ramp could have led it to 1.0.
    let first = Stretch { repeat: Some(0.5..2.0), ..at(0.5, 240.0, 16_384) };
    let log = log(&[first, at(1.0, 400.0, 7_200)], &[16_384], &[steady(4)]);
    let jumped = notes(&log).into_iter().filter(|note| note.0 >= 16_384);
    let strikes: Vec<(u64, u8)> = jumped.map(|note| (note.0 - 16_384, note.2)).collect();
    assert_eq!(strikes, (0..10).map(|i| (i * 720, 58 + i as u8)).collect::<Vec<_>>());
}

#[test]
fn a_host_that_turns_back_into_a_loop_of_another_tempo_plays_it_again_from_its_start() {
    // The first block leads to 1.865, where the loop ends that begins at 1.3.
    let log = log(&[at(0.5, 240.0, 16_384), at(1.3, 120.0, 13_560)], &[16_384], &[steady(4)]);
    let looped = notes(&log).into_iter().filter(|note| note.0 >= 16_384);
    let strikes: Vec<(u64, u8)> = looped.map(|note| (note.0 - 16_384, note.2)).collect();
    assert_eq!(strikes, (0..6).map(|i| (i * 2_400, 61 + i as u8)).collect::<Vec<_>>());
}
