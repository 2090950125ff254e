//! Training runs from end to end, on a few bars of made-up music and for a second or two.

use etude_pianist::alphabet::{Alphabet, Pedal};
use etude_pianist::kernel::{Kernel, Precision};
use etude_pianist::model_file::Pianist;
use etude_pianist::note::{Key, Note, PedalChange, Performance, Velocity};
use etude_pianist::time::{Bar, TimeBase, TimeSignature};
use etude_trainer::backend::Device;
use etude_trainer::corpus::{self, Corpus, Draft, Packed, Split};
use etude_trainer::measuring::measure;
use etude_trainer::passage::Passage;
use etude_trainer::training::augmentation::{Deck, Pedals};
use etude_trainer::training::checkpoint;
use etude_trainer::training::{TrainArgs, TrainError, run};
use etude_trainer::weights::Network;
use etude_trainer::weights::initial_parameters;
use std::collections::{BTreeMap, HashSet};
use std::path::{Path, PathBuf};

/// An Alberti bass, the same every bar, with the pedal.
fn etude(bars: usize) -> Performance<f64> {
    let mut music = Performance::default();
    for bar in 0..bars {
        for (i, midi) in [48, 55, 52, 55, 48, 55, 52, 55].into_iter().enumerate() {
            music.notes.push(Note {
                onset: bar as f64 * 4.0 + i as f64 * 0.5,
                duration: 0.4,
                key: Key::from_midi(midi).expect("on the keyboard"),
                velocity: Velocity::new(if i == 0 { 90 } else { 60 }),
            });
        }
        let change = |beat: f64, down| PedalChange { time: bar as f64 * 4.0 + beat, down };
        music.pedal.extend([change(0.2, true), change(3.8, false)]);
    }
    music
}

fn write_corpus(folder: &Path) -> std::path::PathBuf {
    write_corpus_to_measure_on(folder, &etude(9))
}

fn write_corpus_to_measure_on(folder: &Path, music: &Performance<f64>) -> std::path::PathBuf {
    let bars = [Bar::new(0.0, TimeSignature::default())];
    let draft = |name: &str, split, music: &Performance<f64>| Draft {
        name: name.to_owned(),
        split,
        piece: 0,
        packed: Packed::new(music, &bars, TimeBase::Beats).expect("short enough"),
    };
    let path = folder.join("tiny.corpus");
    let drafts = [
        draft("a.mid", Split::Train, &etude(30)),
        draft("b.mid", Split::Train, &etude(20)),
        draft("c.mid", Split::Valid, music),
    ];
    corpus::write(&path, Alphabet::Notes, TimeBase::Beats, &drafts).expect("a writable folder");
    path
}

fn arguments(folder: &Path, minutes: f64) -> TrainArgs {
    TrainArgs {
        corpus: write_corpus(folder),
        layers: 2,
        hidden: 20,
        minutes,
        output: folder.join("tiny.safetensors"),
        resume: false,
        from: None,
        pedal: Pedals::Both,
        alphabet: None,
        dropout: 0.1,
        learning_rate: 0.01,
        streams: 3,
        window: 16,
        threads: Some(2),
        device: Device::Cpu,
        precision: Precision::F32,
        seed: 7,
    }
}

#[test]
fn a_run_leaves_a_pianist_a_curve_a_card_and_a_checkpoint() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    run(&arguments(folder.path(), 0.04)).expect("the run succeeds");
    let pianist = Pianist::read_file(folder.path().join("tiny.safetensors")).expect("a valid pianist");
    assert_eq!((pianist.alphabet, pianist.time_base), (Alphabet::Notes, TimeBase::Beats));
    let curve = std::fs::read_to_string(folder.path().join("tiny.csv")).expect("a curve");
    let last: Vec<f64> =
        curve.lines().last().expect("a point").split(',').map(|x| x.parse().expect("a number")).collect();
    assert!(last[4] < 12.0, "an untrained network loses about 16 nats per note, this one {}", last[4]);
    let picture = std::fs::read(folder.path().join("tiny.png")).expect("a picture of the curve");
    assert!(picture.starts_with(b"\x89PNG"));
    let card = std::fs::read_to_string(folder.path().join("tiny.md")).expect("a model card");
    assert!(card.contains("tiny") && card.contains("2 performances"));
    assert!(
        card.contains("| shift |") && !card.contains("_fine"),
        "attributes as `evaluate` names them: {card}"
    );
    checkpoint::read(&folder.path().join("tiny.checkpoint")).expect("a checkpoint");
}

