//! Training passages: performances in random order, transposed, stretched and conditioned anew each time.

use etude_pianist::alphabet::{Alphabet, Pedal};
use etude_pianist::note::Performance;
use etude_pianist::time::TimeBase;
use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64Mcg;

use crate::corpus::{Corpus, Split};
use crate::passage::Passage;

/// Semitones down and up: every performance can be heard in all twelve keys.
const TRANSPOSITIONS: std::ops::RangeInclusive<i32> = -5..=6;
/// Performances in seconds are played up to this much slower or faster; those in beats have no tempo to change.
const STRETCH: f64 = 0.1;
/// Share of windows in which a knob's condition is on; it is off otherwise, as knobs are by default.
const CONDITION: f64 = 0.25;
/// Share of passages that are not told about their pedal, or their bars.
const WITHHOLD: f64 = 0.05;

/// How the sustain pedal of training passages is spelled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Pedals {
    /// As steps of its own.
    Keep,
    /// In note lengths.
    Fold,
    /// Either, at random.
    Both,
}

/// An endless supply of training passages for one thread.
pub struct Deck<'a> {
    corpus: &'a Corpus,
    alphabet: Alphabet,
    pedals: Pedals,
    random: Pcg64Mcg,
    order: Vec<usize>,
    /// Passages that still begin somewhere inside, so that streams that start together don't end together.
    inside: usize,
}

impl<'a> Deck<'a> {
    /// A deck of all training performances of `corpus`. The first `streams` passages begin somewhere inside.
    pub fn new(
        corpus: &'a Corpus,
        alphabet: Alphabet,
        pedals: Pedals,
        streams: usize,
        seed: u64,
    ) -> Deck<'a> {
        let random = Pcg64Mcg::seed_from_u64(seed);
        Deck { corpus, alphabet, pedals, random, order: Vec::new(), inside: streams }
    }

    /// The next passage, with probability `faithfulness` as it was played; `None` only if the corpus has no performance to
    /// train on.
    pub fn next_passage(&mut self, faithfulness: f64) -> Option<Passage> {
        if self.order.is_empty() {
            self.order = (0..self.corpus.performances(Split::Train).len()).collect();
            self.order.shuffle(&mut self.random);
        }
        let entry = self.corpus.performance(Split::Train, self.order.pop()?)?;
        let mut performance = entry.performance();
        if !self.random.random_bool(faithfulness) {
            performance = self.changed(performance);
        }
        let keep = match self.pedals {
            Pedals::Keep => true,
            Pedals::Fold => false,
            Pedals::Both => self.random.random_bool(0.5),
        };
        let pedal = if keep { Pedal::Keep } else { Pedal::Fold };
        let bars = entry.bars();
        let mut passage = Passage::new(self.alphabet, self.corpus.time_base(), &performance, &bars, pedal);
        if self.random.random_bool(WITHHOLD) {
            passage.conditions.pedal = None;
        }
        if self.random.random_bool(WITHHOLD) {
            passage.conditions.metre = None;
        }
        if self.inside > 0 {
            self.inside -= 1;
            passage.skip(self.random.random_range(0..passage.remaining().max(1)));
        }
        Some(passage)
    }

    /// A performance in another key, and at another speed if it has no beat.
    fn changed(&mut self, performance: Performance<f64>) -> Performance<f64> {
        let moved = performance.transposed(self.random.random_range(TRANSPOSITIONS)).unwrap_or(performance);
        match self.corpus.time_base() {
            TimeBase::Seconds => moved.stretched(self.random.random_range(1.0 - STRETCH..=1.0 + STRETCH)),
            TimeBase::Beats => moved,
        }
    }

    /// Turns each knob's condition on or off for the next window of a passage.
    pub fn condition(&mut self, passage: &mut Passage) {
        let (density, pitch_classes) =
            (self.random.random_bool(CONDITION), self.random.random_bool(CONDITION));
        let ahead = if density || pitch_classes { passage.look_ahead() } else { None };
        passage.conditions.density = ahead.filter(|_| density).map(|ahead| ahead.0);
        passage.conditions.pitch_classes = ahead.filter(|_| pitch_classes).map(|ahead| ahead.1);
    }
}
