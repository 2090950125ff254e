//! Knobs that are turned: what follows them, when, and what stays.

use std::sync::Arc;
use std::time::{Duration, Instant};

use etude::params::{EtudeParams, Tonic};
use etude::session::View;
use etude::take::Take;
use nice_plug::prelude::{Params, Transport};

use crate::instance::{Instance, turn};
use crate::notes;

#[test]
fn knobs_that_cannot_be_met_give_a_message_and_no_take() {
    let instance = Instance::new();
    let first = instance.takes(1);
    let music = |view: &View| view.take.as_ref().unwrap().music().clone();
    lock_out_every_key(&instance.params);
    let view = instance.wait(|view| view.error.is_some());
    assert_eq!((view.history.len(), music(&view)), (1, music(&first)), "{:?}", view.error);
    turn(&instance.params.velocity, 50.0);
    let softer =
        instance.wait(|view| view.take.as_ref().unwrap().played() != first.take.as_ref().unwrap().played());
    assert_eq!(softer.history.len(), 1, "it is still the first one that is played");

    let params = Arc::new(EtudeParams::default());
    params.deserialize_fields(&instance.saved());
    turn(&params.key, Tonic::Off);
    let again = Instance::with(params).wait(|view| view.take.is_some());
    assert_eq!((again.history.len(), music(&again)), (1, music(&first)));
}

/// Asks for C major between two keys that are both C#.
fn lock_out_every_key(params: &EtudeParams) {
    turn(&params.hold, true);
    turn(&params.key, Tonic::C);
    turn(&params.lowest, 61);
    turn(&params.highest, 61);
    turn(&params.hold, false);
    turn(&params.temperature, 1.1);
}

#[test]
fn a_turned_knob_composes_anew_unless_knobs_are_held() {
    let instance = Instance::new();
    let first = instance.takes(1).take.clone().unwrap();
    turn(&instance.params.temperature, 0.5);
    let second = instance.takes(2).take.clone().unwrap();
    assert_eq!(second.music().seed, first.music().seed);
    assert_ne!(notes(&second, 0.0, 32.0), notes(&first, 0.0, 32.0));

    turn(&instance.params.hold, true);
    turn(&instance.params.temperature, 1.5);
    std::thread::sleep(Duration::from_millis(500));
    assert_eq!(instance.takes(2).take.as_ref().map(|take| take.id()), Some(second.id()));
}

#[test]
fn one_turn_of_a_knob_is_one_take_of_the_history() {
    let instance = Instance::new();
    let first = instance.takes(1);
    for step in 1..=5 {
        turn(&instance.params.temperature, 1.0 + 0.1 * step as f32);
        let hot = |view: &View| {
            view.history
                .last()
                .is_some_and(|entry| entry.knobs.freedom.temperatures.master == 1.0 + 0.1 * step as f32)
        };
        assert_eq!(instance.wait(hot).history.len(), 2, "after step {step}");
    }
    std::thread::sleep(Duration::from_millis(1100));
    turn(&instance.params.temperature, 0.8);
    let before_undo = instance.takes(3);
    instance.params.session.undo();
    instance.params.session.undo();
    let undone = instance.wait(|view| {
        view.take.as_ref().map(|take| take.id()) != before_undo.take.as_ref().map(|take| take.id())
    });
    assert_eq!(undone.history[0].id, first.history[0].id);
}

#[test]
fn a_knob_turned_before_the_first_take_is_there_is_heeded() {
    let instance = Instance::slow();
    turn(&instance.params.temperature, 0.5);
    let hot = |view: &View| view.history.last().map(|entry| entry.knobs.freedom.temperatures.master);
    assert_eq!(instance.wait(|view| hot(view) == Some(0.5)).history.len(), 2);
}

#[test]
fn a_knob_turned_while_ideas_are_composed_follows_the_best_of_them() {
    let instance = Instance::slow();
    instance.takes(1);
    instance.params.session.ideas(2);
    instance.wait_for_work();
    turn(&instance.params.temperature, 0.5);
    let view = instance.takes(4);
    assert_eq!(view.history[3].take.music().seed, view.history[2].take.music().seed);
    assert_eq!(view.history[2].knobs.freedom.temperatures.master, 1.0);
}

#[test]
fn knobs_that_never_rest_are_heard_all_the_same() {
    let params = Arc::new(EtudeParams::default());
    turn(&params.bars, 16);
    let mut instance = Instance::with(params);
    instance.takes(1);
    // While the host rolls, a take is heard when it is whole.
    instance.roll(0.0);
    let mut followed = Vec::new();
    let start = Instant::now();
    for step in 0.. {
        turn(&instance.params.temperature, 0.5 + 0.01 * (step % 100) as f32);
        std::thread::sleep(Duration::from_millis(10));
        let view = instance.params.session.view();
        followed.extend(view.history.get(1).map(|entry| entry.knobs.freedom.temperatures.master));
        followed.dedup();
        if followed.len() == 3 {
            assert_eq!(view.history.len(), 2, "they are takes of one turn");
            break;
        }
        assert!(start.elapsed() < Duration::from_secs(60), "{} takes followed", followed.len());
    }
}