#[test]
fn a_run_that_was_stopped_goes_on_from_its_checkpoint() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut args = arguments(folder.path(), 0.01);
    run(&args).expect("the first part succeeds");
    let first = checkpoint::read(&folder.path().join("tiny.checkpoint")).expect("a checkpoint").progress;
    args.resume = true;
    args.minutes = 0.02;
    run(&args).expect("the second part succeeds");
    let second = checkpoint::read(&folder.path().join("tiny.checkpoint")).expect("a checkpoint").progress;
    assert!(second.updates > first.updates && second.seconds > first.seconds && first.updates > 0);
    assert!(second.seconds >= 0.02 * 60.0 && second.notes > first.notes);
}

#[test]
fn the_pianist_kept_is_the_best_measured_not_the_last() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut args = arguments(folder.path(), 0.06);
    let other_music = etude(9).transposed(17).expect("on the keyboard").stretched(1.7);
    args.corpus = write_corpus_to_measure_on(folder.path(), &other_music);
    run(&args).expect("the run succeeds");
    let curve = std::fs::read_to_string(folder.path().join("tiny.csv")).expect("a curve");
    let measured = curve.lines().skip(1).map(|line| line.rsplit(',').next().expect("a column"));
    let measured: Vec<f64> = measured.map(|x| x.parse().expect("a number")).collect();
    let best = measured.iter().copied().fold(f64::INFINITY, f64::min);
    assert!(measured.last().expect("a point") > &(best + 0.1), "it learns by heart: {measured:?}");
    let card = Pianist::read_file(&args.output).expect("a pianist").card;
    let kept = card.validation.expect("measured").nats_per_note;
    assert!((kept - best).abs() < 1e-3, "{kept} was kept of {measured:?}");
}

#[test]
fn a_checkpoint_of_another_network_is_refused_and_kept() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut args = arguments(folder.path(), 0.005);
    run(&args).expect("the first run succeeds");
    (args.resume, args.hidden) = (true, 24);
    let refusal = run(&args).expect_err("it has other layers").to_string();
    assert!(
        refusal.contains("--layers 2 and --hidden 20") && refusal.contains("`notes` in beats"),
        "{refusal}"
    );
    checkpoint::read(&folder.path().join("tiny.checkpoint")).expect("the checkpoint is still there");
}

#[test]
fn a_pianist_can_be_trained_further() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut args = arguments(folder.path(), 0.01);
    run(&args).expect("the first run succeeds");
    let first = Pianist::read_file(&args.output).expect("a pianist").card.training;
    args.from = Some(std::mem::replace(&mut args.output, folder.path().join("further.safetensors")));
    run(&args).expect("the second run succeeds");
    let further = Pianist::read_file(&args.output).expect("a pianist").card.training;
    assert!(further.minutes > first.minutes && further.notes > first.notes);
    (args.hidden, args.output) = (16, folder.path().join("smaller.safetensors"));
    assert!(matches!(run(&args), Err(TrainError::OtherNetwork { hidden: 20, .. })));
}

#[test]
fn a_pianist_that_grows_plays_at_first_as_before() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut args = arguments(folder.path(), 0.02);
    run(&args).expect("the first run succeeds");
    let small = Pianist::read_file(&args.output).expect("a pianist");
    args.from = Some(std::mem::replace(&mut args.output, folder.path().join("grown.safetensors")));
    (args.hidden, args.minutes, args.learning_rate) = (37, 1e-6, 1e-6);
    run(&args).expect("the second run succeeds");
    let grown = Pianist::read_file(&args.output).expect("a pianist");
    assert_eq!((small.blueprint.units, grown.blueprint.units), (20, 37));
    let loss = |pianist: Pianist| pianist.card.validation.expect("measured").nats_per_note;
    let (before, after) = (loss(small), loss(grown));
    assert!((before - after).abs() < 1e-3, "{before} nats per note before, {after} after");
}

#[test]
fn damaged_checkpoints_are_refused() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut args = arguments(folder.path(), 0.005);
    run(&args).expect("the first run succeeds");
    let path = folder.path().join("tiny.checkpoint");
    let whole = std::fs::read(&path).expect("a checkpoint");
    args.resume = true;
    for length in [0, 7, 100, whole.len() / 2, whole.len() - 1] {
        std::fs::write(&path, &whole[..length]).expect("a writable folder");
        let error = run(&args).expect_err("no checkpoint");
        assert!(matches!(error, TrainError::Unresumable { .. }), "{length} bytes are no checkpoint");
        let advice = format!("--from {} --output", args.output.display());
        assert!(error.to_string().contains(&advice), "{error}");
    }
    // The corpus is no checkpoint, and not to be deleted.
    let other = folder.path().join("other.safetensors");
    let args = TrainArgs { from: Some(args.corpus.clone()), output: other, resume: false, ..args };
    let error = run(&args).expect_err("no checkpoint");
    assert!(matches!(error, TrainError::Checkpoint(_)) && !error.to_string().contains("delete"), "{error}");
}

