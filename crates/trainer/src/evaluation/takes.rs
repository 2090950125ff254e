//! Clips to compare: composed ones, and excerpts of played music of the same length.

use std::sync::Arc;

use etude_pianist::alphabet::Pedal;
use etude_pianist::composer::{Composer, Knobs, Request, RequestError};
use etude_pianist::engine::{CpuEngine, Precision};
use etude_pianist::model_file::Pianist;
use etude_pianist::note::{Note, Performance};
use etude_pianist::ranking::stretch;
use etude_pianist::time::TimeBase;

use super::comparison::{STRETCH_BARS, TAKE_STRETCHES};
use crate::say;

/// In quarter notes per minute; with it a stretch lasts as long as [`stretch`] says.
const TEMPO: f64 = 120.0;
const BARS: u32 = (STRETCH_BARS * TAKE_STRETCHES) as u32;

/// Takes of 64 bars of 4/4 at 120, with the seeds from 0 on and all knobs off but the pedal's spelling, in the
/// pianist's unit.
pub fn compose(pianist: &Pianist, pedal: Pedal, count: usize) -> Result<Vec<Performance<f64>>, RequestError> {
    let request = |seed| Request {
        seed,
        bars: BARS,
        tempo: TEMPO,
        knobs: Knobs { pedal, ..Knobs::default() },
        ..Request::default()
    };
    let requests: Vec<Request> = (0..count as u64).map(request).collect();
    let engine = Arc::new(CpuEngine::new(pianist.clone(), Precision::default()));
    let mut composer = Composer::new(engine, &requests)?;
    let progress = say::bar(BARS.into(), "Composing {bar:40} {pos}/{len} bars of each take");
    for bar in 1..=BARS {
        composer.advance(f64::from(bar) * 4.0);
        progress.set_position(bar.into());
    }
    progress.finish_and_clear();
    let units_per_quarter = pianist.time_base.units_per_quarter(TEMPO);
    Ok(composer.finish().iter().map(|take| take.sounding().stretched(units_per_quarter)).collect())
}

/// The beginnings of up to `count` performances that are long enough, each as long as a take. They are chosen evenly
/// over all of them, as neighbours may be the same piece, and as many as there are.
pub fn excerpts(human: &[Performance<f64>], base: TimeBase, count: usize) -> Vec<&[Note<f64>]> {
    let length = stretch(base) * TAKE_STRETCHES as f64;
    let long: Vec<_> = human.iter().filter(|performance| performance.last_event() >= length).collect();
    let count = count.min(long.len());
    let chosen = (0..count).map(|i| long[(i * long.len()).div_ceil(count)]);
    chosen.map(|piece| &piece.notes[..piece.notes.partition_point(|note| note.onset < length)]).collect()
}
