//! `prepare`, from folders of MIDI files to a corpus.

use std::fs;
use std::path::{Path, PathBuf};

use etude_pianist::alphabet::Alphabet;
use etude_pianist::midi::{self, Clip};
use etude_pianist::note::{Key, Note, PedalChange, Performance, Velocity};
use etude_pianist::time::{Bar, TimeBase, TimeSignature};
use etude_trainer::corpus::{Corpus, Entry, Split};
use etude_trainer::prepare::{PrepareArgs, PrepareError, Reason, Report, prepare};
use tempfile::TempDir;

/// Folders of MIDI files, and what becomes of them.
struct Studio(TempDir);

impl Studio {
    fn new() -> Studio {
        Studio(TempDir::new().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn put(&self, name: &str, contents: impl AsRef<[u8]>) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, contents).unwrap();
    }

    /// Writes a performance in quarter notes at 120 a minute.
    fn record(&self, name: &str, performance: Performance<f64>) {
        let time_signature = TimeSignature::new(3, 4).unwrap();
        self.put(
            name,
            midi::write(&Clip {
                name: name.to_owned(),
                tempo: 120.0,
                time_signature,
                quarters: 0.0,
                performance,
            }),
        );
    }

    fn args(&self, time_base: TimeBase) -> PrepareArgs {
        PrepareArgs {
            input: vec![self.path("in")],
            valid: vec![],
            alphabet: Alphabet::Notes,
            time_base,
            output: self.path("out.corpus"),
        }
    }

    fn prepare(&self) -> (Corpus, Report) {
        let report = prepare(&self.args(TimeBase::Seconds)).unwrap();
        (Corpus::open(&self.path("out.corpus")).unwrap(), report)
    }
}

/// Numbers as good as chance, the same each time.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }
}

/// Piece number `piece` as played by player number `player`, who has a tempo and a touch of their own.
fn played(piece: u64, player: u64) -> Performance<f64> {
    let mut melody = Dice(piece * 1000 + 1);
    let mut hands = Dice(player * 77 + piece + 5);
    let tempo = 0.8 + player as f64 / 10.0;
    let mut onset = 0.0;
    let notes = (0..200).map(|_| {
        onset += tempo * (0.25 + hands.below(20) as f64 / 1000.0);
        Note {
            onset,
            duration: tempo * 0.2,
            key: Key::from_index(20 + melody.below(40) as usize).unwrap(),
            velocity: Velocity::new(40 + hands.below(50) as u8),
        }
    });
    Performance { notes: notes.collect(), pedal: vec![] }
}

fn names(corpus: &Corpus, split: Split) -> Vec<String> {
    corpus.performances(split).map(|entry| entry.name().to_owned()).collect()
}

fn skipped(report: &Report) -> Vec<(&str, Reason)> {
    report.skipped().iter().map(|skipped| (skipped.name.as_str(), skipped.reason)).collect()
}

fn all(corpus: &Corpus) -> Vec<Entry<'_>> {
    corpus.performances(Split::Train).chain(corpus.performances(Split::Valid)).collect()
}

#[test]
fn notes_and_pedal_come_back_in_seconds() {
    let studio = Studio::new();
    let mut performance = played(1, 1);
    performance.pedal = vec![PedalChange { time: 2.0, down: true }, PedalChange { time: 4.0, down: false }];
    let first = performance.notes[0].onset;
    studio.record("in/a.mid", performance.clone());
    let (corpus, _) = studio.prepare();
    let back = corpus.performance(Split::Train, 0).unwrap().performance();
    assert_eq!(back.notes.len(), performance.notes.len());
    for (back, note) in back.notes.iter().zip(&performance.notes) {
        assert_eq!((back.key, back.velocity), (note.key, note.velocity));
        assert!((back.onset - (note.onset - first) / 2.0).abs() < 0.002);
    }
    assert!(back.pedal[0].down && (back.pedal[0].time - (2.0 - first) / 2.0).abs() < 0.002);
    assert!(!back.pedal[1].down);
}

#[test]
fn midi_files_are_found_in_any_folder_and_spelling_and_nothing_else() {
    let studio = Studio::new();
    studio.record("in/b/DEEP/x.MID", played(1, 1));
    studio.record("in/a.midi", played(2, 1));
    studio.put("in/notes.txt", "no music");
    let (corpus, report) = studio.prepare();
    let mut names: Vec<_> = all(&corpus).iter().map(|entry| entry.name().to_owned()).collect();
    names.sort();
    assert_eq!(names, ["a.midi", "b/DEEP/x.MID"]);
    assert!(report.skipped().is_empty());
}

