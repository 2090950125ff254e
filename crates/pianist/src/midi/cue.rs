//! What to do when: a performance as strikes, releases and pedal moves on the grid of a clip.
//!
//! The one source for everything that sounds: a clip's file is written from it, and the plugin plays it.

use crate::note::{Key, Note, Performance, Velocity, on_one_keyboard};

/// The resolution that hosts export at: a tick is no longer than a millisecond from 62.5 quarter notes a minute on, and
/// triplets fall on whole ticks.
pub const TICKS_PER_QUARTER: u16 = 960;

/// The last tick at which anything begins, so that every delta in a file fits its 28 bits: two days at 90 a minute.
const LAST_TICK: u64 = (1 << 28) - 2;

/// Something to do to the piano.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Let a key come up.
    Release(Key),
    /// Press the sustain pedal (`true`) or lift it.
    Pedal(bool),
    /// Strike a key.
    Strike(Key, Velocity),
}

/// An action and its time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cue {
    /// In 1/[`TICKS_PER_QUARTER`] of a quarter note from the start.
    pub tick: u32,
    /// What to do.
    pub action: Action,
}

/// The cues of a performance in quarter notes, in order.
///
/// Every note ends, and lasts at least one tick; no key is struck while it is down; the pedal is up at the end. At one
/// tick, releases come first, so that a restruck key is free again; then the pedal, so that it never catches what was
/// let go; then strikes.
pub fn cues(performance: &Performance<f64>) -> Vec<Cue> {
    let mut notes: Vec<Note<u64>> = performance.notes.iter().map(place_note).collect();
    on_one_keyboard(&mut notes);
    let mut cues: Vec<Cue> = notes.iter().flat_map(strike_and_release).collect();
    cues.extend(
        performance.pedal.iter().map(|change| Cue::new(tick(change.time), Action::Pedal(change.down))),
    );
    cues.sort_by_key(|cue| (cue.tick, cue.order()));
    if performance.pedal.last().is_some_and(|change| change.down) {
        let last = cues.last().map_or(0, |cue| cue.tick);
        cues.push(Cue { tick: last, action: Action::Pedal(false) });
    }
    cues
}

impl Cue {
    fn new(tick: u64, action: Action) -> Cue {
        Cue { tick: tick as u32, action }
    }

    /// Its place among the cues of one tick.
    fn order(self) -> u8 {
        match self.action {
            Action::Release(_) => 0,
            Action::Pedal(_) => 1,
            Action::Strike(..) => 2,
        }
    }
}

fn strike_and_release(note: &Note<u64>) -> [Cue; 2] {
    [
        Cue::new(note.onset, Action::Strike(note.key, note.velocity)),
        Cue::new(note.onset + note.duration, Action::Release(note.key)),
    ]
}

fn place_note(note: &Note<f64>) -> Note<u64> {
    let onset = tick(note.onset);
    let duration = tick(note.end()).saturating_sub(onset).max(1);
    Note { onset, duration, key: note.key, velocity: note.velocity }
}

/// The tick nearest to a time, from 0 to the last.
pub(super) fn tick(quarters: f64) -> u64 {
    (quarters * f64::from(TICKS_PER_QUARTER)).round().clamp(0.0, LAST_TICK as f64) as u64
}
