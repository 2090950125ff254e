//! From one take to another while the host rolls: at the next bar line of the one that sounds.

use std::sync::Arc;

use etude::params::Mode;
use etude::take::{Before, Take};
use etude_pianist::midi::Action;
use proptest::prelude::*;

use crate::host::{Host, Stretch, block_sizes, log, notes};
use crate::music::{note, of_notes, place};

/// Samples in a quarter note.
const QUARTER: u64 = 24_000;

/// A take of two bars with a short note of one key on every quarter note.
fn ticking(midi: u8) -> Arc<Take> {
    let notes = (0..8).map(|quarter| note(f64::from(quarter), 0.5, midi)).collect();
    Arc::new(of_notes(notes, 8.0, place(0, Mode::Loop)))
}

/// A take that comes when the player is `quarters` into another one.
fn coming(new: &Take, old: &Arc<Take>, quarters: f64) -> Take {
    new.clone().after(Before::at(old, (quarters * 960.0) as i64))
}

/// Rolls from a place for some quarter notes with the first take.
fn start(position: f64, quarters: f64) -> Stretch {
    Stretch { position: Some(position), ..roll(quarters, 0) }
}

/// Goes on for some quarter notes with one of the takes.
fn roll(quarters: f64, take: usize) -> Stretch {
    Stretch { samples: (quarters * QUARTER as f64) as u32, take, ..Stretch::default() }
}

/// The quarter notes on which something was struck, and the keys.
fn strikes(log: &[(u64, Action)]) -> Vec<(f64, u8)> {
    notes(log).iter().map(|&(strike, _, midi)| (strike as f64 / QUARTER as f64, midi)).collect()
}

/// What the ticking of two keys is, the second from `line` on.
fn changed_at(line: u32, end: u32) -> Vec<(f64, u8)> {
    (0..end).map(|quarter| (f64::from(quarter), if quarter < line { 60 } else { 72 })).collect()
}

proptest! {
    #[test]
    fn another_take_is_heard_from_the_next_bar_line_on(
        sizes in block_sizes(),
        (come, line) in prop_oneof![(0.3..4.0f64, Just(4)), (4.01..8.0f64, Just(8)), (12.01..16.0f64, Just(16))],
    ) {
        let old = ticking(60);
        let takes = [(*old).clone(), coming(&ticking(72), &old, come)];
        let log = log(&[start(0.0, come), roll(24.0 - come, 1)], &sizes, &takes);
        prop_assert_eq!(strikes(&log), changed_at(line, 24));
    }
}

#[test]
fn the_last_of_many_takes_that_come_within_a_bar_follows_at_its_end() {
    let old = ticking(60);
    let second = Arc::new(coming(&ticking(64), &old, 1.5));
    let third = coming(&ticking(72), &second, 2.5);
    assert!(third.before().is_some_and(|before| before.take().id() == old.id()));
    let takes = [(*old).clone(), (*second).clone(), third];
    let log = log(&[start(0.0, 1.5), roll(1.0, 1), roll(13.5, 2)], &[512], &takes);
    assert_eq!(strikes(&log), changed_at(4, 16));
}

#[test]
fn a_take_that_comes_after_the_one_before_it_began_waits_for_the_next_bar_of_that() {
    let old = ticking(60);
    let second = Arc::new(coming(&ticking(64), &old, 1.5));
    log(&[start(0.0, 1.5), roll(3.0, 1)], &[512], &[(*old).clone(), (*second).clone()]);
    let third = coming(&ticking(72), &second, 4.5);
    let before = third.before().expect("the second take sounds");
    assert_eq!((before.take().id(), before.until()), (second.id(), 8 * 960));
    assert!(before.take().before().is_none(), "takes long gone are let go");
}

