//! What the network reads and chooses of a step, as the music grows.

use super::{
    DURATION, DURATION_FINE, KEY, KEYS, PEDAL_DOWN, SHIFT, SHIFT_FINE, VELOCITIES, VELOCITY, duration_of,
    shift_of, struck,
};
use crate::alphabet::keyboard::{AROUND, Keyboard};
use crate::alphabet::recall::{Heard, Recall};
use crate::alphabet::{Conditions, Context, InputRow, Step, ticks};
use crate::note::Key;
use crate::time::Ticks;

/// Follows steps of the `notes` alphabet.
pub(in crate::alphabet) struct NotesContext {
    keyboard: Keyboard,
    recall: Recall,
    /// The step before the one being chosen.
    last: Step,
    step: Step,
}

impl NotesContext {
    /// Nothing has been played yet.
    pub(in crate::alphabet) fn new() -> NotesContext {
        NotesContext {
            keyboard: Keyboard::new(),
            recall: Recall::new(),
            last: Step::EMPTY,
            step: Step::EMPTY,
        }
    }

    fn finish(&mut self) {
        match struck(&self.step) {
            None => self.keyboard.set_pedal(self.step.0[KEY] == PEDAL_DOWN),
            Some(key) => {
                let velocity = self.step.0[VELOCITY];
                let loudness = f32::from(velocity) / (VELOCITIES - 1) as f32;
                self.keyboard.strike(key, loudness, duration_of(&self.step));
                self.recall.hear(Heard {
                    key: key.index() as u8,
                    shift: self.step.0[SHIFT] as u8,
                    velocity: velocity as u8,
                    duration: self.step.0[DURATION] as u8,
                });
            }
        }
    }

    fn recalled_shift(&self) -> u16 {
        self.recall.next().map_or(ticks::COARSE as u16, |heard| u16::from(heard.shift))
    }

    fn recalled_here(&self) -> Option<Heard> {
        self.recall.of_key(self.step.0[KEY] as u8)
    }

    fn has_chosen(&self, coarse: usize, fine: usize) -> bool {
        let chosen = self.step.get(coarse);
        chosen.is_some_and(|bin| ticks::width(usize::from(bin)) == 1) || self.step.get(fine).is_some()
    }
}

/// A symbol of the step, or the one after the last that stands for nothing.
fn or_nothing(symbol: Option<u16>, symbols: usize) -> u16 {
    symbol.unwrap_or(symbols as u16)
}

impl Context for NotesContext {
    fn listen(&self, conditions: &Conditions, row: InputRow) {
        let (position, length) = conditions.bar_symbols(self.keyboard.now());
        row.categories.copy_from_slice(&[
            or_nothing(self.last.get(SHIFT), ticks::COARSE),
            or_nothing(self.last.get(KEY), KEYS),
            or_nothing(self.last.get(VELOCITY), VELOCITIES),
            or_nothing(self.last.get(DURATION), ticks::COARSE),
            position,
            length,
            conditions.density_symbol(),
            conditions.pedal_symbol(),
            self.recalled_shift(),
        ]);
        let (keys, rest) = row.dense.split_at_mut(Keyboard::KEYS);
        let (harmony, pitch_classes) = rest.split_at_mut(Keyboard::HARMONY);
        self.keyboard.write_keys(keys);
        self.keyboard.write_harmony(harmony);
        conditions.write_pitch_classes(pitch_classes);
    }

    fn asks(&self) -> Option<usize> {
        let step = &self.step;
        if step.get(SHIFT).is_none() {
            Some(SHIFT)
        } else if !self.has_chosen(SHIFT, SHIFT_FINE) {
            Some(SHIFT_FINE)
        } else if step.get(KEY).is_none() {
            Some(KEY)
        } else if step.0[KEY] >= PEDAL_DOWN {
            None
        } else if step.get(VELOCITY).is_none() {
            Some(VELOCITY)
        } else if step.get(DURATION).is_none() {
            Some(DURATION)
        } else if !self.has_chosen(DURATION, DURATION_FINE) {
            Some(DURATION_FINE)
        } else {
            None
        }
    }

    fn read(&self, conditions: &Conditions, row: InputRow) {
        let InputRow { categories, dense } = row;
        let (position, _) = conditions.bar_symbols(self.keyboard.now());
        let [shift, _, key, velocity, duration, _] = self.step.0;
        let here =
            || Key::from_index(usize::from(key)).expect("only notes are asked for more than their key");
        match self.asks() {
            Some(SHIFT) => categories.copy_from_slice(&[self.recalled_shift()]),
            Some(SHIFT_FINE) => categories.copy_from_slice(&[shift, position]),
            Some(KEY) => {
                categories.copy_from_slice(&[shift, position]);
                let (keys, rest) = dense.split_at_mut(Keyboard::KEYS);
                let (harmony, expected) = rest.split_at_mut(Keyboard::HARMONY);
                self.keyboard.write_keys(keys);
                self.keyboard.write_harmony(harmony);
                self.recall.write_expected(expected);
            }
            Some(VELOCITY) => {
                let recalled = self.recalled_here().map(|heard| u16::from(heard.velocity));
                categories.copy_from_slice(&[shift, key, or_nothing(recalled, VELOCITIES), position]);
                self.keyboard.write_velocities_around(here(), dense);
            }
            Some(DURATION) => {
                let recalled = self.recalled_here().map(|heard| u16::from(heard.duration));
                let recalled = or_nothing(recalled, ticks::COARSE);
                categories.copy_from_slice(&[shift, key, velocity, recalled, position]);
                let (ends, rest) = dense.split_at_mut(ticks::COARSE);
                let (around, pedal) = rest.split_at_mut(2 * AROUND);
                self.keyboard.write_ends(ends);
                self.keyboard.write_sounding_around(here(), around);
                pedal[0] = if self.keyboard.pedal_down() { 1.0 } else { 0.0 };
            }
            Some(DURATION_FINE) => {
                categories.copy_from_slice(&[duration, position]);
                self.keyboard.write_ends_within(usize::from(duration), dense);
            }
            _ => {}
        }
    }

    fn choose(&mut self, symbol: u16) {
        let head = self.asks().expect("the step is complete");
        self.step.0[head] = symbol;
        match self.asks() {
            Some(KEY) => self.keyboard.advance(shift_of(&self.step)),
            None => self.finish(),
            _ => {}
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
        self.keyboard.now()
    }
}
