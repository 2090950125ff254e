//! Which performances play the same piece.
//!
//! A phrase is six pitches in a row. Two performances of a piece share many phrases, however they are played; other
//! music shares few, once the phrases that everything shares (scales, trills, repeated notes) are left aside.

use etude_pianist::note::Performance;
use rayon::prelude::*;

use super::reading::Music;

/// A phrase's fingerprint.
pub type Phrase = u32;

/// Pitches in a phrase.
const PHRASE: usize = 6;
/// Notes struck within this time of the first, in seconds, are a chord, whose order is chance.
const CHORD: f64 = 0.05;
/// How many phrases, of all files together, are compared; above that, a fair sample of each file's. Enough for
/// some hundred phrases of each of several thousand files.
const MOST_PHRASES: usize = 1 << 21;
/// Phrases that more performances than this have in common say nothing about the piece.
const COMMON: usize = 128;
/// The part of the phrases of the shorter one that two performances of one piece share at least.
const SHARED: f64 = 0.08;

/// The phrases of a performance in seconds.
pub fn phrases(performance: &Performance<f64>) -> Vec<Phrase> {
    let mut pitches = Vec::with_capacity(performance.notes.len());
    for chord in performance.notes.chunk_by(|a, b| b.onset - a.onset < CHORD) {
        let start = pitches.len();
        pitches.extend(chord.iter().map(|note| note.key.midi()));
        pitches[start..].sort_unstable();
    }
    let mut phrase = 0;
    let with_last = pitches.into_iter().map(|pitch| {
        phrase = (phrase << 7 | u64::from(pitch)) & ((1 << (7 * PHRASE)) - 1);
        fingerprint(phrase)
    });
    with_last.skip(PHRASE - 1).collect()
}

/// The number of the piece that each performance plays, counted from 0 in the order of their first performances.
pub fn group(music: &[Music]) -> Vec<u32> {
    let postings = sample(music);
    let mut phrases_of = vec![Vec::new(); music.len()];
    let runs: Vec<&[u64]> =
        postings.chunk_by(|a, b| a >> 32 == b >> 32).filter(|run| run.len() <= COMMON).collect();
    for run in &runs {
        run.iter().for_each(|posting| phrases_of[*posting as u32 as usize].push(*run));
    }
    let related: Vec<Vec<usize>> =
        (0..music.len()).into_par_iter().map(|index| relatives(index, &phrases_of)).collect();
    let mut union = Union::new(music.len());
    for (index, relatives) in related.iter().enumerate() {
        relatives.iter().for_each(|&other| union.join(index, other));
    }
    union.numbers()
}

/// A fingerprint of pitches of 7 bits each.
fn fingerprint(pitches: u64) -> Phrase {
    // A multiplication by an odd constant spreads all bits into the upper half.
    (pitches.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32) as Phrase
}

/// Phrases (upper half) with the performances (lower half) that have them, sorted, each pair once.
fn sample(music: &[Music]) -> Vec<u64> {
    let total: usize = music.iter().map(|music| music.phrases.len()).sum();
    let one_in = total.div_ceil(MOST_PHRASES).max(1) as Phrase;
    let mut postings: Vec<u64> = music
        .par_iter()
        .enumerate()
        .flat_map_iter(|(index, music)| {
            let sampled = music.phrases.iter().filter(move |&&phrase| phrase % one_in == 0);
            sampled.map(move |&phrase| u64::from(phrase) << 32 | index as u64)
        })
        .collect();
    postings.par_sort_unstable();
    postings.dedup();
    postings
}

/// The earlier performances of the same piece.
fn relatives(index: usize, phrases_of: &[Vec<&[u64]>]) -> Vec<usize> {
    let mut shared = vec![0usize; index];
    for run in &phrases_of[index] {
        for other in run.iter().map(|&posting| posting as u32 as usize).take_while(|&other| other < index) {
            shared[other] += 1;
        }
    }
    let own = phrases_of[index].len();
    let enough = |other: usize| shared[other] as f64 >= SHARED * own.min(phrases_of[other].len()) as f64;
    (0..index).filter(|&other| shared[other] > 0 && enough(other)).collect()
}

/// Sets of numbers that grow together.
struct Union(Vec<usize>);

impl Union {
    fn new(size: usize) -> Union {
        Union((0..size).collect())
    }

    fn join(&mut self, a: usize, b: usize) {
        let (a, b) = (self.root(a), self.root(b));
        self.0[a.max(b)] = a.min(b);
    }

    fn root(&mut self, mut a: usize) -> usize {
        while self.0[a] != a {
            self.0[a] = self.0[self.0[a]];
            a = self.0[a];
        }
        a
    }

    /// The set of each, numbered from 0 in the order of their first members.
    fn numbers(mut self) -> Vec<u32> {
        let mut numbers = vec![0; self.0.len()];
        let mut next = 0;
        for index in 0..self.0.len() {
            // A root is the smallest of its set, so it has its number already.
            let root = self.root(index);
            numbers[index] = if root == index { next } else { numbers[root] };
            next += u32::from(root == index);
        }
        numbers
    }
}