#[test]
fn the_same_notes_under_another_name_and_resolution_are_left_out() {
    let studio = Studio::new();
    studio.record("in/a.mid", played(1, 1));
    studio.record("in/b.mid", played(1, 1));
    // The same in seconds, from other ticks.
    let Performance { notes, .. } = played(1, 1).stretched(1.5);
    let clip = Clip {
        name: String::new(),
        tempo: 180.0,
        time_signature: TimeSignature::COMMON,
        quarters: 0.0,
        performance: Performance { notes, pedal: vec![] },
    };
    studio.put("in/c.mid", midi::write(&clip));
    studio.record("in/d.mid", played(2, 1));
    let (corpus, report) = studio.prepare();
    assert_eq!(skipped(&report), [("b.mid", Reason::Duplicate), ("c.mid", Reason::Duplicate)]);
    assert_eq!(all(&corpus).len(), 2);
}

#[test]
fn an_excerpt_of_another_file_is_left_out() {
    let studio = Studio::new();
    let mut recital = played(1, 1);
    let end = recital.last_event() + 10.0;
    recital.notes.extend(played(2, 1).map_time(|time| time + end).notes);
    studio.record("in/a.mid", played(2, 1));
    studio.record("in/recital.mid", recital);
    let (corpus, report) = studio.prepare();
    assert_eq!(skipped(&report), [("a.mid", Reason::Duplicate)]);
    assert_eq!(names(&corpus, Split::Train), ["recital.mid"]);
}

#[test]
fn another_performance_of_a_piece_is_no_copy() {
    let studio = Studio::new();
    (0..4).for_each(|player| studio.record(&format!("in/{player}.mid"), played(1, player)));
    let (corpus, report) = studio.prepare();
    assert!(report.skipped().is_empty());
    assert_eq!(corpus.performances(Split::Train).len(), 4, "a single piece stays in training");
}

#[test]
fn no_piece_is_both_trained_and_validated_on() {
    let studio = Studio::new();
    for piece in 0..30 {
        for player in 0..=piece % 3 {
            studio.record(&format!("in/{player}/{piece}.mid"), played(piece, player));
        }
    }
    let (corpus, _) = studio.prepare();
    let piece = |name: &str| name.split_once('/').unwrap().1.to_owned();
    let train: Vec<_> = names(&corpus, Split::Train).iter().map(|name| piece(name)).collect();
    let valid: Vec<_> = names(&corpus, Split::Valid).iter().map(|name| piece(name)).collect();
    assert!(!valid.is_empty() && valid.len() <= 3);
    assert!(valid.iter().all(|piece| !train.contains(piece)));

    let mut numbers: Vec<_> = all(&corpus).iter().map(|entry| (piece(entry.name()), entry.piece())).collect();
    numbers.sort();
    numbers.dedup();
    assert_eq!(numbers.len(), 30, "each piece has one number of its own");
}

#[test]
fn the_split_depends_on_neither_names_nor_chance() {
    let split = |name: fn(u64) -> String| {
        let studio = Studio::new();
        (0..25).for_each(|piece| studio.record(&name(piece), played(piece, 1)));
        let (corpus, _) = studio.prepare();
        let first_keys =
            |entry: Entry| entry.performance().notes[..5].iter().map(|note| note.key).collect::<Vec<_>>();
        let mut valid: Vec<_> = corpus.performances(Split::Valid).map(first_keys).collect();
        valid.sort();
        (valid, fs::read(studio.path("out.corpus")).unwrap())
    };
    let (forward, bytes) = split(|piece| format!("in/{piece:02}.mid"));
    let (backward, _) = split(|piece| format!("in/{:02}.mid", 99 - piece));
    assert_eq!(forward, backward);
    assert_eq!(bytes, split(|piece| format!("in/{piece:02}.mid")).1);
}

#[test]
fn a_folder_to_validate_on_is_taken_as_it_is_and_its_duplicates_leave_training() {
    let studio = Studio::new();
    (0..3).for_each(|piece| studio.record(&format!("in/{piece}.mid"), played(piece, 1)));
    studio.record("mine/x.mid", played(2, 1));
    studio.record("mine/y.mid", played(1, 2));
    let args = PrepareArgs { valid: vec![studio.path("mine")], ..studio.args(TimeBase::Seconds) };
    let report = prepare(&args).unwrap();
    let corpus = Corpus::open(&args.output).unwrap();
    assert_eq!(names(&corpus, Split::Train), ["0.mid", "1.mid"]);
    assert_eq!(names(&corpus, Split::Valid), ["x.mid", "y.mid"]);
    assert_eq!(skipped(&report), [("2.mid", Reason::Duplicate)]);
    assert!(report.to_string().contains("1 piece is in both"), "{report}");
}

