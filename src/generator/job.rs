//! An order being met, step by step.

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::Arc;
use std::time::{Duration, Instant};

use etude_pianist::composer::{self, MAX_QUARTERS, Request, RequestError};
use etude_pianist::engine::Engine;
use etude_pianist::note::Performance;
use thiserror::Error;

use super::bars::{join, only};
use super::opening;
use super::work::Work;
use super::{Kept, Order};
use crate::handover::{GeneratorEnd, Status};
use crate::params::Mode;
use crate::pianists::EngineError;
use crate::take::{Place, Take};
use crate::ticks::{nearest_tick, quarters};

/// How far an endless take is composed ahead of the playhead, in quarter notes: enough for the slowest machines and the
/// fastest tempi, and still near enough to hear a knob turned.
const AHEAD: f64 = 32.0;

/// How much of it is left when composing goes on.
const RESERVE: f64 = 24.0;

/// How much of a take is handed over first, in quarter notes; more follows by the bar.
const FIRST_PART: f64 = 1.0;

/// The longest part that follows, in quarter notes, however long a bar is: a generator that is far enough ahead sleeps
/// with less than this in hand.
const LONGEST_PART: f64 = AHEAD - RESERVE;

/// Why an order can't be met.
#[derive(Debug, Error)]
pub(super) enum OrderError {
    #[error(transparent)]
    Pianist(#[from] EngineError),
    #[error(transparent)]
    Request(#[from] RequestError),
}

/// A take in the making.
pub(super) struct Job {
    number: u64,
    place: Place,
    request: Request,
    /// What is kept of another take, and what was composed of the stretches before.
    done: Performance<f64>,
    /// The bars that are kept.
    kept: Vec<Range<u32>>,
    /// The bars that are still to be composed, after those at work.
    missing: VecDeque<Range<u32>>,
    work: Option<Work>,
    ideas: u32,
    /// The other takes of a choice, once there are any.
    others: Vec<Arc<Take>>,
    /// Whether any of it was handed over.
    begun: bool,
    /// Up to where the take must be decided before it is handed over again.
    next_part: f64,
    pace: Pace,
    device: String,
    /// Why the device that was asked for does not compose, if another had to.
    warning: Option<String>,
}

/// How fast steps are made.
#[derive(Default)]
struct Pace {
    steps: u32,
    time: Duration,
}

impl Job {
    /// Begins to meet `order`, and hands it over if nothing is missing. `ready` is the pianist that composed last, and
    /// becomes the one that composes now.
    pub(super) fn new(
        number: u64,
        order: Order,
        ready: &mut Option<Arc<dyn Engine>>,
        end: &mut GeneratorEnd,
    ) -> Result<Job, OrderError> {
        let Order { pianist, device, place, mut request, keep, ideas } = order;
        let bar = request.time_signature.quarters_per_bar();
        if place.mode == Mode::Endless {
            request.bars = (MAX_QUARTERS / bar) as u32;
        }
        let missing = missing(keep.as_ref(), request.bars);
        let (done, kept) = keep.map_or_else(Default::default, |kept| {
            let music = kept.take.music();
            (only(&music.performance, &kept.bars, bar, f64::INFINITY), kept.bars)
        });
        let mut job = Job {
            number,
            place,
            request,
            done,
            kept,
            missing,
            work: None,
            ideas: if place.mode == Mode::Endless { 1 } else { ideas.max(1) },
            others: Vec::new(),
            begun: false,
            next_part: 0.0,
            pace: Pace::default(),
            device: String::new(),
            warning: None,
        };
        if !job.missing.is_empty() {
            let engine;
            (engine, job.warning) = opening::engine(&pianist, &device, job.ideas as usize, end)?;
            job.go_on(ready.insert(engine).clone())?;
            job.next_part = job.first_part(end);
        } else {
            job.hand_over(end);
        }
        Ok(job)
    }

    /// Whether it is time to compose more, the player being at the host's tick `playhead`.
    pub(super) fn wants_step(&self, playhead: i64) -> bool {
        let far_enough = match self.place.mode {
            Mode::Loop => f64::INFINITY,
            Mode::Endless => quarters(playhead.saturating_sub(self.place.anchor).max(0)) + AHEAD,
        };
        // What is kept may go beyond that: there must be something to hand over.
        self.work.is_some() && (!self.begun || self.decided() < far_enough)
    }

    /// Composes one step, so that an end comes soon when it is asked for, and hands over what is worth it. `true` if it
    /// did.
    pub(super) fn step(&mut self, end: &mut GeneratorEnd) -> bool {
        let Some(work) = &mut self.work else { return false };
        let begun = Instant::now();
        work.composer.step(f64::INFINITY);
        self.pace.add(begun.elapsed());
        if let Some(error) = work.composer.failure().filter(|_| self.warning.is_none()) {
            self.warning = Some(format!("{error}; the processor went on"));
            self.device = work.composer.device().to_owned();
        }
        if work.composer.is_complete() {
            self.finish_bars();
        }
        let worth_it = self.work.is_none() || (self.ideas == 1 && self.decided() >= self.next_part);
        if worth_it {
            let bar = self.request.time_signature.quarters_per_bar();
            self.next_part = self.decided() + bar.min(LONGEST_PART);
            self.hand_over(end);
        }
        worth_it
    }

    /// Where the playhead may be without anything to do.
    pub(super) fn rest(&self) -> Range<i64> {
        if self.work.is_none() {
            return i64::MIN..i64::MAX;
        }
        i64::MIN..self.place.anchor + nearest_tick(self.decided() - RESERVE)
    }

    fn decided(&self) -> f64 {
        let all = self.request.quarters();
        self.work.as_ref().map_or(all, Work::decided)
    }

    /// How far the take must be before it is worth playing.
    fn first_part(&self, end: &GeneratorEnd) -> f64 {
        let playhead = end.playhead();
        let begin = self.work.as_ref().map_or(0.0, Work::start);
        let nothing_plays = playhead == i64::MIN || end.playing().is_none();
        match self.place.mode {
            _ if nothing_plays => begin + FIRST_PART,
            // Else it would be silent where the player is, until it is there.
            Mode::Loop => f64::INFINITY,
            Mode::Endless => {
                begin.max(quarters(playhead.saturating_sub(self.place.anchor).max(0))) + FIRST_PART
            }
        }
    }

    /// Begins the next bars that are missing.
    fn go_on(&mut self, engine: Arc<dyn Engine>) -> Result<(), RequestError> {
        let Some(bars) = self.missing.pop_front() else { return Ok(()) };
        let bar = self.request.time_signature.quarters_per_bar();
        let start = f64::from(bars.start) * bar;
        let before = only(&self.done, std::slice::from_ref(&(0..bars.start)), bar, start);
        let primer = if before.notes.is_empty() { self.request.primer.clone() } else { Some(before) };
        let work = Work::new(engine, Request { primer, ..self.request.clone() }, bars, self.ideas)?;
        self.device = work.composer.device().to_owned();
        self.work = Some(work);
        Ok(())
    }

    /// Adds the bars at work, which are complete, to what is done.
    fn finish_bars(&mut self) {
        let Some(work) = self.work.take() else { return };
        let mut takes = work.best_first(self.request.knobs.pedal).into_iter();
        let Some(best) = takes.next() else { return };
        self.request.seed = if self.ideas > 1 { best.seed } else { self.request.seed };
        self.others = takes.map(|music| Arc::new(self.place_take(music))).collect();
        join(&mut self.done, work.placed(&best.performance));
        // The request was met once already.
        let _ = self.go_on(work.engine);
    }

    fn hand_over(&mut self, end: &mut GeneratorEnd) {
        let take = self.take();
        let played = if std::mem::replace(&mut self.begun, true) { end.grow(take) } else { end.play(take) };
        let status = Status {
            order: self.number,
            take: Some(played),
            others: self.others.clone(),
            composing: self.work.is_some(),
            error: None,
            warning: self.warning.clone(),
            pace: self.pace.per_second(),
            device: self.device.clone(),
        };
        end.answer(self.number, status);
    }

    /// The take so far.
    fn take(&self) -> Take {
        let mut performance = self.done.clone();
        if let Some(work) = &self.work {
            let new = work.composer.takes().swap_remove(0);
            join(&mut performance, work.placed(&new.performance));
        }
        let Request { seed, tempo, time_signature, .. } = self.request;
        let quarters = self.request.quarters();
        let music = composer::Take { seed, tempo, time_signature, quarters, performance };
        Take::new(music, self.place, self.decided()).with_kept(self.kept.clone())
    }

    fn place_take(&self, music: composer::Take) -> Take {
        let decided = music.quarters;
        Take::new(music, self.place, decided)
    }
}

impl Pace {
    /// Steps before a pace is known.
    const ENOUGH: u32 = 20;

    fn add(&mut self, time: Duration) {
        self.steps += 1;
        self.time += time;
    }

    fn per_second(&self) -> Option<f64> {
        (self.steps >= Pace::ENOUGH).then(|| f64::from(self.steps) / self.time.as_secs_f64().max(1e-9))
    }
}

/// What is to be composed of `bars` bars.
fn missing(keep: Option<&Kept>, bars: u32) -> VecDeque<Range<u32>> {
    let mut missing = VecDeque::new();
    let mut next = 0;
    for kept in keep.iter().flat_map(|keep| &keep.bars) {
        let (start, end) = (kept.start.min(bars), kept.end.min(bars));
        if next < start {
            missing.push_back(next..start);
        }
        next = next.max(end);
    }
    if next < bars {
        missing.push_back(next..bars);
    }
    missing
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_kept_is_missing() {
        let take = composer::Take {
            seed: 0,
            tempo: 120.0,
            time_signature: Default::default(),
            quarters: 32.0,
            performance: Performance::default(),
        };
        let take = Arc::new(Take::new(take, Place { anchor: 0, mode: Mode::Loop }, 32.0));
        let kept = |bars| Kept { take: take.clone(), bars };
        assert_eq!(missing(None, 4), [Range { start: 0, end: 4 }]);
        assert_eq!(missing(Some(&kept(vec![0..2, 3..4])), 8), [2..3, 4..8]);
        assert_eq!(missing(Some(&kept(vec![1..2, 6..9])), 8), [0..1, 2..6]);
        assert!(missing(Some(&kept(vec![Range { start: 0, end: 9 }])), 8).is_empty());
    }
}