/// The bytes of every file in a folder, by name.
fn contents(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let files = std::fs::read_dir(folder).expect("a folder").map(|file| file.expect("a file").path());
    files.map(|path| (path.clone(), std::fs::read(path).expect("a readable file"))).collect()
}

#[test]
fn a_command_that_is_typed_twice_leaves_the_finished_run_alone() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let args = arguments(folder.path(), 0.005);
    run(&args).expect("the first run succeeds");
    let finished = contents(folder.path());
    let error = run(&args).expect_err("the pianist is there");
    assert!(matches!(error, TrainError::Resumable(_)));
    let message = error.to_string();
    for word in ["tiny.safetensors", "tiny.checkpoint", "--resume", "--output", "delete"] {
        assert!(message.contains(word), "{message} lacks {word}");
    }
    assert_eq!(contents(folder.path()), finished);

    std::fs::remove_file(&args.output).expect("a writable folder");
    assert!(matches!(run(&args), Err(TrainError::Resumable(_))), "the checkpoint alone is as precious");
}

#[test]
fn a_pianist_without_its_checkpoint_is_not_begun_anew() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut args = arguments(folder.path(), 0.005);
    run(&args).expect("the first run succeeds");
    std::fs::remove_file(folder.path().join("tiny.checkpoint")).expect("a checkpoint");
    let finished = contents(folder.path());
    for resume in [true, false] {
        args.resume = resume;
        let message = run(&args).expect_err("the pianist is there").to_string();
        let advice = format!("--from {} --output OTHER", args.output.display());
        assert!(message.contains(&advice), "{message}");
        assert_eq!(contents(folder.path()), finished);
    }
}

#[test]
fn one_command_with_resume_begins_and_goes_on() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let args = TrainArgs { resume: true, ..arguments(folder.path(), 0.005) };
    run(&args).expect("nothing is there, so it begins");
    run(&args).expect("all is done, so there is nothing to do");
    Pianist::read_file(&args.output).expect("a pianist");
}

#[test]
fn resuming_keeps_what_the_card_command_wrote() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut args = arguments(folder.path(), 0.01);
    run(&args).expect("the first part succeeds");
    let mut pianist = Pianist::read_file(&args.output).expect("a pianist");
    let first = pianist.card.training.clone();
    pianist.card.data = "my own waltzes".to_owned();
    pianist.card.licence = "CC BY 4.0".to_owned();
    pianist.card.notes = "Slow ones only.".to_owned();
    pianist.write_file(&args.output).expect("a writable folder");
    (args.resume, args.minutes) = (true, 0.05);
    run(&args).expect("the second part succeeds");
    let card = Pianist::read_file(&args.output).expect("a pianist").card;
    assert!(card.training.notes > first.notes, "the pianist was replaced by a better one");
    assert_eq!((card.data.as_str(), card.licence.as_str()), ("my own waltzes", "CC BY 4.0"));
    assert_eq!(card.notes, "Slow ones only.");
    let page = std::fs::read_to_string(folder.path().join("tiny.md")).expect("a page");
    assert!(page.contains("CC BY 4.0"), "{page}");
}

#[test]
fn a_pianist_that_began_as_another_keeps_its_licence_and_names_its_music() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut args = arguments(folder.path(), 0.01);
    run(&args).expect("the first run succeeds");
    let mut pianist = Pianist::read_file(&args.output).expect("a pianist");
    pianist.card.data = "my own waltzes".to_owned();
    pianist.card.licence = "Non-commercial.".to_owned();
    pianist.write_file(&args.output).expect("a writable folder");
    for (name, from) in [("as-pianist", "tiny.safetensors"), ("as-checkpoint", "tiny.checkpoint")] {
        args.output = folder.path().join(name).with_extension("safetensors");
        args.from = Some(folder.path().join(from));
        run(&args).expect("the second run succeeds");
        let card = Pianist::read_file(&args.output).expect("a pianist").card;
        assert!(
            card.licence.contains("`tiny`") && card.licence.contains("Non-commercial."),
            "{}",
            card.licence
        );
        assert!(card.notes.contains("`tiny`") && card.notes.contains("my own waltzes"), "{}", card.notes);
        assert!(card.data.starts_with("2 performances"), "{}", card.data);
    }
}

