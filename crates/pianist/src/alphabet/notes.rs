//! The `notes` alphabet: one step is one note or one pedal change.
//!
//! A step is chosen as: shift since the previous step's onset, key (or pedal), velocity, duration, each choice seeing
//! those before it. Times are split in coarse and fine symbols (see `ticks`). Every note carries its end, so none can
//! hang. It follows the note encoding of Magenta's Performance RNN; new are the pedal steps, the order of choices, and
//! what each choice reads of the keyboard's state: above all, notes that one pedal holds end together, and a head that
//! sees those ends need not guess them again.

mod context;

pub(super) use context::NotesContext;

use super::condition::{Conditions, Metre};
use super::keyboard::{AROUND, Keyboard};
use super::recall::Recall;
use super::{Step, ticks};
use crate::network::{Blueprint, Head, Inputs};
use crate::note::{Key, Note, PedalChange, Performance, Velocity};
use crate::time::{Ticks, TimeBase};

/// Time since the previous step's onset, coarse.
pub const SHIFT: usize = 0;
/// The rest of the shift.
pub const SHIFT_FINE: usize = 1;
/// The key, or [`PEDAL_DOWN`], or [`PEDAL_UP`].
pub const KEY: usize = 2;
/// Velocity in 32 bins of 4.
pub const VELOCITY: usize = 3;
/// Duration, coarse.
pub const DURATION: usize = 4;
/// The rest of the duration.
pub const DURATION_FINE: usize = 5;

/// Symbol of [`KEY`] that presses the pedal.
pub const PEDAL_DOWN: u16 = Key::COUNT as u16;
/// Symbol of [`KEY`] that lifts the pedal.
pub const PEDAL_UP: u16 = PEDAL_DOWN + 1;

const KEYS: usize = Key::COUNT + 2;
const VELOCITIES: usize = super::VELOCITY_BINS;

/// The network that speaks `notes`.
pub fn blueprint(layers: usize, units: usize) -> Blueprint {
    // One symbol more than a head has stands for "nothing": before the first step, after a pedal step, not recalled.
    let (times, keys, velocities) = (ticks::COARSE + 1, KEYS + 1, VELOCITIES + 1);
    let position = (Metre::POSITIONS, 24);
    let last_step = [(times, 32), (keys, 64), (velocities, 16), (times, 32)];
    let conditions =
        [position, (Metre::LENGTHS, 8), (Conditions::DENSITIES, 16), (Conditions::PEDALS, 8), (times, 32)];
    let head = |name, symbols, hidden, categories: &[(usize, usize)], dense| Head {
        name,
        symbols,
        hidden,
        inputs: Inputs::new(categories, dense),
    };
    Blueprint {
        layers,
        units,
        inputs: Inputs::new(
            &[&last_step[..], &conditions].concat(),
            Keyboard::KEYS + Keyboard::HARMONY + Conditions::PITCH_CLASSES,
        ),
        heads: vec![
            head("shift", ticks::COARSE, 256, &[(times, 32)], 0),
            head("shift_fine", ticks::FINE, 64, &[(times, 32), position], 0),
            head(
                "key",
                KEYS,
                256,
                &[(times, 32), position],
                Keyboard::KEYS + Keyboard::HARMONY + Recall::FOLLOWERS * Key::COUNT,
            ),
            head(
                "velocity",
                VELOCITIES,
                192,
                &[(times, 16), (keys, 32), (velocities, 16), position],
                2 * AROUND,
            ),
            head(
                "duration",
                ticks::COARSE,
                256,
                &[(times, 16), (keys, 32), (velocities, 8), (times, 32), position],
                ticks::COARSE + 2 * AROUND + 1,
            ),
            head("duration_fine", ticks::FINE, 64, &[(times, 32), position], ticks::FINE),
        ],
    }
}

/// Spells a quantised performance: at one tick first a pedal change, then keys from low to high.
pub fn encode(performance: &Performance<Ticks>) -> Vec<Step> {
    let mut steps = Vec::with_capacity(performance.notes.len() + performance.pedal.len());
    let mut pedal = performance.pedal.iter().peekable();
    let mut now = 0;
    for note in &performance.notes {
        while let Some(change) = pedal.next_if(|change| change.time <= note.onset) {
            steps.push(pedal_step(change, &mut now));
        }
        steps.push(note_step(note, &mut now));
    }
    steps.extend(pedal.map(|change| pedal_step(change, &mut now)));
    steps
}

fn step_at(time: Ticks, now: &mut Ticks) -> Step {
    let (coarse, fine) = ticks::split(time.saturating_sub(*now));
    *now = time;
    let mut step = Step::EMPTY;
    step.0[SHIFT] = coarse as u16;
    step.0[SHIFT_FINE] = fine_symbol(coarse, fine);
    step
}

fn fine_symbol(coarse: usize, fine: usize) -> u16 {
    if ticks::width(coarse) > 1 { fine as u16 } else { Step::NOTHING }
}

fn pedal_step(change: &PedalChange<Ticks>, now: &mut Ticks) -> Step {
    let mut step = step_at(change.time, now);
    step.0[KEY] = if change.down { PEDAL_DOWN } else { PEDAL_UP };
    step
}

fn note_step(note: &Note<Ticks>, now: &mut Ticks) -> Step {
    let mut step = step_at(note.onset, now);
    let (coarse, fine) = ticks::split(note.duration);
    step.0[KEY] = note.key.index() as u16;
    step.0[VELOCITY] = note.velocity.bin() as u16;
    step.0[DURATION] = coarse as u16;
    step.0[DURATION_FINE] = fine_symbol(coarse, fine);
    step
}

/// The performance that `steps` spell; symbols out of range count as the nearest, missing ones as the lowest.
pub fn decode(steps: &[Step]) -> Performance<Ticks> {
    let mut performance = Performance { notes: Vec::with_capacity(steps.len()), pedal: Vec::new() };
    let mut now = 0.0;
    let seconds = |ticks: Ticks| f64::from(ticks) / TimeBase::Seconds.ticks_per_unit();
    for step in steps {
        now += seconds(shift_of(step));
        match struck(step) {
            Some(key) => performance.notes.push(Note {
                onset: now,
                duration: seconds(duration_of(step)),
                key,
                velocity: Velocity::from_bin(usize::from(step.get(VELOCITY).unwrap_or(0))),
            }),
            None => performance.pedal.push(PedalChange { time: now, down: step.0[KEY] == PEDAL_DOWN }),
        }
    }
    // Quantising is what makes it canonical: notes of one key cut one another, the pedal alternates.
    performance.quantise(TimeBase::Seconds)
}

/// The key of a step that is a note rather than a pedal change.
pub fn struck(step: &Step) -> Option<Key> {
    Key::from_index(usize::from(step.get(KEY)?))
}

pub(crate) fn shift_of(step: &Step) -> Ticks {
    join(step.get(SHIFT), step.get(SHIFT_FINE))
}

fn duration_of(step: &Step) -> Ticks {
    join(step.get(DURATION), step.get(DURATION_FINE)).max(1)
}

fn join(coarse: Option<u16>, fine: Option<u16>) -> Ticks {
    let coarse = usize::from(coarse.unwrap_or(0)).min(ticks::COARSE - 1);
    ticks::join(coarse, usize::from(fine.unwrap_or(0)))
}
