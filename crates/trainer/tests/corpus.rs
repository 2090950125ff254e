//! The corpus file: what goes in comes out, and nothing that is no corpus gets in.

use std::fs;
use std::path::PathBuf;

use etude_pianist::alphabet::Alphabet;
use etude_pianist::note::{Key, Note, PedalChange, Performance, Velocity};
use etude_pianist::time::{Bar, TimeBase};
use etude_trainer::corpus::{self, Corpus, CorpusError, Draft, Packed, Split, TooLong};
use proptest::collection::vec;
use proptest::prelude::*;
use tempfile::TempDir;

fn note(onset: f64, duration: f64, key: usize) -> Note<f64> {
    Note { onset, duration, key: Key::from_index(key).unwrap(), velocity: Velocity::new(64) }
}

fn draft(name: &str, split: Split, packed: Packed) -> Draft {
    Draft { name: name.to_owned(), split, piece: 7, packed }
}

/// A corpus of one performance in seconds for training, in a folder that must be kept as long as the path is used.
fn written(performance: &Performance<f64>) -> (TempDir, PathBuf) {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("one.corpus");
    let packed = Packed::new(performance, &[], TimeBase::Seconds).unwrap();
    corpus::write(&path, Alphabet::Notes, TimeBase::Seconds, &[draft("a.mid", Split::Train, packed)])
        .unwrap();
    (folder, path)
}

fn read_back(performance: &Performance<f64>) -> Performance<f64> {
    let (_folder, path) = written(performance);
    Corpus::open(&path).unwrap().performance(Split::Train, 0).unwrap().performance()
}

#[test]
fn a_corpus_tells_what_was_written_into_it() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("two.corpus");
    let bars =
        [Bar { start: 0.0, numerator: 4, denominator: 4 }, Bar { start: 8.0, numerator: 3, denominator: 8 }];
    let waltz = Performance { notes: vec![note(5.0, 2.5, 40), note(9.0, 1.0, 44)], pedal: vec![] };
    let march = Performance { notes: vec![note(0.0, 1.0, 30)], pedal: vec![] };
    let drafts = [
        draft("waltz.mid", Split::Train, Packed::new(&waltz, &bars, TimeBase::Beats).unwrap()),
        draft("sub/märz.mid", Split::Valid, Packed::new(&march, &bars[..1], TimeBase::Beats).unwrap()),
    ];
    corpus::write(&path, Alphabet::Events, TimeBase::Beats, &drafts).unwrap();

    let corpus = Corpus::open(&path).unwrap();
    assert_eq!((corpus.alphabet(), corpus.time_base()), (Alphabet::Events, TimeBase::Beats));
    assert_eq!(corpus.performances(Split::Train).len(), 1);
    let train = corpus.performance(Split::Train, 0).unwrap();
    assert_eq!((train.name(), train.piece(), train.note_count()), ("waltz.mid", 7, 2));
    // Its first note is in the second bar, which therefore starts at 0.
    assert_eq!(train.performance().notes, [note(1.0, 2.5, 40), note(5.0, 1.0, 44)]);
    assert_eq!(train.bars(), [bars[0], Bar { start: 4.0, ..bars[1] }]);
    assert_eq!(train.duration(), 6.0);
    let valid = corpus.performance(Split::Valid, 0).unwrap();
    assert_eq!(valid.name(), "sub/märz.mid");
    assert_eq!(valid.performance(), march);
}

#[test]
fn a_performance_in_seconds_starts_with_its_first_note() {
    let late = Performance { notes: vec![note(3.0, 1.0, 40)], pedal: vec![] };
    assert_eq!(read_back(&late).notes, [note(0.0, 1.0, 40)]);
}

#[test]
fn the_pedal_before_the_first_note_is_as_it_is_when_that_is_struck() {
    let pedal = [(0.5, true), (1.0, false), (2.0, true), (4.0, false)];
    let pedal = pedal.map(|(time, down)| PedalChange { time, down }).to_vec();
    let played = Performance { notes: vec![note(3.0, 1.0, 40)], pedal };
    let kept = [PedalChange { time: 0.0, down: true }, PedalChange { time: 1.0, down: false }];
    assert_eq!(read_back(&played).pedal, kept);
}

#[test]
fn a_silence_of_hours_is_kept() {
    let sparse = Performance { notes: vec![note(0.0, 1.0, 40), note(20_000.0, 1.0, 44)], pedal: vec![] };
    assert_eq!(read_back(&sparse), sparse);
}