#[test]
fn what_is_left_out_is_told_with_its_name_and_reason() {
    let studio = Studio::new();
    studio.record("in/good.mid", played(1, 1));
    studio.put("in/broken.mid", "not MIDI at all");
    studio.put("in/empty.mid", "");
    let scrap = Performance { notes: played(2, 1).notes[..15].to_vec(), pedal: vec![] };
    studio.record("in/scrap.mid", scrap);
    let (_, report) = studio.prepare();
    let expected = [
        ("broken.mid", Reason::Unreadable),
        ("empty.mid", Reason::Unreadable),
        ("scrap.mid", Reason::TooShort),
    ];
    assert_eq!(skipped(&report), expected);
    let text = report.to_string();
    assert!(text.contains("Left out 2: can't be read, or not as MIDI\n  broken.mid: "), "{text}");
    assert!(text.contains("scrap.mid: 15 notes"), "{text}");
    assert_eq!(text.matches("broken.mid").count(), 1, "{text}");
}

#[test]
fn every_file_that_is_left_out_is_named() {
    let studio = Studio::new();
    studio.record("in/good.mid", played(1, 1));
    (0..25).for_each(|i| studio.put(&format!("in/broken-{i}.mid"), "not MIDI at all"));
    let text = studio.prepare().1.to_string();
    assert!((0..25).all(|i| text.contains(&format!("  broken-{i}.mid: "))), "{text}");
}

const ONE_PIECE: &str = "All of it is one piece";

#[test]
fn music_is_called_one_piece_where_it_is_one_and_nowhere_else() {
    let studio = Studio::new();
    studio.put("in/broken.mid", "not MIDI at all");
    let nothing = prepare(&studio.args(TimeBase::Seconds)).unwrap_err().to_string();
    assert!(!nothing.contains(ONE_PIECE), "{nothing}");
    studio.record("in/a.mid", played(1, 1));
    studio.record("in/b.mid", played(1, 2));
    let one = studio.prepare().1.to_string();
    assert!(one.contains(ONE_PIECE), "{one}");
    studio.record("in/c.mid", played(2, 1));
    let two = studio.prepare().1.to_string();
    assert!(!two.contains(ONE_PIECE), "{two}");
}

#[test]
fn a_folder_to_validate_on_without_music_is_an_error_that_names_what_is_wrong_with_it() {
    let studio = Studio::new();
    studio.record("in/a.mid", played(1, 1));
    fs::create_dir(studio.path("mine")).unwrap();
    let args = PrepareArgs { valid: vec![studio.path("mine")], ..studio.args(TimeBase::Seconds) };
    assert!(matches!(prepare(&args), Err(PrepareError::NothingToValidate(_))));
    studio.put("mine/broken.mid", "not MIDI at all");
    let error = prepare(&args).unwrap_err().to_string();
    assert!(error.contains("--valid") && error.contains("broken.mid"), "{error}");
    assert!(!error.contains(ONE_PIECE), "{error}");
    assert!(!args.output.exists());
}

#[test]
fn a_corpus_never_replaces_music_that_it_is_made_of() {
    let studio = Studio::new();
    studio.record("in/a.mid", played(1, 1));
    studio.record("mine/b.mid", played(2, 1));
    let before = ["in/a.mid", "mine/b.mid"].map(|name| fs::read(studio.path(name)).unwrap());
    for name in ["in/a.mid", "in/../in/a.mid", "mine/b.mid"] {
        let valid = vec![studio.path("mine")];
        let args = PrepareArgs { valid, output: studio.path(name), ..studio.args(TimeBase::Seconds) };
        let error = prepare(&args).unwrap_err().to_string();
        assert!(error.contains(name) && error.contains("--output"), "{error}");
    }
    assert_eq!(["in/a.mid", "mine/b.mid"].map(|name| fs::read(studio.path(name)).unwrap()), before);
}

#[test]
fn a_corpus_that_can_not_be_written_is_told_before_anything_is_read() {
    let studio = Studio::new();
    studio.put("in/broken.mid", "not MIDI at all");
    let args = PrepareArgs { output: studio.path("no/such/out.corpus"), ..studio.args(TimeBase::Seconds) };
    let error = prepare(&args).unwrap_err();
    assert!(matches!(error, PrepareError::Corpus(_)) && error.to_string().contains("no/such"), "{error}");
}

