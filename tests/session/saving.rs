//! Projects that are saved and come back.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use etude::params::{self, EtudeParams, Mode};
use etude::session::View;
use etude_pianist::alphabet::Alphabet;
use etude_pianist::time::TimeBase;
use nice_plug::prelude::Params;

use crate::common::random_pianist;
use crate::instance::{Instance, turn};
use crate::notes;

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
fn the_last_notes_of_a_take_ring_on_where_it_is_continued_after_it_came_back_with_its_project() {
    let rings = |seed| {
        let params = Arc::new(EtudeParams::default());
        turn(&params.seed, seed);
        turn(&params.bars, 1);
        let saved = {
            let instance = Instance::with(params);
            instance.takes(1);
            instance.saved()
        };
        let params = Arc::new(EtudeParams::default());
        params.deserialize_fields(&saved);
        let instance = Instance::with(params);
        instance.takes(1);
        instance.params.session.extend();
        let longer = instance.takes(2).take.clone().unwrap();
        longer.played().notes.iter().any(|note| note.onset < 4.0 && note.end() > 4.0)
    };
    assert!((1..40).any(rings), "no note of forty takes wants to sound longer than its take");
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
    let window = params::WindowState {
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
    let window = params::WindowState { width: 1000.0, height: 600.0, zoom: None };
    assert_eq!(*again.window.read().unwrap(), window);
}

#[test]
fn a_bar_that_is_locked_ahead_in_an_endless_take_stays_while_takes_are_changed_and_projects_saved() {
    let params = Arc::new(EtudeParams::default());
    turn(&params.mode, Mode::Endless);
    let mut instance = Instance::with(params);
    let bars = |view: &View| view.take.as_ref().map_or(0, |take| take.bars());
    let far = |instance: &mut Instance| {
        instance.roll(40.0);
        let view = instance.wait_in_any_case(|view| bars(view) > 15);
        notes(view.take.as_ref().unwrap(), 60.0, 64.0)
    };
    let locked = far(&mut instance);
    instance.params.session.lock_bar(15, true);
    instance.roll(0.0);
    turn(&instance.params.temperature, 0.5);
    let remade = instance.wait_in_any_case(|view| view.history.len() == 2);
    assert!(bars(&remade) < 15, "the locked bar is not reached again");
    let saved = instance.saved();

    for (id, is_there) in [(0, true), (1, false)] {
        instance.params.session.audition(remade.history[id].id);
        instance.wait_in_any_case(|view| (bars(view) > 15) == is_there);
    }
    assert_eq!(far(&mut instance), locked, "it came back with its take");

    let params = Arc::new(EtudeParams::default());
    params.deserialize_fields(&saved);
    assert_eq!(params.serialize_fields(), saved);
    assert_eq!(far(&mut Instance::with(params)), locked, "it came back with the project");
}

#[test]
fn a_take_that_is_composed_while_it_is_saved_comes_back_though_a_bar_after_its_end_is_locked() {
    let instance = Instance::slow();
    instance.takes(1);
    instance.params.session.lock_bar(60, true);
    turn(&instance.params.bars, 32);
    turn(&instance.params.temperature, 0.5);
    instance.wait_in_any_case(|view| view.history.len() == 2);
    let saved = instance.saved();
    let params = EtudeParams::default();
    params.deserialize_fields(&saved);
    assert_eq!(params.serialize_fields(), saved);
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
        session.replace("\"quarters\":32.0,\"decided\":32.0", "\"quarters\":33.0,\"decided\":32.0"),
        session.replace("\"tempo\":120.0", "\"tempo\":-1.0"),
        session.replace("\"current\":1", "\"current\":5"),
        session.replace("\"anchor\":0", "\"anchor\":9223372036854775807"),
        session.replace("\"anchor\":0", "\"anchor\":-9223372036854775808"),
    ];
    for text in nonsense {
        assert_ne!(&text, session);
        let fields = BTreeMap::from([("session".to_owned(), text.clone())]);
        instance.params.deserialize_fields(&fields);
        assert_eq!(instance.saved(), saved, "{text:.60}");
    }
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
