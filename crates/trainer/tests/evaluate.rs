//! `evaluate` through its public door, with tiny untrained pianists and made-up music.

use std::fs;
use std::path::{Path, PathBuf};

use etude_pianist::alphabet::{Alphabet, Conditions, Metre, Pedal, Step};
use etude_pianist::card::Card;
use etude_pianist::engine::{CpuEngine, Engine, Precision};
use etude_pianist::midi::{self, Clip};
use etude_pianist::model_file::Pianist;
use etude_pianist::note::{Key, Note, PedalChange, Performance, Velocity};
use etude_pianist::time::{Bar, TimeBase, TimeSignature};
use etude_trainer::card::{self, CardArgs};
use etude_trainer::corpus::{self, Draft, Packed, Split};
use etude_trainer::evaluation::{self, EvaluateArgs, EvaluateError};
use etude_trainer::weights::initial_parameters;
use rand::RngExt;
use tempfile::TempDir;

/// A folder with a pianist and a folder of music, deleted at the end.
struct Studio(TempDir);

impl Studio {
    fn new(alphabet: Alphabet, base: TimeBase, pieces: &[Performance<f64>]) -> Studio {
        let studio = Studio(TempDir::new().unwrap());
        let parameters = initial_parameters(&alphabet.blueprint(2, 8), 1);
        let pianist = Pianist::new(alphabet, base, 2, 8, parameters, Card::default());
        pianist.write_file(studio.path("pianist.safetensors")).unwrap();
        fs::create_dir(studio.path("music")).unwrap();
        for (i, piece) in pieces.iter().enumerate() {
            let clip = Clip {
                name: "made up".to_owned(),
                tempo: TEMPO,
                time_signature: TimeSignature::COMMON,
                quarters: 0.0,
                performance: piece.clone(),
            };
            fs::write(studio.path(&format!("music/{i}.mid")), midi::write(&clip)).unwrap();
        }
        studio
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn pianist(&self) -> Pianist {
        Pianist::read_file(self.path("pianist.safetensors")).unwrap()
    }

    fn args(&self, pedal: Pedal) -> EvaluateArgs {
        EvaluateArgs {
            model: self.path("pianist.safetensors"),
            data: vec![self.path("music")],
            corpus: None,
            pedal,
            precision: Precision::F32,
            compare: 0,
            training_corpus: None,
            json: true,
        }
    }
}

/// Quarter notes per minute of all files.
const TEMPO: f64 = 150.0;

/// Music of `count` notes by chance, in quarter notes from 0, with the pedal going down and up. All of it is on the
/// grid of 1/24, on which a corpus changes nothing; the pedal beside it, so that no release is at a press.
fn piece(seed: u64, count: usize) -> Performance<f64> {
    let mut random = rand_pcg::Pcg64Mcg::new(u128::from(seed) << 1 | 1);
    let mut onset = 0.0;
    let mut note = || {
        let key = Key::from_index(random.random_range(20..70)).unwrap();
        let velocity = Velocity::new(random.random_range(20..120));
        let note = Note { onset, duration: f64::from(random.random_range(2..48u8)) / 24.0, key, velocity };
        onset += f64::from(random.random_range(0..8u8)) / 6.0;
        note
    };
    let notes: Vec<_> = (0..count).map(|_| note()).collect();
    let pedal =
        (0..count / 4).map(|i| PedalChange { time: i as f64 * 1.5 + 0.13, down: i % 2 == 0 }).collect();
    Performance { notes, pedal }
}

/// The nats of a file, step by step with the engine that plays.
fn nats_played(pianist: &Pianist, file: &Path, pedal: Pedal) -> f64 {
    let recording = midi::read_file(file).unwrap();
    let base = pianist.time_base;
    let performance = match base {
        TimeBase::Seconds => recording.performance,
        TimeBase::Beats => recording.performance.map_time(|seconds| recording.beat_map.to_quarters(seconds)),
    };
    let performance = if pedal == Pedal::Fold { performance.fold_pedal() } else { performance };
    let steps = pianist.alphabet.encode(&performance.quantise(base));
    let metre = (base == TimeBase::Beats).then(|| Metre::regular(4 * 24));
    let conditions = Conditions { pedal: Some(pedal), metre, ..Conditions::default() };

    let engine = CpuEngine::new(pianist.clone(), Precision::F32);
    let mut batch = engine.batch(1).unwrap();
    let mut context = pianist.alphabet.context();
    let mut nats = 0.0;
    for Step(symbols) in steps {
        context.begin();
        context.listen(&conditions, batch.input_row(0));
        batch.advance(&[0]).unwrap();
        while let Some(head) = context.asks() {
            context.read(&conditions, batch.head_row(head, 0));
            batch.head(head, &[0]).unwrap();
            let logits: Vec<f64> = batch.logits(0).iter().map(|&x| f64::from(x)).collect();
            let sum: f64 = logits.iter().map(|x| x.exp()).sum();
            nats += sum.ln() - logits[usize::from(symbols[head])];
            context.choose(symbols[head]);
        }
    }
    nats
}

#[test]
fn the_loss_is_what_the_playing_engine_is_surprised_by_whatever_is_heard_beside_it() {
    // Of different lengths, so that streams end and begin at different windows.
    let pieces: Vec<_> = [40, 200, 16, 90].iter().zip(1..).map(|(&count, seed)| piece(seed, count)).collect();
    for (alphabet, base, pedal) in [
        (Alphabet::Notes, TimeBase::Seconds, Pedal::Keep),
        (Alphabet::Notes, TimeBase::Beats, Pedal::Fold),
        (Alphabet::Events, TimeBase::Seconds, Pedal::Fold),
        (Alphabet::Events, TimeBase::Beats, Pedal::Keep),
    ] {
        let studio = Studio::new(alphabet, base, &pieces);
        let report = evaluation::evaluate(&studio.args(pedal)).unwrap();
        let file = |i: usize| studio.path(&format!("music/{i}.mid"));
        let pianist = studio.pianist();
        let nats: f64 = (0..pieces.len()).map(|i| nats_played(&pianist, &file(i), pedal)).sum();
        let measured = report.nats_per_note * report.notes as f64;
        assert!((measured / nats - 1.0).abs() < 1e-5, "{alphabet} {base}: {measured} is not {nats}");
        assert!((measured / report.steps as f64 - report.nats_per_step).abs() < 1e-9);
        for precision in [Precision::Bf16, Precision::Int8] {
            let coarser = evaluation::evaluate(&EvaluateArgs { precision, ..studio.args(pedal) }).unwrap();
            assert_eq!((coarser.notes, coarser.steps), (report.notes, report.steps));
            let change = coarser.nats_per_note / report.nats_per_note - 1.0;
            assert!(change != 0.0 && change.abs() < 0.01, "{precision} changes it by {change}");
        }
        let by_attribute: f64 =
            report.loss_by_attribute.iter().map(|attribute| attribute.nats_per_note).sum();
        assert!((by_attribute - report.nats_per_note).abs() < 1e-9, "the attributes add up");
        assert_eq!(report.files, pieces.len());
    }
}

#[test]
fn seconds_are_those_of_the_spelled_music_or_of_the_recordings() {
    let mut music = piece(7, 30);
    music.pedal.clear();
    for base in [TimeBase::Seconds, TimeBase::Beats] {
        let report =
            evaluation::evaluate(&Studio::new(Alphabet::Notes, base, &[music.clone()]).args(Pedal::Keep));
        let seconds = report.unwrap().seconds.unwrap();
        let expected = music.last_event() * 60.0 / TEMPO;
        assert!((seconds - expected).abs() < 0.011, "{base}: {seconds} is not {expected}");
    }
}

#[test]
fn a_report_in_json_has_all_that_was_measured() {
    let studio = Studio::new(Alphabet::Notes, TimeBase::Beats, &[piece(3, 500)]);
    let args = EvaluateArgs { compare: 2, ..studio.args(Pedal::Fold) };
    let report = evaluation::evaluate(&args).unwrap();
    let json = serde_json::to_value(&report).unwrap();
    for key in [
        "files",
        "notes",
        "seconds",
        "steps",
        "nats_per_step",
        "nats_per_note",
        "nats_per_second",
        "velocity_overlap",
        "inter_onset_overlap",
    ] {
        assert!(json[key].is_number(), "{key} is {}", json[key]);
    }
    for key in ["pitch_class_entropy", "scale_consistency", "polyphony", "note_density", "longest_rest"] {
        for source in ["generated", "human"] {
            assert!(json[key][source]["mean"].is_number(), "{key} is {}", json[key]);
        }
    }
    for source in ["generated", "human"] {
        assert!(json["returning_bars"][source].is_number());
    }
    let attributes: Vec<_> = json["loss_by_attribute"].as_object().unwrap().keys().collect();
    assert_eq!(attributes, ["duration", "key", "shift", "velocity"]);
    assert_eq!(json["stretches"]["generated"], 8);
    assert!(json["longest_copied_passage"].is_null(), "there is no training corpus");
    assert!(report.to_string().contains("notes per quarter"));
}

#[test]
fn music_that_is_in_the_training_corpus_is_found_there_in_another_key() {
    let studio = Studio::new(Alphabet::Notes, TimeBase::Beats, &[piece(3, 500)]);
    let heard = midi::read_file(studio.path("music/0.mid")).unwrap();
    let quarters = heard.performance.map_time(|seconds| heard.beat_map.to_quarters(seconds));
    let packed = |performance| Packed::new(performance, heard.beat_map.bars(), TimeBase::Beats).unwrap();
    let draft = |name: &str, performance| Draft {
        name: name.to_owned(),
        split: Split::Train,
        piece: 0,
        packed: packed(performance),
    };
    let training = studio.path("training.corpus");
    let drafts = [draft("other.mid", &piece(4, 300)), draft("same.mid", &quarters.transposed(3).unwrap())];
    corpus::write(&training, Alphabet::Notes, TimeBase::Beats, &drafts).unwrap();

    let args = EvaluateArgs { compare: 1, training_corpus: Some(training), ..studio.args(Pedal::Keep) };
    let copied = evaluation::evaluate(&args).unwrap().longest_copied_passage.unwrap();
    let human = copied.human.unwrap();
    assert!(human.notes > 300, "{human:?}");
    assert_eq!((human.source.as_str(), human.transposition), ("same.mid", -3));
    assert!(copied.generated.is_none_or(|generated| generated.notes < 10));
}

/// A training corpus with one other piece.
fn write_training_corpus(path: &Path, base: TimeBase) {
    let bars = [Bar::new(0.0, TimeSignature::COMMON)];
    let packed = Packed::new(&piece(4, 300), &bars, base).unwrap();
    let draft = Draft { name: "other.mid".to_owned(), split: Split::Train, piece: 0, packed };
    corpus::write(path, Alphabet::Notes, base, &[draft]).unwrap();
}

#[test]
fn where_no_human_piece_is_as_long_as_a_take_nothing_is_said_of_human_copies() {
    let studio = Studio::new(Alphabet::Notes, TimeBase::Beats, &[piece(3, 100)]);
    let training = studio.path("training.corpus");
    write_training_corpus(&training, TimeBase::Beats);
    let args = EvaluateArgs { compare: 1, training_corpus: Some(training), ..studio.args(Pedal::Keep) };
    let report = evaluation::evaluate(&args).unwrap();
    assert_eq!(report.longest_copied_passage.as_ref().unwrap().human_excerpts, 0);
    let text = report.to_string();
    assert!(
        text.contains("No human piece is as long as a take") && !text.contains("as much human"),
        "{text}"
    );

    let evaluation = studio.path("evaluation.json");
    fs::write(&evaluation, serde_json::to_string(&report).unwrap()).unwrap();
    let model = studio.path("pianist.safetensors");
    let (data, licence, split, notes) = (None, None, None, None);
    card::run(&CardArgs { model, data, licence, split, notes, evaluation: Some(evaluation) }).unwrap();
    let copied = studio.pianist().card.copied.unwrap();
    assert!(copied.contains("takes") && !copied.contains("human"), "{copied}");
}

#[test]
fn as_many_human_excerpts_are_searched_as_takes_where_there_are_as_many_pieces() {
    let pieces: Vec<_> = (0..5).map(|seed| piece(seed, 500)).collect();
    let studio = Studio::new(Alphabet::Notes, TimeBase::Beats, &pieces);
    let training = studio.path("training.corpus");
    write_training_corpus(&training, TimeBase::Beats);
    for (compare, excerpts) in [(4, 4), (6, 5)] {
        let training_corpus = Some(training.clone());
        let args = EvaluateArgs { compare, training_corpus, ..studio.args(Pedal::Keep) };
        let copies = evaluation::evaluate(&args).unwrap().longest_copied_passage.unwrap();
        assert_eq!(copies.human_excerpts, excerpts, "beside {compare} takes");
    }
}

#[test]
fn what_can_not_be_compared_is_told_before_the_music_is_heard() {
    let studio = Studio::new(Alphabet::Notes, TimeBase::Beats, &[]);
    // There is no music to hear: an error about anything else came before.
    let refusal = |args: EvaluateArgs| evaluation::evaluate(&args).unwrap_err();
    let refused = refusal(EvaluateArgs { compare: 65, ..studio.args(Pedal::Keep) });
    assert!(matches!(refused, EvaluateError::Compose(_)) && refused.to_string().contains("65"), "{refused}");
    let with_corpus =
        |path: PathBuf| EvaluateArgs { training_corpus: Some(path), compare: 1, ..studio.args(Pedal::Keep) };
    assert!(matches!(refusal(with_corpus(studio.path("none.corpus"))), EvaluateError::Corpus(_)));
    let seconds = studio.path("seconds.corpus");
    write_training_corpus(&seconds, TimeBase::Seconds);
    assert!(matches!(refusal(with_corpus(seconds)), EvaluateError::TimeBase { .. }));
}

#[test]
fn a_file_that_is_no_music_is_named_and_left_out() {
    let studio = Studio::new(Alphabet::Notes, TimeBase::Seconds, &[piece(5, 20)]);
    let alone = evaluation::evaluate(&studio.args(Pedal::Keep)).unwrap();
    fs::write(studio.path("music/broken.mid"), b"MThd and no more").unwrap();
    let report = evaluation::evaluate(&studio.args(Pedal::Keep)).unwrap();
    assert_eq!((report.files, report.skipped.len()), (1, 1));
    assert_eq!(report.nats_per_note, alone.nats_per_note);
    assert!(report.to_string().contains("broken.mid"));
    let json = serde_json::to_value(&report).unwrap();
    assert!(json["skipped"][0].as_str().unwrap().contains("broken.mid"));

    fs::remove_file(studio.path("music/0.mid")).unwrap();
    let error = evaluation::evaluate(&studio.args(Pedal::Keep)).unwrap_err();
    assert!(matches!(error, EvaluateError::Nothing(_)));
    assert!(error.to_string().contains("broken.mid"), "{error}");
}

#[test]
fn a_corpus_in_another_time_base_is_refused() {
    let studio = Studio::new(Alphabet::Notes, TimeBase::Seconds, &[]);
    let path = studio.path("beats.corpus");
    corpus::write(&path, Alphabet::Notes, TimeBase::Beats, &[]).unwrap();
    let args = EvaluateArgs { data: vec![], corpus: Some(path), ..studio.args(Pedal::Keep) };
    assert!(matches!(evaluation::evaluate(&args), Err(EvaluateError::TimeBase { .. })));
}
