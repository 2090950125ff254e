//! Bars being composed.

use std::cmp::Reverse;
use std::ops::Range;
use std::slice;
use std::sync::Arc;

use etude_pianist::alphabet::Pedal;
use etude_pianist::composer::{self, Composer, Request, RequestError};
use etude_pianist::engine::Engine;
use etude_pianist::note::Performance;
use etude_pianist::ranking;

use super::bars::{only, place_after};

/// Bars at work.
pub(super) struct Work {
    pub(super) engine: Arc<dyn Engine>,
    pub(super) composer: Composer,
    bars: Range<u32>,
    /// The length of a bar, in quarter notes.
    bar: f64,
    /// Up to where their notes may sound, in quarter notes from the first of them: into the bar after, if that is kept;
    /// nobody knows yet what follows the last bar.
    sounding: f64,
}

impl Work {
    /// Begins some `bars` of the take that `request` asks for, which go on from its primer, once for each of the `ideas`.
    pub(super) fn new(
        engine: Arc<dyn Engine>,
        request: Request,
        bars: Range<u32>,
        ideas: u32,
    ) -> Result<Work, RequestError> {
        // One bar more than is missing tells how long its last notes want to sound.
        let is_followed = bars.end < request.bars;
        let request = Request { bars: bars.len() as u32 + u32::from(is_followed), ..request };
        let idea = |idea| Request { seed: request.seed.wrapping_add(idea), ..request.clone() };
        let requests: Vec<Request> = (0..u64::from(ideas)).map(idea).collect();
        let composer = Composer::new(engine.clone(), &requests)?;
        let bar = request.time_signature.quarters_per_bar();
        let sounding = if is_followed { request.quarters() } else { f64::INFINITY };
        Ok(Work { engine, composer, bars, bar, sounding })
    }

    /// Where its bars begin, in quarter notes from the take's first bar.
    pub(super) fn start(&self) -> f64 {
        f64::from(self.bars.start) * self.bar
    }

    /// Up to where the take is composed, in quarter notes from its first bar.
    pub(super) fn decided(&self) -> f64 {
        (self.start() + self.composer.decided()).min(f64::from(self.bars.end) * self.bar)
    }

    /// What was composed for its bars, placed there.
    pub(super) fn placed(&self, composed: &Performance<f64>) -> Performance<f64> {
        let all = 0..self.bars.len() as u32;
        place_after(only(composed, slice::from_ref(&all), self.bar, self.sounding), self.start())
    }

    /// The takes to choose from, the best first.
    pub(super) fn best_first(&self, pedal: Pedal) -> Vec<composer::Take> {
        let mut takes = self.composer.takes();
        if takes.len() > 1 {
            let base = self.engine.time_base();
            takes.sort_by_cached_key(|take| Reverse((ranking::score(take, base, pedal) * 1e6) as u64));
        }
        takes
    }
}
