//! What musicians do with takes, from the session's door: compose, vary, go back.

#[path = "../block/mod.rs"]
mod block;
#[path = "../../crates/pianist/tests/common/mod.rs"]
mod common;
mod devices;
#[path = "../../crates/pianist/tests/common/disguised.rs"]
mod disguised;
#[path = "../../crates/pianist/tests/common/failing.rs"]
mod failing;
mod failures;
mod instance;
mod saving;
#[path = "../../crates/pianist/tests/common/slow.rs"]
mod slow;
mod turning;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::thread;
use std::time::Duration;

use etude::params::{EtudeParams, Mode};
use etude::session::View;
use etude::take::{Place, Take};
use etude_pianist::engine::{Device, adapters};
use etude_pianist::note::{Key, Note, Performance, Velocity};
use etude_pianist::time::TimeSignature;
use instance::{Instance, turn};
use nice_plug::prelude::{Params, Transport};

fn notes(take: &Take, from: f64, to: f64) -> Vec<Note<f64>> {
    let notes = take.music().performance.notes.iter();
    notes.filter(|note| (from..to).contains(&note.onset)).copied().collect()
}

#[test]
fn a_first_take_comes_by_itself_and_generate_brings_others() {
    let instance = Instance::new();
    let first = instance.takes(1).take.clone().unwrap();
    assert_eq!(first.music().quarters, 32.0);
    assert!(!first.music().performance.notes.is_empty());
    instance.params.session.generate();
    let view = instance.takes(2);
    let second = view.take.clone().unwrap();
    assert_ne!(notes(&second, 0.0, 32.0), notes(&first, 0.0, 32.0));
    assert_eq!(view.pianist.name, "songbook");
    assert!(view.pianist.licence.contains("MIT"));
}

#[test]
fn a_view_that_says_that_all_is_composed_shows_it_all() {
    let instance = Instance::new();
    let session = &instance.params.session;
    let done = AtomicBool::new(false);
    let look = || {
        while !done.load(SeqCst) {
            let view = session.view();
            let whole = view.take.iter().all(|take| take.decided() >= take.music().quarters);
            assert!(view.composing || whole, "it shows a part");
        }
    };
    thread::scope(|scope| {
        let lookers = [(); 4].map(|()| scope.spawn(look));
        for _ in 0..100 {
            session.generate();
            thread::sleep(Duration::from_millis(20));
        }
        done.store(true, SeqCst);
        assert!(lookers.into_iter().all(|looker| looker.join().is_ok()));
    });
}

#[test]
fn a_variation_keeps_the_locked_bars_and_remakes_the_rest() {
    let instance = Instance::new();
    let first = instance.takes(1).take.clone().unwrap();
    instance.params.session.lock_bar(1, true);
    instance.params.session.lock_bar(4, true);
    instance.params.session.vary();
    let varied = instance.takes(2).take.clone().unwrap();
    for kept in [(4.0, 8.0), (16.0, 20.0)] {
        assert_eq!(notes(&varied, kept.0, kept.1), notes(&first, kept.0, kept.1));
    }
    assert_ne!(notes(&varied, 8.0, 16.0), notes(&first, 8.0, 16.0));
    assert_eq!(varied.music().quarters, first.music().quarters);
}

#[test]
fn a_take_keeps_its_bars_when_the_host_changes_the_time_signature_and_the_next_one_follows() {
    let instance = Instance::new();
    instance.takes(1);
    let session = &instance.params.session;
    let hear = |numerator, denominator| {
        let mut transport = Transport::new(48_000.0);
        transport.time_sig_numerator = Some(numerator);
        transport.time_sig_denominator = Some(denominator);
        session.host.hear(&transport);
    };
    let bars = |view: &View| {
        let music = view.take.as_ref().unwrap().music();
        (music.time_signature, music.quarters)
    };
    let (three_four, seven_eight) = (TimeSignature::new(3, 4).unwrap(), TimeSignature::new(7, 8).unwrap());
    hear(3, 4);
    session.generate();
    assert_eq!(bars(&instance.takes(2)), (three_four, 8.0 * 3.0));
    hear(7, 8);
    session.vary();
    assert_eq!(bars(&instance.takes(3)), (three_four, 8.0 * 3.0));
    session.generate();
    assert_eq!(bars(&instance.takes(4)), (seven_eight, 8.0 * 3.5));
}