#[test]
#[cfg(unix)]
fn links_that_lead_nowhere_or_in_a_circle_are_told_and_the_rest_is_read() {
    let studio = Studio::new();
    studio.record("in/good.mid", played(1, 1));
    std::os::unix::fs::symlink("nowhere", studio.path("in/gone.mid")).unwrap();
    std::os::unix::fs::symlink(".", studio.path("in/loop")).unwrap();
    let (corpus, report) = studio.prepare();
    assert_eq!(names(&corpus, Split::Train), ["good.mid"]);
    assert_eq!(skipped(&report), [("gone.mid", Reason::Unreadable), ("loop", Reason::Unreadable)]);
}

#[test]
fn beats_come_from_the_tempo_map_where_nothing_else_is_known() {
    let studio = Studio::new();
    let performance = played(1, 2);
    studio.record("in/a.mid", performance.clone());
    prepare(&studio.args(TimeBase::Beats)).unwrap();
    let corpus = Corpus::open(&studio.path("out.corpus")).unwrap();
    let entry = corpus.performance(Split::Train, 0).unwrap();
    assert_eq!(entry.bars(), [Bar { start: 0.0, numerator: 3, denominator: 4 }]);
    assert!((entry.performance().notes[0].onset - performance.notes[0].onset).abs() < 0.005);
}

#[test]
fn beats_written_down_beside_a_file_count_more_than_its_tempo_map() {
    let studio = Studio::new();
    // At 120 a minute the beats below are 0.75 s = 1.5 of the file's quarter notes long.
    let performance = played(1, 1);
    let beats = |line: fn(usize) -> String| (0..400).map(line).collect::<String>();
    studio.record("in/pop/pop.mid", performance.clone());
    studio.put(
        "in/pop/beat_midi.txt",
        beats(|beat| format!("{} {} {}\n", beat as f64 * 0.75, (beat % 2 == 0) as u8, (beat % 4 == 0) as u8)),
    );
    studio.record("in/asap/b.mid", played(2, 1));
    studio.put(
        "in/asap/b_annotations.txt",
        beats(|beat| {
            let time = beat as f64 * 0.75;
            let label = if beat % 2 == 0 { "db,2/4,0" } else { "b" };
            format!("{time}\t{time}\t{label}\n")
        }),
    );
    prepare(&studio.args(TimeBase::Beats)).unwrap();
    let corpus = Corpus::open(&studio.path("out.corpus")).unwrap();
    let entries = all(&corpus);
    let find = |name| entries.iter().find(|entry| entry.name() == name).unwrap();
    assert_eq!(find("pop/pop.mid").bars(), [Bar { start: 0.0, numerator: 4, denominator: 4 }]);
    let first = find("pop/pop.mid").performance().notes[0].onset;
    assert!((first - performance.notes[0].onset / 1.5).abs() < 0.005);
    assert_eq!(find("asap/b.mid").bars(), [Bar { start: 0.0, numerator: 2, denominator: 4 }]);
}

#[test]
fn damaged_beats_are_told_and_the_file_is_left_out() {
    let studio = Studio::new();
    studio.record("in/a.mid", played(1, 1));
    studio.record("in/b/b.mid", played(2, 1));
    studio.put("in/b/beat_midi.txt", "soon\n");
    let report = prepare(&studio.args(TimeBase::Beats)).unwrap();
    assert_eq!(skipped(&report), [("b/b.mid", Reason::BadBeats)]);
    assert!(report.to_string().contains("beat_midi.txt"), "{report}");
}

#[test]
fn folders_without_music_leave_an_older_corpus_alone() {
    let studio = Studio::new();
    fs::create_dir(studio.path("in")).unwrap();
    studio.put("out.corpus", "older");
    let error = prepare(&studio.args(TimeBase::Seconds)).unwrap_err();
    assert!(matches!(error, PrepareError::Nothing(_)));
    assert_eq!(fs::read(studio.path("out.corpus")).unwrap(), b"older");
}

#[test]
fn a_folder_that_is_not_there_is_named() {
    let args = Studio::new().args(TimeBase::Seconds);
    let error = prepare(&args).unwrap_err();
    let missing: &Path = &args.input[0];
    assert!(error.to_string().contains(missing.to_str().unwrap()), "{error}");
}
