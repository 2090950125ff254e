//! What musicians do with takes, from the session's door: compose, vary, go back, save and reload.

#[path = "../../crates/pianist/tests/common/mod.rs"]
mod common;
#[path = "../../crates/pianist/tests/common/failing.rs"]
mod failing;
mod failures;
mod instance;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use common::random_pianist;
use etude::params::{self, EtudeParams, Tonic};
use etude::session::View;
use etude::take::{Mode, Place, Take};
use etude_pianist::alphabet::Alphabet;
use etude_pianist::engine::{Device, adapters};
use etude_pianist::note::{Key, Note, Performance, Velocity};
use etude_pianist::time::{TimeBase, TimeSignature};
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
fn a_locked_bar_stays_while_a_knob_goes_on_turning() {
    let instance = Instance::new();
    let first = instance.takes(1).take.clone().unwrap();
    instance.params.session.lock_bar(6, true);
    for step in 1..=10 {
        turn(&instance.params.temperature, 1.0 + 0.05 * step as f32);
        std::thread::sleep(Duration::from_millis(70));
    }
    let view = instance.wait(|view| view.history.last().unwrap().knobs.freedom.temperatures.master == 1.5);
    let remade = view.take.clone().unwrap();
    assert_eq!(notes(&remade, 24.0, 28.0), notes(&first, 24.0, 28.0));
    assert_ne!(notes(&remade, 0.0, 24.0), notes(&first, 0.0, 24.0));
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
    let mut instance = Instance::slow();
    let first = instance.takes(1).take.clone().unwrap();
    // While the host rolls, a take is heard when it is whole.
    instance.roll(0.0);
    let heard =
        |instance: &Instance| instance.params.session.view().take.as_ref().unwrap().id() != first.id();
    let start = Instant::now();
    for step in 0.. {
        turn(&instance.params.temperature, 0.5 + 0.01 * (step % 100) as f32);
        std::thread::sleep(Duration::from_millis(10));
        if heard(&instance) {
            break;
        }
        assert!(start.elapsed() < Duration::from_secs(60), "nothing was heard");
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
fn ideas_without_end_are_one_take() {
    let params = Arc::new(EtudeParams::default());
    turn(&params.mode, params::Mode::Endless);
    let instance = Instance::with(params);
    let endless =
        |count| move |view: &View| view.history.len() == count && view.take.as_ref().unwrap().bars() > 0;
    let first = instance.wait_in_any_case(endless(1)).take.clone().unwrap();
    instance.params.session.ideas(8);
    let second = instance.wait_in_any_case(endless(2)).take.clone().unwrap();
    assert_ne!(second.music().seed, first.music().seed);
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
fn a_project_is_saved_in_the_same_bytes_and_comes_back_note_for_note() {
    let instance = Instance::new();
    instance.takes(1);
    instance.params.session.lock_bar(3, true);
    instance.params.session.vary();
    let before = instance.takes(2);
    let saved = instance.saved();
    assert_eq!(instance.saved(), saved);

    let params = Arc::new(EtudeParams::default());
    params.deserialize_fields(&saved);
    assert_eq!(params.serialize_fields(), saved, "before it runs");
    let again = Instance::with(params);
    let view = again.wait(|view| view.take.is_some());
    assert_eq!(view.take.as_ref().unwrap().music(), before.take.as_ref().unwrap().music());
    assert_eq!(view.history.len(), 2);
    assert_eq!(view.locks, before.locks);
    std::thread::sleep(Duration::from_millis(500));
    assert_eq!(again.saved(), saved, "and after");
    assert_eq!(again.params.session.view().history.len(), 2, "nothing is composed anew");
}

#[test]
fn a_project_comes_back_with_the_licence_of_its_pianist() {
    let folder = tempfile::tempdir().unwrap();
    let name = folder.path().join("tiny").to_str().unwrap().to_owned();
    let mut pianist = random_pianist(Alphabet::Notes, TimeBase::Beats, 0.1, 1);
    pianist.card.licence = "not for sale".to_owned();
    pianist.write_file(folder.path().join("tiny.safetensors")).unwrap();
    let instance = Instance::new();
    instance.takes(1);
    let mut saved = instance.saved();
    let session = saved.get_mut("session").unwrap();
    *session = session.replacen("\"pianist\":\"songbook\"", &format!("\"pianist\":{name:?}"), 1);

    let params = Arc::new(EtudeParams::default());
    params.deserialize_fields(&saved);
    let view = Instance::with(params).wait(|view| !view.pianist.licence.is_empty());
    assert_eq!((view.pianist.name.as_str(), view.pianist.licence.as_str()), ("tiny", "not for sale"));
}

#[test]
fn a_project_keeps_the_size_of_its_window_and_where_it_is_zoomed_to() {
    let params = EtudeParams::default();
    let window = params::Window {
        width: 1300.0,
        height: 800.0,
        zoom: Some(params::Zoom { start: 4.1, quarter: 77.7, top: 90.3, key: 11.1 }),
    };
    *params.window.write().unwrap() = window;
    let again = EtudeParams::default();
    again.deserialize_fields(&params.serialize_fields());
    assert_eq!(*again.window.read().unwrap(), window);

    let older = BTreeMap::from([("window".to_owned(), r#"{"width":1000.0,"height":600.0}"#.to_owned())]);
    again.deserialize_fields(&older);
    let window = params::Window { width: 1000.0, height: 600.0, zoom: None };
    assert_eq!(*again.window.read().unwrap(), window);
}

#[test]
fn saved_nonsense_is_refused_and_the_takes_stay() {
    let instance = Instance::new();
    instance.takes(1);
    let saved = instance.saved();
    let session = &saved["session"];
    let nonsense = [
        String::new(),
        "null".to_owned(),
        "{}".to_owned(),
        session[..session.len() / 2].to_owned(),
        session.replace("\"version\":1", "\"version\":77"),
        session.replace("\"quarters\":32.0", "\"quarters\":1e300"),
        session.replace("\"tempo\":120.0", "\"tempo\":-1.0"),
        session.replace("\"current\":1", "\"current\":5"),
        session.replace("\"anchor\":0", "\"anchor\":9223372036854775807"),
    ];
    for text in nonsense {
        assert_ne!(&text, session);
        let fields = BTreeMap::from([("session".to_owned(), text.clone())]);
        instance.params.deserialize_fields(&fields);
        assert_eq!(instance.saved(), saved, "{text:.60}");
    }
}

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

#[test]
fn saved_knobs_that_cannot_be_met_cost_no_take() {
    let instance = Instance::new();
    instance.takes(1);
    instance.params.session.lock_bar(2, true);
    let session = instance.saved()["session"].clone();
    for (from, to) in [("\"keys\":[21,108]", "\"keys\":[61,60]"), ("\"polyphony\":88", "\"polyphony\":0")] {
        let changed = session.replace(from, to);
        assert_ne!(changed, session, "{session:.600}");
        let params = EtudeParams::default();
        params.deserialize_fields(&BTreeMap::from([("session".to_owned(), changed)]));
        let view = params.session.view();
        assert_eq!((view.history.len(), view.locks.contains(&2)), (1, true), "{to}");
    }
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