#[test]
fn continuing_a_take_keeps_it_and_adds_bars() {
    let instance = Instance::new();
    let first = instance.takes(1).take.clone().unwrap();
    instance.params.session.extend();
    let longer = instance.takes(2).take.clone().unwrap();
    assert_eq!(longer.music().quarters, 64.0);
    assert_eq!(notes(&longer, 0.0, 32.0), notes(&first, 0.0, 32.0));
    assert!(!notes(&longer, 32.0, 64.0).is_empty());
}

#[test]
fn continuing_twice_adds_bars_twice() {
    let instance = Instance::new();
    let first = instance.takes(1).take.clone().unwrap();
    instance.params.session.extend();
    instance.params.session.extend();
    let longer = instance.takes(3).take.clone().unwrap();
    assert_eq!(longer.music().quarters, 96.0);
    assert_eq!(notes(&longer, 0.0, 32.0), notes(&first, 0.0, 32.0));
}

#[test]
fn a_variation_with_all_bars_locked_changes_nothing_and_says_so() {
    let instance = Instance::new();
    let first = instance.takes(1).take.clone().unwrap();
    (0..8).for_each(|bar| instance.params.session.lock_bar(bar, true));
    instance.params.session.vary();
    let view = instance.wait(|view| view.error.is_some());
    assert_eq!((view.history.len(), view.take.as_ref().unwrap().id()), (1, first.id()));
    instance.params.session.lock_bar(0, false);
    assert_eq!(instance.params.session.view().error, None);
}

#[test]
fn the_first_take_of_another_pianist_has_no_locks() {
    let instance = Instance::new();
    instance.takes(1);
    instance.params.session.lock_bar(3, true);
    instance.params.session.choose_pianist("songbook");
    assert!(instance.takes(2).locks.is_empty());
}

#[test]
fn ideas_without_end_are_one_take() {
    let params = Arc::new(EtudeParams::default());
    turn(&params.mode, Mode::Endless);
    let instance = Instance::with(params);
    let endless =
        |count| move |view: &View| view.history.len() == count && view.take.as_ref().unwrap().bars() > 0;
    let first = instance.wait_in_any_case(endless(1)).take.clone().unwrap();
    instance.params.session.ideas(8);
    let second = instance.wait_in_any_case(endless(2)).take.clone().unwrap();
    assert_ne!(second.music().seed, first.music().seed);
}

#[test]
fn any_take_of_the_history_can_be_heard_again_and_undo_goes_back() {
    let instance = Instance::new();
    let first = instance.takes(1).take.clone().unwrap();
    instance.params.session.generate();
    let view = instance.takes(2);
    let (first_id, second) = (view.history[0].id, view.take.clone().unwrap());
    let plays = |take: &Arc<Take>| {
        let notes_of = notes(take, 0.0, 32.0);
        instance.wait(move |view| view.take.as_ref().is_some_and(|now| notes(now, 0.0, 32.0) == notes_of))
    };
    instance.params.session.audition(first_id);
    plays(&first);
    instance.params.session.undo();
    plays(&second);
    instance.params.session.star(first_id, true);
    assert!(instance.params.session.view().history[0].starred);
}

#[test]
fn undo_is_there_only_while_there_is_a_take_to_go_back_to() {
    let instance = Instance::new();
    assert!(!instance.takes(1).can_undo);
    instance.params.session.generate();
    assert!(instance.takes(2).can_undo);
    let params = Arc::new(EtudeParams::default());
    params.deserialize_fields(&instance.saved());
    assert!(!params.session.view().can_undo, "a project comes back without what was played before");
    instance.params.session.undo();
    instance.wait(|view| !view.can_undo);
}

