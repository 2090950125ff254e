//! A take on the host's timeline: what is played, drawn and exported.
//!
//! Times are in whole [ticks](etude_pianist::midi::TICKS_PER_QUARTER) of a clip, counted from the project's start: what is
//! heard is what is exported, tick for tick.

mod before;

pub use before::Before;

use std::iter;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use etude_pianist::composer;
use etude_pianist::midi::{Action, Cue, cues};
use etude_pianist::note::{Key, Performance};

use crate::generator::bars::only;
use crate::manner::Manner;
use crate::params::Mode;
use crate::ticks::{nearest_tick, quarters};

/// Where a take lies on the host's timeline.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// The tick of its first bar. Before that, nothing is played.
    pub anchor: i64,
    /// What happens at its end.
    pub mode: Mode,
}

/// A generated piece and its place; immutable, so that threads can share it.
#[derive(Debug, Clone)]
pub struct Take {
    id: u64,
    music: Arc<composer::Take>,
    manner: Manner,
    /// The notes as played.
    played: Performance<f64>,
    place: Place,
    decided: f64,
    /// Bars that it has already, wherever it is composed up to; in order. Some may lie beyond its end.
    kept: Vec<Range<u32>>,
    cues: Vec<Cue>,
    /// When the pedal moves, and where to.
    pedal: Vec<(u32, bool)>,
    before: Option<Before>,
}

/// A stretch of a take that is played once, in a range of the host's ticks.
#[derive(Debug, Clone, Copy)]
pub struct Passage<'a> {
    /// The host's tick of the take's first bar.
    pub start: i64,
    /// What happens, in ticks from `start`.
    pub cues: &'a [Cue],
}

impl Take {
    /// The take of `music`, composed up to `decided` quarter notes from its start, played as it is.
    pub fn new(music: composer::Take, place: Place, decided: f64) -> Take {
        Take::in_manner_of(Arc::new(music), Manner::default(), place, decided)
    }

    /// The same music, played in another manner.
    pub fn in_manner(&self, manner: Manner) -> Take {
        let take = Take::in_manner_of(self.music.clone(), manner, self.place, self.decided);
        Take { kept: self.kept.clone(), ..take }
    }

    /// The same, which has some bars, in order, wherever it is composed up to.
    pub(crate) fn with_kept(self, kept: Vec<Range<u32>>) -> Take {
        Take { kept, ..self }
    }

    /// The same, begun by a player that comes from another take.
    pub fn after(self, before: Option<Before>) -> Take {
        Take { before, ..self }
    }

    fn in_manner_of(music: Arc<composer::Take>, manner: Manner, place: Place, decided: f64) -> Take {
        static TAKES: AtomicU64 = AtomicU64::new(0);
        let played = manner.play(&music.sounding(), music.time_signature, music.quarters);
        let cues = cues(&played);
        let pedal = cues.iter().filter_map(|cue| match cue.action {
            Action::Pedal(down) => Some((cue.tick, down)),
            _ => None,
        });
        let pedal = pedal.collect();
        let id = TAKES.fetch_add(1, Ordering::Relaxed);
        Take { id, music, manner, played, place, decided, kept: Vec::new(), cues, pedal, before: None }
    }

    /// A number that no other take of this process has.
    pub fn id(&self) -> u64 {
        self.id
    }

    /// What a player that was in it comes from; see [`Before::until`].
    pub fn before(&self) -> Option<&Before> {
        self.before.as_ref()
    }

    /// The notes as composed, in quarter notes from the take's first bar.
    pub fn music(&self) -> &composer::Take {
        &self.music
    }

    /// The notes as played, drawn and exported, in quarter notes from the take's first bar.
    pub fn played(&self) -> &Performance<f64> {
        &self.played
    }

    /// Whether a clip of it can be saved: one that repeats must be composed to its end, an endless one has to have a bar.
    pub fn has_clip(&self) -> bool {
        match self.place.mode {
            Mode::Loop => self.decided >= self.music.quarters,
            Mode::Endless => self.bars() > 0,
        }
    }

    /// What a clip of it holds, as played: all of it, or the whole bars that an endless take has so far. `None` if it
    /// [has none](Take::has_clip).
    pub fn clip(&self) -> Option<Performance<f64>> {
        let bars = 0..self.bars();
        let bar = self.music.time_signature.quarters_per_bar();
        let end = self.clip_quarters();
        self.has_clip().then(|| match self.place.mode {
            Mode::Loop => self.played.clone(),
            Mode::Endless => only(&self.played, &[bars], bar, end),
        })
    }