#[test]
fn resuming_with_more_music_says_how_much_there_is_now() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut args = arguments(folder.path(), 0.01);
    run(&args).expect("the first part succeeds");
    let first = Pianist::read_file(&args.output).expect("a pianist").card;
    write_corpus_to_measure_on(folder.path(), &etude(64));
    (args.resume, args.minutes) = (true, 0.05);
    run(&args).expect("the second part succeeds");
    let second = Pianist::read_file(&args.output).expect("a pianist").card;
    assert!(second.training.notes > first.training.notes, "the pianist was replaced by a better one");
    assert_ne!(second.split, first.split);
}

#[test]
fn a_draft_card_says_which_validation_pieces_are_trained_on_too() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let args = arguments(folder.path(), 0.005);
    run(&args).expect("the run succeeds");
    let split = Pianist::read_file(&args.output).expect("a pianist").card.split;
    assert!(split.contains("the pieces of 1 of them are in the training data"), "{split}");
    assert!(!split.contains("other pieces"), "{split}");
}

#[test]
fn a_pianist_has_a_pianists_name_and_never_the_corpus() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut args = arguments(folder.path(), 0.005);
    let corpus = std::fs::read(&args.corpus).expect("a corpus");
    args.output = args.corpus.clone();
    assert!(matches!(run(&args), Err(TrainError::Name(_))));
    args.output = folder.path().join("tiny.checkpoint");
    assert!(matches!(run(&args), Err(TrainError::Name(_))));
    for name in ["music.safetensors", "music.csv"] {
        let here = folder.path().join(name);
        std::fs::write(&here, &corpus).expect("a writable folder");
        args.output = folder.path().join(".").join("music.safetensors");
        args.corpus = here.clone();
        assert!(matches!(run(&args), Err(TrainError::OverCorpus(_))), "{name}");
        assert_eq!(std::fs::read(&here).expect("a corpus"), corpus);
    }
}

#[test]
fn a_network_whose_file_nothing_could_read_is_refused_before_it_is_trained() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut args = arguments(folder.path(), 1.0);
    (args.layers, args.hidden) = (3, 2560);
    let message = run(&args).expect_err("too large a network").to_string();
    assert!(message.contains("--layers") && message.contains("--hidden"), "{message}");
    assert!(!folder.path().join("tiny.csv").exists());
}

#[test]
fn an_argument_out_of_range_is_named() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut args = arguments(folder.path(), 1.0);
    args.layers = 0;
    let error = run(&args).expect_err("no layers");
    assert!(error.to_string().contains("--layers"));
}

#[test]
fn faithful_passages_are_in_their_own_key_and_others_in_all() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let corpus = Corpus::open(&write_corpus(folder.path())).expect("a corpus");
    let keys = |faithfulness| {
        let mut deck = Deck::new(&corpus, Alphabet::Notes, Pedals::Both, 0, 5);
        let pitch_classes = |_| {
            let passage = deck.next_passage(faithfulness).expect("there is music");
            passage.look_ahead().expect("it sounds").1.map(f32::to_bits)
        };
        (0..100).map(pitch_classes).collect::<HashSet<_>>().len()
    };
    assert_eq!((keys(1.0), keys(0.0)), (1, 12));
}

#[test]
fn the_loss_of_a_passage_does_not_depend_on_what_is_measured_beside_it() {
    let blueprint = Alphabet::Notes.blueprint(2, 12);
    let kernel = Kernel::best(Precision::F32);
    let network = Network::new(&blueprint, initial_parameters(&blueprint, 3), kernel);
    let passage = |bars, pedal| Passage::new(Alphabet::Notes, TimeBase::Beats, &etude(bars), &[], pedal);
    let set = || vec![passage(3, Pedal::Keep), passage(30, Pedal::Fold), passage(1, Pedal::Fold)];
    let together = measure(&blueprint, &network, kernel, 2, set());
    let alone: Vec<_> =
        set().into_iter().map(|passage| measure(&blueprint, &network, kernel, 1, vec![passage])).collect();
    let sum: f64 = alone.iter().flat_map(|loss| &loss.nats).sum();
    let all: f64 = together.nats.iter().sum();
    assert!((sum - all).abs() < 1e-3 * sum, "{all} together, {sum} alone");
    assert_eq!(together.notes, 34 * 8);
    assert_eq!(alone.iter().map(|loss| loss.steps).sum::<usize>(), together.steps);
}

#[test]
#[cfg(not(feature = "cuda"))]
fn a_device_that_this_build_lacks_is_refused_with_the_way_to_get_it() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let arguments = TrainArgs { device: Device::Cuda, ..arguments(folder.path(), 0.01) };
    let message = run(&arguments).expect_err("no such device").to_string();
    assert!(message.contains("--features cuda"), "{message}");
}
