//! An order being met, step by step.

use etude_pianist::composer::{self, Composer, MAX_QUARTERS, RequestError};
use etude_pianist::midi::TICKS_PER_QUARTER;
use etude_pianist::model_file::PianistFileError;
use etude_pianist::note::{Note, PedalChange, Performance};
use thiserror::Error;

use super::Order;
use crate::handover::GeneratorEnd;
use crate::pianists;
use crate::take::{Mode, Place, Take};

/// How far an endless take is composed ahead of the playhead, in quarter notes: enough for the slowest machines and the
/// fastest tempi, and still near enough to hear a knob turned.
const AHEAD: f64 = 32.0;

/// How much of it is left when composing goes on.
const RESERVE: f64 = 24.0;

/// How much of a take is handed over first, in quarter notes; more follows by the bar.
const FIRST_PART: f64 = 1.0;

/// Why an order can't be met.
#[derive(Debug, Error)]
pub(super) enum OrderError {
    #[error(transparent)]
    Pianist(#[from] PianistFileError),
    #[error(transparent)]
    Request(#[from] RequestError),
}

/// A take in the making.
pub(super) struct Job {
    number: u64,
    place: Place,
    composer: Composer,
    /// What is kept of another take, before `seam`.
    kept: Performance<f64>,
    /// Where the composer's first bar lies, in quarter notes from the take's.
    seam: f64,
    bar: f64,
    /// Up to where the take must be decided before it is handed over again.
    next_part: f64,
}

impl Job {
    /// Begins to meet `order`.
    pub(super) fn new(number: u64, order: Order) -> Result<Job, OrderError> {
        let Order { pianist, place, mut request, after } = order;
        let engine = pianists::engine(&pianist)?;
        let bar = request.time_signature.quarters_per_bar();
        if place.mode == Mode::Endless {
            request.bars = (MAX_QUARTERS / bar) as u32;
        }
        let (mut kept, mut seam) = (Performance::default(), 0.0);
        if let Some((take, bars)) = after {
            seam = f64::from(bars) * take.music().time_signature.quarters_per_bar();
            kept = beginning(&take.music().performance, seam);
            request.bars = request.bars.saturating_sub(bars);
            request.primer = Some(kept.clone());
        }
        let composer = Composer::new(engine, &[request])?;
        Ok(Job { number, place, composer, kept, seam, bar, next_part: seam + FIRST_PART })
    }

    /// Whether it is time to compose more, the player being at the host's tick `playhead`.
    pub(super) fn wants_step(&self, playhead: i64) -> bool {
        let far_enough = match self.place.mode {
            Mode::Loop => f64::INFINITY,
            Mode::Endless => quarters(playhead.saturating_sub(self.place.anchor).max(0)) + AHEAD,
        };
        !self.composer.is_complete() && self.decided() < far_enough
    }

    /// Composes one step, so that an end comes soon when it is asked for, and hands over what is worth it.
    pub(super) fn step(&mut self, end: &mut GeneratorEnd) {
        self.composer.step(f64::INFINITY);
        let complete = self.composer.is_complete();
        if complete || self.decided() >= self.next_part {
            self.next_part = self.decided() + self.bar;
            end.hand_over(self.number, self.take(), complete);
        }
    }

    /// The playhead at which there will be something to do again.
    pub(super) fn wake_at(&self) -> i64 {
        if self.composer.is_complete() {
            return i64::MAX;
        }
        self.place.anchor + ((self.decided() - RESERVE) * f64::from(TICKS_PER_QUARTER)) as i64
    }

    fn decided(&self) -> f64 {
        self.seam + self.composer.decided()
    }

    /// The take so far: what is kept, and what is new.
    fn take(&self) -> Take {
        let new = self.composer.takes().remove(0);
        let Performance { mut notes, mut pedal } = self.kept.clone();
        let later = |note: Note<f64>| Note { onset: note.onset + self.seam, ..note };
        notes.extend(new.performance.notes.into_iter().map(later));
        let later = |change: PedalChange<f64>| PedalChange { time: change.time + self.seam, ..change };
        pedal.extend(new.performance.pedal.into_iter().map(later));
        let performance = Performance { notes, pedal };
        let quarters = self.seam + new.quarters;
        let music = composer::Take { quarters, performance, ..new };
        Take::new(music, self.place, self.decided())
    }
}

/// What begins before `end`. Notes may last longer; the pedal is up at the end.
fn beginning(performance: &Performance<f64>, end: f64) -> Performance<f64> {
    let before = |note: &&Note<f64>| note.onset < end;
    let notes = performance.notes.iter().filter(before).copied().collect();
    let mut pedal: Vec<PedalChange<f64>> =
        performance.pedal.iter().filter(|change| change.time < end).copied().collect();
    if pedal.last().is_some_and(|change| change.down) {
        pedal.push(PedalChange { time: end, down: false });
    }
    Performance { notes, pedal }
}

fn quarters(ticks: i64) -> f64 {
    ticks as f64 / f64::from(TICKS_PER_QUARTER)
}