#[test]
fn a_take_that_comes_while_a_bar_line_is_played_leaves_the_end_of_the_bar_as_it_is() {
    let old = ticking(60);
    let second = Arc::new(coming(&ticking(64), &old, 1.5));
    // The player was said to be there, but plays what leads there only now.
    let third = coming(&ticking(72), &second, 4.5);
    let takes = [(*old).clone(), (*second).clone(), third];
    let log = log(&[start(0.0, 1.5), roll(1.0, 1), roll(2.0, 2), roll(7.5, 2)], &[48_000], &takes);
    let wanted = changed_at(4, 12)
        .into_iter()
        .map(|(quarter, key)| (quarter, if (4.0..8.0).contains(&quarter) { 64 } else { key }));
    assert_eq!(strikes(&log), wanted.collect::<Vec<_>>());
}

#[test]
fn a_host_that_turns_back_before_the_bar_line_hears_the_new_take_and_never_the_old_one_again() {
    let old = ticking(60);
    let takes = [(*old).clone(), coming(&ticking(72), &old, 1.25)];
    let cycle = |stretch| Stretch { repeat: Some(0.0..3.0), ..stretch };
    let log = log(&[start(0.0, 1.25), roll(7.75, 1)].map(cycle), &[512], &takes);
    assert_eq!(strikes(&log), changed_at(3, 9));
}

#[test]
fn what_both_takes_hold_at_the_bar_line_goes_on_and_what_only_the_old_one_holds_ends_there() {
    let holding = |keys: &[u8]| {
        of_notes(keys.iter().map(|midi| note(3.0, 2.0, *midi)).collect(), 8.0, place(0, Mode::Loop))
    };
    let old = Arc::new(holding(&[60, 64]));
    let takes = [(*old).clone(), coming(&holding(&[64, 67]), &old, 3.5)];
    let log = log(&[start(0.0, 3.5), roll(3.0, 1)], &[512], &takes);
    assert_eq!(notes(&log), [(3 * QUARTER, 4 * QUARTER, 60), (3 * QUARTER, 5 * QUARTER, 64)]);
}

#[test]
fn a_take_that_comes_while_the_host_stands_is_heard_at_once() {
    let old = ticking(60);
    assert!(Before::at(&old, i64::MIN).is_none());
    let takes = [coming(&ticking(72), &old, 1.5)];
    assert_eq!(strikes(&log(&[start(1.75, 2.0)], &[512], &takes)), [(0.25, 72), (1.25, 72)]);
}

#[test]
fn a_take_that_comes_as_the_host_turns_back_does_not_wait_for_a_bar_that_is_not_played() {
    let old = ticking(60);
    // The last block is said to end after the line at which the host turns back.
    let takes = [(*old).clone(), coming(&ticking(72), &old, 8.02)];
    let cycle = |stretch| Stretch { repeat: Some(0.0..8.0), ..stretch };
    let log = log(&[start(0.0, 8.01), roll(7.99, 1)].map(cycle), &[512], &takes);
    assert_eq!(strikes(&log), changed_at(9, 16));
}

#[test]
fn takes_that_come_at_the_same_place_of_a_cycle_each_wait_for_the_bar_line() {
    let old = ticking(60);
    let second = Arc::new(coming(&ticking(64), &old, 2.25));
    let mut host = Host::default();
    let cycle = |stretch| Stretch { repeat: Some(0.0..8.0), ..stretch };
    let takes = [(*old).clone(), (*second).clone()];
    host.play(&cycle(start(0.0, 2.25)), &[512], &takes);
    host.play(&cycle(roll(8.0, 1)), &[512], &takes);
    // Comes only now that the player left the one before.
    let third = coming(&ticking(72), &second, 2.5);
    host.play(&cycle(roll(5.75, 0)), &[512], std::slice::from_ref(&third));
    host.stop();
    let key = |quarter| match quarter {
        0..4 => 60,
        4..12 => 64,
        _ => 72,
    };
    let wanted: Vec<_> = (0..16).map(|quarter| (f64::from(quarter), key(quarter))).collect();
    assert_eq!(strikes(&host.log), wanted);
}

#[test]
fn a_take_that_is_not_composed_up_to_its_bar_line_is_not_waited_for() {
    let whole = ticking(60);
    let growing = Arc::new(Take::new(whole.music().clone(), whole.place(), 3.5));
    assert!(Before::at(&whole, 2 * 960).is_some());
    assert!(Before::at(&growing, 2 * 960).is_none());
}