#[test]
fn a_star_that_there_is_no_room_for_is_refused_and_all_others_stay() {
    let instance = Instance::new();
    let session = &instance.params.session;
    turn(&instance.params.bars, 1);
    let newest = |view: &View| view.history.last().map(|entry| entry.id);
    for _ in 0..8 {
        let before = newest(&instance.wait(|view| !view.history.is_empty()));
        session.ideas(8);
        let view = instance.wait(|view| newest(view) > before);
        view.history.iter().for_each(|entry| session.star(entry.id, true));
    }
    let stars = || session.view().history.iter().filter(|entry| entry.starred).count();
    let view = session.view();
    assert_eq!((stars(), view.history.len()), (63, 64));
    assert!(view.error.as_ref().is_some_and(|error| error.contains("63")), "{:?}", view.error);
    session.generate();
    instance.wait(|view| view.error.is_none());
    assert_eq!((stars(), session.view().history.len()), (63, 64));
}

#[test]
fn ideas_are_all_there_to_choose_from() {
    let instance = Instance::new();
    instance.takes(1);
    instance.params.session.ideas(4);
    let view = instance.takes(5);
    let seeds: std::collections::BTreeSet<u64> =
        view.history.iter().map(|entry| entry.take.music().seed).collect();
    assert_eq!(seeds.len(), 5);
}

#[test]
fn instances_play_music_of_their_own_unless_a_seed_is_asked_for() {
    let (one, other) = (Instance::new(), Instance::new());
    let seed = |instance: &Instance| instance.takes(1).take.clone().unwrap().music().seed;
    let seeds = [seed(&one), seed(&other), seed(&Instance::new())];
    assert!(seeds[0] != seeds[1] || seeds[1] != seeds[2], "all three took {}", seeds[0]);

    let asked = |params: EtudeParams| {
        turn(&params.seed, 42);
        Instance::with(Arc::new(params)).takes(1).take.clone().unwrap().music().clone()
    };
    assert_eq!(asked(EtudeParams::default()), asked(EtudeParams::default()));
}

#[test]
fn a_device_that_is_not_there_is_kept_named_and_replaced_by_the_processor() {
    let params = Arc::new(EtudeParams::default());
    params.session.choose_device(Device::Gpu(Some("no such adapter".to_owned())));
    turn(&params.seed, 7);
    let instance = Instance::with(params);
    let view = instance.takes(1);
    let warning = view.warning.clone().expect("somebody is told");
    assert!(warning.contains("no such adapter") && warning.contains("processor composes"), "{warning}");
    assert!(view.device.contains("CPU") && view.error.is_none(), "{}", view.device);

    let params = Arc::new(EtudeParams::default());
    params.deserialize_fields(&instance.saved());
    assert_eq!(params.session.view().wanted_device, view.wanted_device);

    instance.params.session.choose_device(Device::Cpu);
    instance.params.session.generate();
    let again = instance.takes(2);
    assert_eq!(again.warning, None);
    assert_eq!(again.take.as_ref().unwrap().music(), view.take.as_ref().unwrap().music());
}

#[test]
fn graphics_processors_are_found_when_somebody_asks() {
    let instance = Instance::new();
    assert_eq!(instance.takes(1).adapters, None, "no driver was touched");
    instance.params.session.find_adapters();
    let view = instance.wait(|view| view.adapters.is_some());
    assert_eq!(view.adapters, Some(adapters()));
}

#[test]
fn a_clip_of_a_take_is_saved_once_it_is_whole() {
    let take = |mode, decided| {
        let note = |onset| Note {
            onset,
            duration: 1.0,
            key: Key::from_midi(60).unwrap(),
            velocity: Velocity::new(64),
        };
        let performance = Performance { notes: (0..8).map(|i| note(f64::from(i))).collect(), pedal: vec![] };
        let music = etude_pianist::composer::Take {
            seed: 1,
            tempo: 120.0,
            time_signature: TimeSignature::COMMON,
            quarters: 8.0,
            performance,
        };
        Take::new(music, Place { anchor: 0, mode }, decided)
    };
    let notes_of = |take: Take| take.clip().map(|clip| clip.notes.len());
    assert_eq!(notes_of(take(Mode::Loop, 7.0)), None);
    assert_eq!(notes_of(take(Mode::Loop, 8.0)), Some(8));
    assert_eq!(notes_of(take(Mode::Endless, 3.0)), None);
    assert_eq!(notes_of(take(Mode::Endless, 7.0)), Some(4), "the whole bars");
    assert_eq!([Mode::Loop, Mode::Endless].map(|mode| take(mode, 7.0).clip_quarters()), [8.0, 4.0]);
}
