//! Rules of the `events` alphabet.
//!
//! At one tick come a pedal change, releases from low to high, then strikes from low to high, each with its velocity
//! before it where that changes. A shift is as long as it can be, so after one of less than the longest something
//! happens.

use super::{Rules, Struck};
use crate::alphabet::events::{
    LONGEST_SHIFT, NOTE_OFF, NOTE_ON, PEDAL_DOWN, PEDAL_UP, TIME_SHIFT, VELOCITY, shift_of,
};
use crate::alphabet::{Pedal, Step, VELOCITY_BINS};
use crate::locks::Locks;
use crate::note::Key;
use crate::sampler::Attribute;
use crate::time::{MAX_TICKS, Ticks};

pub(super) struct EventsRules {
    struck: Struck,
    keeps_pedal: bool,
    pedal_down: bool,
    sounding: [bool; Key::COUNT],
    /// Velocity bin of the next strike, once there is one.
    velocity: Option<u16>,
    /// The latest symbol; none at the start.
    last: Option<u16>,
    /// Ticks since the latest strike or pedal change.
    rest: Ticks,
    /// Ticks to the take's first strike, until that comes.
    entry: Option<Ticks>,
}

impl EventsRules {
    pub(super) fn new(locks: Locks, pedal: Pedal) -> EventsRules {
        EventsRules {
            struck: Struck::new(locks),
            keeps_pedal: pedal == Pedal::Keep,
            pedal_down: false,
            sounding: [false; Key::COUNT],
            velocity: None,
            last: None,
            rest: 0,
            entry: None,
        }
    }

    /// Whether a strike must follow: a velocity is only for the next one.
    fn is_loaded(&self) -> bool {
        self.last.is_some_and(|last| (VELOCITY..PEDAL_DOWN).contains(&last))
    }

    /// Whether nothing has happened yet at this tick.
    fn is_fresh(&self) -> bool {
        self.last.is_none_or(|last| (TIME_SHIFT..VELOCITY).contains(&last))
    }

    fn may_release(&self, key: Key) -> bool {
        let in_order = match self.last {
            Some(last @ NOTE_OFF..TIME_SHIFT) => last - NOTE_OFF < u16::from(key.midi()),
            _ => true,
        };
        !self.is_loaded() && self.struck.count == 0 && self.sounding[key.index()] && in_order
    }

    fn may_shift(&self, shift: Ticks) -> bool {
        let is_short = |last: u16| (TIME_SHIFT..VELOCITY - 1).contains(&last);
        match self.entry {
            Some(gap) => shift == gap.min(Ticks::from(LONGEST_SHIFT)),
            None => !self.is_loaded() && !self.last.is_some_and(is_short) && self.rest + shift <= MAX_TICKS,
        }
    }

    fn may_set_velocity(&self, bin: u16) -> bool {
        !self.is_loaded() && self.velocity != Some(bin) && self.struck.may_strike_any()
    }

    fn may_move_pedal(&self, down: bool) -> bool {
        self.keeps_pedal && self.is_fresh() && self.entry.is_none() && down != self.pedal_down
    }

    fn may(&self, symbol: u16) -> bool {
        let waits = self.entry.is_some_and(|gap| gap > 0);
        let key = |base: u16| Key::from_midi((symbol - base) as u8);
        match symbol {
            TIME_SHIFT..VELOCITY => self.may_shift(shift_of(symbol)),
            _ if waits => false,
            NOTE_ON..NOTE_OFF => {
                self.velocity.is_some() && key(NOTE_ON).is_some_and(|key| self.struck.may_strike(key))
            }
            NOTE_OFF..TIME_SHIFT => key(NOTE_OFF).is_some_and(|key| self.may_release(key)),
            VELOCITY..PEDAL_DOWN => self.may_set_velocity(symbol - VELOCITY),
            PEDAL_DOWN | PEDAL_UP => self.may_move_pedal(symbol == PEDAL_DOWN),
            _ => false,
        }
    }
}

impl Rules for EventsRules {
    fn kinds(&self, _: usize) -> &'static [(Attribute, usize)] {
        // The pedal, like a release, says when sound ends.
        &[
            (Attribute::Pitch, NOTE_OFF as usize),
            (Attribute::Length, (TIME_SHIFT - NOTE_OFF) as usize),
            (Attribute::Time, LONGEST_SHIFT as usize),
            (Attribute::Dynamics, VELOCITY_BINS),
            (Attribute::Length, 2),
        ]
    }

    fn mark(&self, _: usize, _: &Step, allowed: &mut [bool]) {
        allowed.iter_mut().enumerate().for_each(|(symbol, allowed)| *allowed = self.may(symbol as u16));
    }

    fn follow(&mut self, step: &Step) {
        let Some(symbol) = step.get(0) else { return };
        let key = |base: u16| Key::from_midi((symbol - base) as u8);
        match symbol {
            NOTE_ON..NOTE_OFF => {
                if let Some(key) = key(NOTE_ON) {
                    self.struck.strike(key);
                    self.sounding[key.index()] = true;
                }
                (self.rest, self.entry) = (0, None);
            }
            NOTE_OFF..TIME_SHIFT => {
                if let Some(key) = key(NOTE_OFF) {
                    self.sounding[key.index()] = false;
                }
            }
            TIME_SHIFT..VELOCITY => {
                self.struck.clear();
                self.rest = self.rest.saturating_add(shift_of(symbol));
                self.entry = self.entry.map(|gap| gap.saturating_sub(shift_of(symbol)));
            }
            VELOCITY..PEDAL_DOWN => self.velocity = Some(symbol - VELOCITY),
            _ => (self.rest, self.pedal_down) = (0, symbol == PEDAL_DOWN),
        }
        self.last = Some(symbol);
    }

    fn enter(&mut self, gap: Ticks) {
        self.entry = Some(gap);
        // A take is decoded without its primer, so it says anew how loud it begins.
        self.velocity = None;
    }

    fn locks(&self) -> Locks {
        self.struck.locks
    }
}
