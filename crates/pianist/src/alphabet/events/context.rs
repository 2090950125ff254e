//! What the network reads and chooses of a step, as the music grows.

use super::{SYMBOLS, TIME_SHIFT, VELOCITY, shift_of};
use crate::alphabet::{Conditions, Context, InputRow, Step};
use crate::time::Ticks;

/// Follows steps of the `events` alphabet.
pub(in crate::alphabet) struct EventsContext {
    last: Step,
    step: Step,
    now: Ticks,
}

impl EventsContext {
    /// Nothing has been played yet.
    pub(in crate::alphabet) fn new() -> EventsContext {
        EventsContext { last: Step::EMPTY, step: Step::EMPTY, now: 0 }
    }
}

impl Context for EventsContext {
    fn listen(&self, conditions: &Conditions, row: InputRow) {
        let (position, length) = conditions.bar_symbols(self.now);
        row.categories.copy_from_slice(&[
            self.last.get(0).unwrap_or(SYMBOLS as u16),
            position,
            length,
            conditions.density_symbol(),
            conditions.pedal_symbol(),
        ]);
        conditions.write_pitch_classes(row.dense);
    }

    fn asks(&self) -> Option<usize> {
        self.step.get(0).is_none().then_some(0)
    }

    fn read(&self, _: &Conditions, _: InputRow) {}

    fn choose(&mut self, symbol: u16) {
        assert!(self.asks().is_some(), "the step is complete");
        self.step.0[0] = symbol;
        if (TIME_SHIFT..VELOCITY).contains(&symbol) {
            self.now = self.now.saturating_add(shift_of(symbol));
        }
    }

    fn begin(&mut self) {
        self.last = self.step;
        self.step = Step::EMPTY;
    }

    fn step(&self) -> Step {
        self.step
    }

    fn now(&self) -> Ticks {
        self.now
    }
}
