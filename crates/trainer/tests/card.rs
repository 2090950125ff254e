//! Completing a model card.

use etude_pianist::alphabet::Alphabet;
use etude_pianist::card::Card;
use etude_pianist::model_file::Pianist;
use etude_pianist::network::Layout;
use etude_pianist::time::TimeBase;
use etude_trainer::card::{CardArgs, CardError, run};
use std::path::{Path, PathBuf};

/// A pianist file whose data is known and whose licence is not.
fn pianist(folder: &Path) -> PathBuf {
    let count = Layout::new(&Alphabet::Notes.blueprint(1, 3)).len();
    let parameters = (0..count).map(|i| (i % 7) as f32 / 8.0).collect();
    let card = Card { name: "mine".to_owned(), data: "some waltzes".to_owned(), ..Card::default() };
    let path = folder.join("mine.safetensors");
    let pianist = Pianist::new(Alphabet::Notes, TimeBase::Beats, 1, 3, parameters, card);
    pianist.write_file(&path).expect("a writable folder");
    path
}

fn args(model: PathBuf) -> CardArgs {
    CardArgs { model, data: None, licence: None, split: None, notes: None, evaluation: None }
}

#[test]
fn what_is_given_is_written_and_the_rest_stays() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let model = pianist(folder.path());
    let before = Pianist::read_file(&model).expect("a pianist");
    run(&CardArgs { licence: Some("CC BY 4.0".to_owned()), ..args(model.clone()) })
        .expect("the card is written");
    let after = Pianist::read_file(&model).expect("a pianist");
    assert_eq!(after.parameters, before.parameters);
    assert_eq!((after.card.data.as_str(), after.card.licence.as_str()), ("some waltzes", "CC BY 4.0"));
    let page = std::fs::read_to_string(folder.path().join("mine.md")).expect("a page");
    assert!(page.contains("CC BY 4.0") && page.contains("some waltzes"));
}

#[test]
fn an_evaluation_becomes_the_losses_and_the_copied_passage() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let model = pianist(folder.path());
    let evaluation = folder.path().join("mine.json");
    let json = r#"{"nats_per_step": 5.5, "nats_per_note": 6.25, "loss_by_attribute": {"key": 4.0, "shift": 2.25},
        "longest_copied_passage": {"generated": {"notes": 9}, "human": null}, "files": 3}"#;
    std::fs::write(&evaluation, json).expect("a writable folder");
    run(&CardArgs { evaluation: Some(evaluation), ..args(model.clone()) }).expect("the card is written");
    let card = Pianist::read_file(&model).expect("a pianist").card;
    let validation = card.validation.expect("losses");
    assert_eq!((validation.nats_per_step, validation.nats_per_note), (5.5, 6.25));
    assert_eq!(validation.attributes, [("shift".to_owned(), 2.25), ("key".to_owned(), 4.0)]);
    let copied = card.copied.expect("a passage");
    assert!(
        copied.contains("9 notes") && !copied.contains("human"),
        "nothing is known of human music: {copied}"
    );
}

#[test]
fn human_music_is_named_beside_the_takes_where_it_was_searched() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let model = pianist(folder.path());
    let evaluation = folder.path().join("mine.json");
    let json = r#"{"nats_per_step": 5.5, "nats_per_note": 6.25, "loss_by_attribute": {},
        "longest_copied_passage": {"generated": {"notes": 9}, "human": {"notes": 12}, "human_excerpts": 8}}"#;
    std::fs::write(&evaluation, json).expect("a writable folder");
    run(&CardArgs { evaluation: Some(evaluation), ..args(model.clone()) }).expect("the card is written");
    let copied = Pianist::read_file(&model).expect("a pianist").card.copied.expect("a passage");
    assert!(copied.ends_with("as much unknown human music has one of 12"), "{copied}");
}

#[test]
fn what_is_no_evaluation_is_refused_and_the_pianist_kept() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let model = pianist(folder.path());
    let bytes = std::fs::read(&model).expect("a file");
    let evaluation = folder.path().join("mine.json");
    std::fs::write(&evaluation, "no json").expect("a writable folder");
    let result = run(&CardArgs { evaluation: Some(evaluation), ..args(model.clone()) });
    assert!(matches!(result, Err(CardError::NoEvaluation { .. })));
    assert_eq!(std::fs::read(&model).expect("a file"), bytes);
}