    /// Length of [its clip](Take::clip) in quarter notes: whole bars.
    pub fn clip_quarters(&self) -> f64 {
        match self.place.mode {
            Mode::Loop => self.music.quarters,
            Mode::Endless => f64::from(self.bars()) * self.music.time_signature.quarters_per_bar(),
        }
    }

    /// How it is played.
    pub fn manner(&self) -> Manner {
        self.manner
    }

    /// How many bars it has, as far as it is composed.
    pub fn bars(&self) -> u32 {
        self.bars_in(self.decided.min(self.music.quarters))
    }

    /// How many whole bars so many quarter notes are.
    fn bars_in(&self, quarters: f64) -> u32 {
        (quarters / self.music.time_signature.quarters_per_bar() + 1e-9) as u32
    }

    /// The runs of bars that it has: those that are composed, and those after them that were kept.
    pub(crate) fn runs(&self) -> Vec<Range<u32>> {
        let (composed, all) = (self.bars(), self.bars_in(self.music.quarters));
        let later = self.kept.iter().map(|run| run.start.max(composed)..run.end.min(all));
        iter::once(0..composed).chain(later).filter(|run| !run.is_empty()).collect()
    }

    /// Where it lies.
    pub fn place(&self) -> Place {
        self.place
    }

    /// Up to where it is composed, in quarter notes from its first bar.
    pub fn decided(&self) -> f64 {
        self.decided
    }

    /// Whether everything that the take has before the host's `tick` is composed.
    pub fn is_decided(&self, tick: i64) -> bool {
        let since = quarters(tick - self.place.anchor);
        self.decided >= since.min(self.music.quarters)
    }

    /// What is played in `range` of the host's ticks, in order: one passage, or one for each repetition.
    pub fn passages(&self, range: Range<i64>) -> impl Iterator<Item = Passage<'_>> {
        let length = self.length();
        let first = self.start_at(range.start).unwrap_or(self.place.anchor);
        let starts = (0..).map(move |repetition| first + repetition * length);
        starts.take_while(move |start| *start < range.end).map(move |start| {
            let end = range.end.min(start + length);
            let before = |tick: i64| self.cues.partition_point(|cue| start + i64::from(cue.tick) < tick);
            Passage { start, cues: &self.cues[before(range.start)..before(end)] }
        })
    }

    /// Whether the pedal is down just before the host's `tick`.
    pub fn pedal_before(&self, tick: i64) -> bool {
        self.start_at(tick).is_some_and(|start| {
            let later = self.pedal.partition_point(|change| start + i64::from(change.0) < tick);
            later > 0 && self.pedal[later - 1].1
        })
    }

    /// Whether `key`, struck at the host's tick `struck`, is struck then in this take too, and still down at `tick`.
    pub fn holds(&self, key: Key, struck: i64, tick: i64) -> bool {
        let Some(start) = self.start_at(struck).filter(|start| self.start_at(tick) == Some(*start)) else {
            return false;
        };
        let from = self.cues.partition_point(|cue| start + i64::from(cue.tick) < struck);
        let mut until_then = self.cues[from..].iter().take_while(|cue| start + i64::from(cue.tick) < tick);
        let strike = until_then.find(|cue| matches!(cue.action, Action::Strike(other, _) if other == key));
        strike.is_some_and(|cue| start + i64::from(cue.tick) == struck)
            && !until_then.any(|cue| cue.action == Action::Release(key))
    }

    /// The first of its bar lines after the host's `tick`; `None` before the anchor.
    pub(crate) fn bar_line_after(&self, tick: i64) -> Option<i64> {
        let start = self.start_at(tick)?;
        let bar = self.music.time_signature.quarters_per_bar();
        let bars = (quarters(tick - start) / bar).floor() + 1.0;
        Some(start + nearest_tick(bars * bar).min(self.length()))
    }

    /// The tick at which the repetition that plays at the host's `tick` begins; `None` before the anchor.
    fn start_at(&self, tick: i64) -> Option<i64> {
        let since = tick - self.place.anchor;
        (since >= 0).then(|| tick - since % self.length())
    }

    /// Ticks after which the take begins again, at least 1.
    fn length(&self) -> i64 {
        match self.place.mode {
            Mode::Loop => nearest_tick(self.music.quarters).max(1),
            // Beyond anything that a host counts, and far from overflow.
            Mode::Endless => i64::MAX / 4,
        }
    }
}