#[test]
fn a_refused_order_keeps_no_knob_waiting() {
    let params = Arc::new(EtudeParams::default());
    lock_out_every_key(&params);
    let instance = Instance::with(params);
    assert!(instance.wait(|view| view.error.is_some()).history.is_empty());
    turn(&instance.params.key, Tonic::Off);
    assert_eq!(instance.takes(1).error, None);
}

#[test]
fn a_turned_knob_keeps_the_locked_bars_too() {
    let instance = Instance::new();
    let first = instance.takes(1).take.clone().unwrap();
    instance.params.session.lock_bar(2, true);
    turn(&instance.params.temperature, 1.5);
    let remade = instance.takes(2).take.clone().unwrap();
    assert_eq!(notes(&remade, 8.0, 12.0), notes(&first, 8.0, 12.0));
    assert_ne!(notes(&remade, 12.0, 32.0), notes(&first, 12.0, 32.0));
}

#[test]
fn a_locked_bar_stays_while_a_knob_goes_on_turning() {
    let instance = Instance::slow();
    let first = instance.takes(1).take.clone().unwrap();
    instance.params.session.lock_bar(60, true);
    for step in 1..=5 {
        turn(&instance.params.temperature, 1.0 + 0.1 * step as f32);
        std::thread::sleep(Duration::from_millis(100));
    }
    let view = instance.wait(|view| view.history.last().unwrap().knobs.freedom.temperatures.master == 1.5);
    let remade = view.take.clone().unwrap();
    assert_eq!(notes(&remade, 240.0, 244.0), notes(&first, 240.0, 244.0));
    assert_ne!(notes(&remade, 0.0, 240.0), notes(&first, 0.0, 240.0));
}

#[test]
fn a_continued_take_keeps_its_length_and_its_locked_bars_when_a_knob_is_turned() {
    let instance = Instance::new();
    instance.takes(1);
    instance.params.session.extend();
    let longer = instance.takes(2).take.clone().unwrap();
    instance.params.session.lock_bar(11, true);
    turn(&instance.params.density, 3.0);
    let remade = instance.takes(3).take.clone().unwrap();
    assert_eq!(remade.music().quarters, 64.0);
    assert_eq!(notes(&remade, 44.0, 48.0), notes(&longer, 44.0, 48.0));
    turn(&instance.params.bars, 4);
    instance.wait(|view| view.take.as_ref().is_some_and(|take| take.music().quarters == 16.0));
}

#[test]
fn more_bars_go_on_from_the_take_and_fewer_are_its_beginning() {
    let instance = Instance::new();
    let first = instance.takes(1).take.clone().unwrap();
    turn(&instance.params.bars, 12);
    let longer = instance.takes(2).take.clone().unwrap();
    assert_eq!(longer.music().quarters, 48.0);
    assert_eq!(notes(&longer, 0.0, 32.0), notes(&first, 0.0, 32.0));
    turn(&instance.params.bars, 2);
    let shorter = instance.wait(|view| view.take.as_ref().is_some_and(|take| take.music().quarters == 8.0));
    let shorter = shorter.take.clone().unwrap();
    let onsets =
        |take: &Take| notes(take, 0.0, 8.0).iter().map(|note| (note.onset, note.key)).collect::<Vec<_>>();
    assert_eq!(onsets(&shorter), onsets(&first));
}

#[test]
fn swing_and_the_like_change_how_the_take_is_played_and_not_what_was_composed() {
    let instance = Instance::new();
    let first = instance.takes(1).take.clone().unwrap();
    turn(&instance.params.velocity, 50.0);
    let softer = instance.wait(|view| view.take.as_ref().is_some_and(|take| take.played() != first.played()));
    let softer = softer.take.clone().unwrap();
    assert_eq!(softer.music(), first.music());
    let loudness =
        |take: &Take| take.played().notes.iter().map(|note| u32::from(note.velocity.midi())).sum::<u32>();
    assert!(loudness(&softer) < loudness(&first));
    assert_eq!(instance.params.session.view().history.len(), 1);
}

#[test]
fn a_take_stays_where_it_is_when_the_time_signature_changes_unless_the_start_bar_is_turned() {
    let instance = Instance::new();
    let session = &instance.params.session;
    let hear = |numerator| {
        let mut transport = Transport::new(48_000.0);
        transport.time_sig_numerator = Some(numerator);
        transport.time_sig_denominator = Some(4);
        session.host.hear(&transport);
    };
    hear(4);
    turn(&instance.params.start_bar, 5);
    let anchor = |view: Arc<View>| view.take.as_ref().unwrap().place().anchor / 960;
    session.generate();
    let at_bar_five = |view: &View| view.take.as_ref().is_some_and(|take| take.place().anchor == 16 * 960);
    let count = instance.wait(at_bar_five).history.len();
    hear(3);
    session.vary();
    assert_eq!(anchor(instance.takes(count + 1)), 16);
    session.extend();
    assert_eq!(anchor(instance.takes(count + 2)), 16);
    turn(&instance.params.density, 3.0);
    assert_eq!(anchor(instance.takes(count + 3)), 16);
    std::thread::sleep(Duration::from_millis(1100));
    turn(&instance.params.start_bar, 3);
    assert_eq!(anchor(instance.takes(count + 4)), 6);
}