#[test]
fn a_performance_of_more_than_a_day_is_refused() {
    let endless = Performance { notes: vec![note(0.0, 1.0, 40), note(200_000.0, 1.0, 44)], pedal: vec![] };
    assert_eq!(Packed::new(&endless, &[], TimeBase::Seconds).unwrap_err(), TooLong);
}

#[test]
fn a_missing_file_is_named() {
    let error = Corpus::open("no/such.corpus".as_ref()).unwrap_err();
    assert!(matches!(error, CorpusError::Io { .. }));
    assert!(error.to_string().contains("no/such.corpus"));
}

#[test]
fn a_corpus_cut_off_anywhere_is_refused() {
    let (_folder, path) = written(&Performance { notes: vec![note(0.0, 1.0, 40)], pedal: vec![] });
    let whole = fs::read(&path).unwrap();
    for length in 0..whole.len() {
        fs::write(&path, &whole[..length]).unwrap();
        assert!(matches!(Corpus::open(&path), Err(CorpusError::Damaged { .. })), "cut to {length} bytes");
    }
}

#[test]
fn a_failed_write_leaves_the_older_corpus_alone() {
    let (folder, path) = written(&Performance { notes: vec![note(0.0, 1.0, 40)], pedal: vec![] });
    let packed = Packed::new(&Performance::default(), &[], TimeBase::Seconds).unwrap();
    let unwritable = draft(&"long/".repeat(20_000), Split::Train, packed);
    let error = corpus::write(&path, Alphabet::Notes, TimeBase::Seconds, &[unwritable]).unwrap_err();
    assert!(matches!(error, CorpusError::TooLarge { .. }));
    assert_eq!(Corpus::open(&path).unwrap().performances(Split::Train).len(), 1);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

fn performances() -> impl Strategy<Value = Performance<f64>> {
    let notes = vec((0u32..100_000, 1u32..20_000, 0usize..88, 1u8..=127), 1..60);
    let pedal = vec(0u32..100_000, 0..20);
    (notes, pedal).prop_map(|(notes, pedal)| {
        let mut notes: Vec<_> = notes
            .into_iter()
            .map(|(onset, duration, key, velocity)| Note {
                velocity: Velocity::new(velocity),
                ..note(onset.into(), duration.into(), key)
            })
            .collect();
        notes.sort_by(|a, b| a.onset.total_cmp(&b.onset).then(a.key.cmp(&b.key)));
        let start = notes[0].onset;
        let mut pedal: Vec<_> = pedal.into_iter().filter(|&time| f64::from(time) > start).collect();
        pedal.sort_unstable();
        let pedal = pedal
            .into_iter()
            .enumerate()
            .map(|(index, time)| PedalChange { time: f64::from(time), down: index % 2 == 0 })
            .collect();
        Performance { notes, pedal }.map_time(|time| (time - start) / 1000.0)
    })
}

proptest! {
    #[test]
    fn performances_come_back_to_the_tenth_of_a_tick(performance in performances()) {
        let back = read_back(&performance);
        prop_assert_eq!(back.notes.len(), performance.notes.len());
        for (back, note) in back.notes.iter().zip(&performance.notes) {
            prop_assert_eq!((back.key, back.velocity), (note.key, note.velocity));
            prop_assert!((back.onset - note.onset).abs() < 1e-9);
            prop_assert!((back.duration - note.duration).abs() < 1e-9);
        }
        prop_assert_eq!(back.pedal.len(), performance.pedal.len());
        for (back, change) in back.pedal.iter().zip(&performance.pedal) {
            prop_assert_eq!(back.down, change.down);
            prop_assert!((back.time - change.time).abs() < 1e-9);
        }
    }

    #[test]
    fn a_damaged_corpus_is_refused_or_read_without_panic(
        performance in performances(),
        damage in vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
    ) {
        let (_folder, path) = written(&performance);
        let mut bytes = fs::read(&path).unwrap();
        for (index, byte) in damage {
            let position = index.index(bytes.len());
            bytes[position] = byte;
        }
        fs::write(&path, &bytes).unwrap();
        if let Ok(corpus) = Corpus::open(&path) {
            for entry in corpus.performances(Split::Train).chain(corpus.performances(Split::Valid)) {
                prop_assert_eq!(entry.performance().notes.len(), entry.note_count());
                let _ = (entry.name(), entry.bars(), entry.duration());
            }
        }
    }

    #[test]
    fn bytes_that_are_no_corpus_are_refused(bytes in vec(any::<u8>(), 0..200)) {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("noise.corpus");
        fs::write(&path, &bytes).unwrap();
        let refused = matches!(Corpus::open(&path), Err(CorpusError::Damaged { .. }));
        prop_assert!(refused);
    }
}
