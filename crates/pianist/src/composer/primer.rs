//! The music that a take continues, as steps to be heard first.

use super::Request;
use super::take::Grid;
use crate::alphabet::{Alphabet, Pedal, Step};
use crate::note::{PedalChange, Performance};
use crate::time::{MAX_TICKS, SAME_PLACE, Ticks};

/// Most notes of a primer that are heard, the last ones: some minutes of music, more than an LSTM remembers.
const MOST_NOTES: usize = 1024;

/// Steps to hear before the take begins.
#[derive(Default)]
pub(super) struct Primer {
    pub(super) steps: Vec<Step>,
    /// The tick at which the take begins: a bar line after the last onset.
    pub(super) origin: Ticks,
}

impl Primer {
    /// The primer of `request`, or nothing at tick 0.
    pub(super) fn new(request: &Request, alphabet: Alphabet, grid: &Grid) -> Primer {
        let played = request.primer.as_ref().map(|primer| match request.knobs.pedal {
            Pedal::Keep => finite(primer),
            Pedal::Fold => finite(primer).fold_pedal(),
        });
        let Some(excerpt) = played.and_then(|played| excerpt(played, grid)) else {
            return Primer::default();
        };
        let per_quarter = grid.ticks_per_quarter();
        let units_per_quarter = per_quarter / grid.base.ticks_per_unit();
        let mut primer = excerpt.map_time(|quarters| quarters * units_per_quarter).quantise(grid.base);
        let origin = next_bar(&primer, grid.bar() * per_quarter);
        stop(&mut primer, origin);
        Primer { steps: alphabet.encode(&primer), origin }
    }
}

/// Without what has no time.
fn finite(primer: &Performance<f64>) -> Performance<f64> {
    let mut primer = primer.clone();
    primer.notes.retain(|note| note.onset.is_finite() && note.duration.is_finite());
    primer.pedal.retain(|change| change.time.is_finite());
    primer
}

/// The part of a primer that counts, its first bar moved to 0. `None` if there is no note.
fn excerpt(primer: Performance<f64>, grid: &Grid) -> Option<Performance<f64>> {
    let Performance { mut notes, mut pedal } = primer;
    let longest_rest = f64::from(MAX_TICKS) / grid.ticks_per_quarter();
    let too_early = notes.len().saturating_sub(MOST_NOTES);
    let after_rest = notes.windows(2).rposition(|pair| pair[1].onset - pair[0].onset > longest_rest);
    notes.drain(..too_early.max(after_rest.map_or(0, |before| before + 1)));

    // Places that went through seconds and back are a little off: those on the bar line are not in the bar before.
    let start = ((notes.first()?.onset + SAME_PLACE) / grid.bar()).floor() * grid.bar();
    notes.iter_mut().for_each(|note| note.onset -= start);
    pedal.iter_mut().for_each(|change| change.time -= start);
    pedal.retain(|change| change.time >= -SAME_PLACE);
    Some(Performance { notes, pedal })
}

/// The first bar line after the last onset, but no further than a step can shift from the last note or pedal change.
fn next_bar(primer: &Performance<Ticks>, bar: f64) -> Ticks {
    let last_onset = primer.notes.last().map_or(0, |note| note.onset);
    let line = |bars: f64| (bars * bar).round() as Ticks;
    let bars = (f64::from(last_onset) / bar).floor() + 1.0;
    // The tick of a bar line may be just before it, and what is struck there is on it.
    let line = if line(bars) > last_onset { line(bars) } else { line(bars + 1.0).max(last_onset + 1) };
    let before = primer.pedal.iter().rev().find(|change| change.time < line);
    let last = before.map_or(last_onset, |change| change.time.max(last_onset));
    line.min(last + MAX_TICKS)
}

/// Ends everything at `origin`.
fn stop(primer: &mut Performance<Ticks>, origin: Ticks) {
    primer.notes.iter_mut().for_each(|note| note.duration = note.duration.min(origin - note.onset));
    primer.pedal.retain(|change| change.time < origin);
    if primer.pedal.last().is_some_and(|change| change.down) {
        primer.pedal.push(PedalChange { time: origin, down: false });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::note::{Key, Note, Velocity};

    #[test]
    fn what_is_struck_on_a_bar_line_between_two_ticks_is_followed_by_its_whole_bar() {
        let next = |onset| {
            let note =
                Note { onset, duration: 10, key: Key::from_index(40).unwrap(), velocity: Velocity::new(64) };
            // At 130 quarter notes a minute, in seconds.
            next_bar(&Performance { notes: vec![note], pedal: Vec::new() }, 4.0 * 6000.0 / 130.0)
        };
        // Bar lines are at 184.6, 369.2 and 553.8.
        assert_eq!([0, 184, 185, 368, 369, 370].map(next), [185, 185, 369, 369, 554, 554]);
    }
}
