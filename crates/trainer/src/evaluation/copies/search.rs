//! The longest passage that composed music has in common with the music it was learnt from.
//!
//! A passage is a sequence of pitches, in any transposition, rhythm and dynamics, so what is compared are the steps
//! from each pitch to the next. The keys of a chord count from low to high, as nobody strikes them all at once.
//!
//! The composed clips, short beside a corpus, become a suffix automaton (Blumer et al., "The smallest automaton
//! recognizing the subwords of a text", 1985): it follows any music note by note and knows at each one how much of
//! what was just heard occurs in a clip. So a corpus of millions of notes is searched in one pass.

use std::cmp::Reverse;

use etude_pianist::note::Note;
use rayon::prelude::*;

use super::automaton::{Automaton, Place};
use crate::corpus::{Corpus, Entry, Split};

/// Notes that follow one another faster than this, in seconds or quarter notes, are a chord. It lies between the
/// lines of the tick grids, so that rounding doesn't decide.
const CHORD: f64 = 0.0455;

/// Stands between clips; no two keys are so far apart.
const BREAK: i8 = i8::MAX;

/// A passage that stands in a clip and in other music.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Match {
    /// How many notes it has, at least 2.
    pub notes: usize,
    /// Index of the clip.
    pub clip: usize,
    /// When it begins in the clip, in the clip's unit.
    pub clip_onset: f64,
    /// When it begins in the other music, in that music's unit.
    pub source_onset: f64,
    /// How much higher it is in the clip, in half steps.
    pub transposition: i32,
}

/// A passage of a clip that stands in a corpus.
#[derive(Debug, Clone, PartialEq)]
pub struct Passage {
    /// Name of the performance in the corpus.
    pub source: String,
    /// The passage and where it is.
    pub found: Match,
}

/// The longest passage of any clip that stands in a training performance of `corpus`; `None` if nothing does.
pub fn longest_copy<'a>(
    clips: impl IntoIterator<Item = &'a [Note<f64>]>,
    corpus: &Corpus,
) -> Option<Passage> {
    let clips = Clips::new(clips);
    let entries: Vec<Entry> = corpus.performances(Split::Train).collect();
    let search = |entry: &Entry| clips.longest_match(&entry.performance().notes);
    let found = entries.par_iter().enumerate().filter_map(|(i, entry)| Some((search(entry)?, i)));
    let longest = found.max_by_key(|(found, i)| (found.notes, Reverse(*i)));
    longest.map(|(found, i)| Passage { source: entries[i].name().to_owned(), found })
}

/// Clips in which other music can be looked for.
pub struct Clips {
    automaton: Automaton,
    /// For each interval of the automaton's text, the note it starts from, and its clip.
    starts: Vec<(usize, Note<f64>)>,
}

impl Clips {
    /// Prepares clips for [`Clips::longest_match`]; notes are sorted by onset.
    pub fn new<'a>(clips: impl IntoIterator<Item = &'a [Note<f64>]>) -> Clips {
        let (mut automaton, mut starts) = (Automaton::new(), Vec::new());
        for (clip, notes) in clips.into_iter().enumerate().filter(|(_, notes)| !notes.is_empty()) {
            let line = line(notes);
            line.windows(2).for_each(|pair| automaton.push(interval(pair)));
            automaton.push(BREAK);
            starts.extend(line.into_iter().map(|note| (clip, note)));
        }
        Clips { automaton, starts }
    }

    /// The longest passage of `notes`, sorted by onset, that stands in a clip; the first of several.
    pub fn longest_match(&self, notes: &[Note<f64>]) -> Option<Match> {
        let line = line(notes);
        let mut place = Place::default();
        let (mut longest, mut end) = (Place::default(), 0);
        for (i, pair) in line.windows(2).enumerate() {
            self.automaton.follow(&mut place, interval(pair));
            if place.length > longest.length {
                (longest, end) = (place, i);
            }
        }
        if longest.length == 0 {
            return None;
        }
        let source = line[end + 1 - longest.length];
        let (clip, note) = self.starts[self.automaton.start(longest)];
        Some(Match {
            notes: longest.length + 1,
            clip,
            clip_onset: note.onset,
            source_onset: source.onset,
            transposition: note.key.index() as i32 - source.key.index() as i32,
        })
    }
}

/// The notes one after another, those of a chord from low to high.
fn line(notes: &[Note<f64>]) -> Vec<Note<f64>> {
    let mut line = notes.to_vec();
    for chord in line.chunk_by_mut(|one, next| next.onset - one.onset < CHORD) {
        chord.sort_by_key(|note| note.key);
    }
    line
}

