//! Rules of the `notes` alphabet.

use super::{Rules, Struck};
use crate::alphabet::notes::{
    DURATION, DURATION_FINE, KEY, PEDAL_DOWN, PEDAL_UP, SHIFT, SHIFT_FINE, VELOCITY, shift_of, struck,
};
use crate::alphabet::{Pedal, Step, VELOCITY_BINS, ticks};
use crate::locks::Locks;
use crate::note::Key;
use crate::sampler::Attribute;
use crate::time::Ticks;

pub(super) struct NotesRules {
    struck: Struck,
    keeps_pedal: bool,
    pedal_down: bool,
    /// Ticks to the take's first note, until that is struck.
    entry: Option<Ticks>,
}

impl NotesRules {
    pub(super) fn new(locks: Locks, pedal: Pedal) -> NotesRules {
        NotesRules {
            struck: Struck::new(locks),
            keeps_pedal: pedal == Pedal::Keep,
            pedal_down: false,
            entry: None,
        }
    }

    /// At the same tick only higher keys can follow, and no pedal change.
    fn may_shift(&self, coarse: usize) -> bool {
        match self.entry {
            Some(gap) => coarse == ticks::split(gap).0,
            None => coarse > 0 || self.struck.may_strike_any(),
        }
    }

    fn may_shift_fine(&self, coarse: usize, fine: usize) -> bool {
        match self.entry {
            Some(gap) => (coarse, fine) == ticks::split(gap),
            None => is_canonical(coarse, fine),
        }
    }

    fn may_press(&self, symbol: u16, moved: bool) -> bool {
        match Key::from_index(usize::from(symbol)) {
            Some(key) if moved => self.struck.locks.allow(key),
            Some(key) => self.struck.may_strike(key),
            None => {
                let wanted = if self.pedal_down { PEDAL_UP } else { PEDAL_DOWN };
                self.keeps_pedal && moved && self.entry.is_none() && symbol == wanted
            }
        }
    }
}

/// Whether a time would be split in just these symbols.
fn is_canonical(coarse: usize, fine: usize) -> bool {
    ticks::split(ticks::join(coarse, fine)) == (coarse, fine)
}

impl Rules for NotesRules {
    fn kinds(&self, head: usize) -> &'static [(Attribute, usize)] {
        match head {
            SHIFT => &[(Attribute::Time, ticks::COARSE)],
            SHIFT_FINE => &[(Attribute::Time, ticks::FINE)],
            KEY => &[(Attribute::Pitch, Key::COUNT + 2)],
            VELOCITY => &[(Attribute::Dynamics, VELOCITY_BINS)],
            DURATION => &[(Attribute::Length, ticks::COARSE)],
            _ => &[(Attribute::Length, ticks::FINE)],
        }
    }

    fn mark(&self, head: usize, step: &Step, allowed: &mut [bool]) {
        let coarse = |head: usize| usize::from(step.get(head).unwrap_or(0));
        let moved = shift_of(step) > 0;
        for (symbol, allowed) in allowed.iter_mut().enumerate() {
            *allowed = match head {
                SHIFT => self.may_shift(symbol),
                SHIFT_FINE => self.may_shift_fine(coarse(SHIFT), symbol),
                KEY => self.may_press(symbol as u16, moved),
                // A note lasts at least a tick.
                DURATION => symbol > 0,
                DURATION_FINE => is_canonical(coarse(DURATION), symbol),
                _ => true,
            };
        }
    }

    fn follow(&mut self, step: &Step) {
        if shift_of(step) > 0 {
            self.struck.clear();
        }
        match struck(step) {
            Some(key) => {
                self.struck.strike(key);
                self.entry = None;
            }
            None => self.pedal_down = step.get(KEY) == Some(PEDAL_DOWN),
        }
    }

    fn enter(&mut self, gap: Ticks) {
        self.entry = Some(gap);
    }

    fn locks(&self) -> Locks {
        self.struck.locks
    }
}