/// Half steps from one note up to the next.
fn interval(pair: &[Note<f64>]) -> i8 {
    (pair[1].key.index() as i32 - pair[0].key.index() as i32) as i8
}

#[cfg(test)]
mod tests {
    use super::*;
    use etude_pianist::note::{Key, Velocity};
    use proptest::prelude::*;

    fn note(onset: f64, midi: u8) -> Note<f64> {
        Note { onset, duration: 0.1, key: Key::from_midi(midi).unwrap(), velocity: Velocity::new(64) }
    }

    /// Notes a quarter of a unit apart from `start` on.
    fn melody(start: f64, pitches: &[u8]) -> Vec<Note<f64>> {
        pitches.iter().enumerate().map(|(i, &midi)| note(start + i as f64 / 4.0, midi)).collect()
    }

    /// The longest match by trying every pair of places.
    fn by_trying_all(one: &[u8], other: &[u8]) -> usize {
        let steps = |pitches: &[u8]| pitches.windows(2).map(|w| i32::from(w[1]) - i32::from(w[0])).collect();
        let (one, other): (Vec<i32>, Vec<i32>) = (steps(one), steps(other));
        let agree = |i: usize, j: usize| one[i..].iter().zip(&other[j..]).take_while(|(a, b)| a == b).count();
        let places = (0..one.len()).flat_map(|i| (0..other.len()).map(move |j| (i, j)));
        places.map(|(i, j)| agree(i, j)).max().unwrap_or(0)
    }

    const THEME: [u8; 9] = [60, 67, 65, 64, 72, 71, 62, 63, 70];

    #[test]
    fn a_transposed_theme_is_found_where_it_stands() {
        let clip = melody(0.0, &[40, 41, 60, 67, 65, 64, 72, 71, 62, 63, 70, 50]);
        let mut music = melody(0.0, &[30, 90, 31, 89]);
        music.extend(melody(100.0, &THEME.map(|midi| midi - 5)));
        let found = Clips::new([&clip[..0], &clip]).longest_match(&music).unwrap();
        let expected = Match { notes: 9, clip: 1, clip_onset: 0.5, source_onset: 100.0, transposition: 5 };
        assert_eq!(found, expected);
    }

    #[test]
    fn neither_rhythm_nor_the_order_within_a_chord_hides_a_copy() {
        let clip = [note(0.0, 48), note(0.0, 64), note(0.0, 67), note(1.0, 50), note(2.0, 65), note(2.0, 71)];
        let rolled =
            [note(0.0, 67), note(0.02, 48), note(0.03, 64), note(0.6, 50), note(0.8, 71), note(0.83, 65)];
        assert_eq!(Clips::new([&clip[..]]).longest_match(&rolled).map(|found| found.notes), Some(6));
    }

    #[test]
    fn other_music_has_little_in_common() {
        let clip = melody(0.0, &THEME);
        let found = Clips::new([&clip[..]]).longest_match(&melody(0.0, &[60, 61, 80, 61, 62, 81])).unwrap();
        assert_eq!(found.notes, 2);
        assert_eq!(Clips::new([&clip[..]]).longest_match(&melody(0.0, &[60, 60, 60])), None);
        assert_eq!(Clips::new([&clip[..]]).longest_match(&[]), None);
        assert_eq!(Clips::new([]).longest_match(&clip), None);
    }

    #[test]
    fn a_passage_does_not_run_on_from_one_clip_into_the_next() {
        let whole = melody(0.0, &THEME);
        let found = Clips::new([&whole[..5], &whole[5..]]).longest_match(&whole).unwrap();
        assert_eq!((found.notes, found.clip), (5, 0));
    }

    proptest! {
        #[test]
        fn the_longest_match_is_as_long_as_trying_all_places_says(
            one in prop::collection::vec(60u8..63, 0..40),
            other in prop::collection::vec(60u8..63, 0..40),
        ) {
            let clip = melody(0.0, &one);
            let found = Clips::new([&clip[..]]).longest_match(&melody(0.0, &other));
            let intervals = found.map_or(0, |found| found.notes - 1);
            prop_assert_eq!(intervals, by_trying_all(&one, &other));
            if let Some(found) = found {
                let start = |onset: f64| (onset * 4.0) as usize;
                for i in 0..found.notes {
                    let above = i32::from(one[start(found.clip_onset) + i]) - found.transposition;
                    prop_assert_eq!(above, i32::from(other[start(found.source_onset) + i]));
                }
            }
        }
    }
}
