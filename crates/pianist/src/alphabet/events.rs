//! The `events` alphabet: Performance RNN's 388 symbols, and two for the pedal.
//!
//! 128 note-on, 128 note-off, 100 time shifts of 1 to 100 ticks, 32 velocities, in the order of Magenta's
//! `performance_encoder_decoder.py`; then pedal down and pedal up, used only where the pedal is kept. It is the
//! reference that `notes` is measured against.

mod context;

pub(super) use context::EventsContext;

use super::condition::{Conditions, Metre};
use super::{Step, VELOCITY_BINS};
use crate::network::{Blueprint, Head, Inputs};
use crate::note::{Key, Note, PedalChange, Performance, Velocity};
use crate::time::{MAX_TICKS, Ticks, TimeBase};

pub(crate) const NOTE_ON: u16 = 0;
pub(crate) const NOTE_OFF: u16 = 128;
pub(crate) const TIME_SHIFT: u16 = 256;
pub(crate) const LONGEST_SHIFT: u16 = 100;
pub(crate) const VELOCITY: u16 = TIME_SHIFT + LONGEST_SHIFT;
/// Presses the pedal.
pub const PEDAL_DOWN: u16 = VELOCITY + VELOCITY_BINS as u16;
/// Lifts the pedal.
pub const PEDAL_UP: u16 = PEDAL_DOWN + 1;
/// How many symbols there are.
pub const SYMBOLS: usize = PEDAL_UP as usize + 1;

/// The network that speaks `events`: one softmax over a hidden layer as wide as the LSTM.
pub fn blueprint(layers: usize, units: usize) -> Blueprint {
    let categories = [
        (SYMBOLS + 1, 448),
        (Metre::POSITIONS, 24),
        (Metre::LENGTHS, 8),
        (Conditions::DENSITIES, 16),
        (Conditions::PEDALS, 8),
    ];
    Blueprint {
        layers,
        units,
        inputs: Inputs::new(&categories, Conditions::PITCH_CLASSES),
        heads: vec![Head { name: "event", symbols: SYMBOLS, hidden: 512, inputs: Inputs::new(&[], 0) }],
    }
}

fn step(symbol: u16) -> Step {
    let mut step = Step::EMPTY;
    step.0[0] = symbol;
    step
}

/// What happens at a tick, in the order in which it is spelled: pedal changes, ends, then onsets from low to high.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    Pedal { down: bool },
    Off(Key),
    On(Key, usize),
}

/// Spells a quantised performance.
pub fn encode(performance: &Performance<Ticks>) -> Vec<Step> {
    let pedal = performance.pedal.iter().map(|change| (change.time, Event::Pedal { down: change.down }));
    let notes = performance.notes.iter().flat_map(|note| {
        let on = (note.onset, Event::On(note.key, note.velocity.bin()));
        [on, (note.onset + note.duration, Event::Off(note.key))]
    });
    let mut events: Vec<(Ticks, Event)> = pedal.chain(notes).collect();
    events.sort_unstable();

    let mut steps = Vec::with_capacity(2 * events.len());
    let (mut now, mut velocity) = (0, None);
    for (tick, event) in events {
        while now < tick {
            let shift = (tick - now).min(Ticks::from(LONGEST_SHIFT));
            steps.push(step(TIME_SHIFT + shift as u16 - 1));
            now += shift;
        }
        if let Event::On(_, bin) = event
            && velocity.replace(bin) != Some(bin)
        {
            steps.push(step(VELOCITY + bin as u16));
        }
        steps.push(step(match event {
            Event::Pedal { down } => {
                if down {
                    PEDAL_DOWN
                } else {
                    PEDAL_UP
                }
            }
            Event::Off(key) => NOTE_OFF + u16::from(key.midi()),
            Event::On(key, _) => NOTE_ON + u16::from(key.midi()),
        }));
    }
    steps
}

/// The performance that `steps` spell. A note that is never released lasts [`MAX_TICKS`] or until its key is struck
/// again; releases of silent keys and keys off the piano count for nothing.
pub fn decode(steps: &[Step]) -> Performance<Ticks> {
    let mut decoder = Decoder {
        performance: Performance { notes: Vec::new(), pedal: Vec::new() },
        open: [None; Key::COUNT],
    };
    let (mut now, mut velocity) = (0, VELOCITY_BINS / 2);
    for symbol in steps.iter().filter_map(|step| step.get(0)) {
        match symbol {
            NOTE_ON..NOTE_OFF => decoder.strike(symbol - NOTE_ON, now, velocity),
            NOTE_OFF..TIME_SHIFT => decoder.release(symbol - NOTE_OFF, now),
            TIME_SHIFT..VELOCITY => now += shift_of(symbol),
            VELOCITY..PEDAL_DOWN => velocity = usize::from(symbol - VELOCITY),
            PEDAL_DOWN | PEDAL_UP => decoder.pedal(symbol == PEDAL_DOWN, now),
            _ => {}
        }
    }
    decoder.performance.quantise(TimeBase::Seconds)
}

/// The key of a step that is a note-on.
pub fn struck(step: Step) -> Option<Key> {
    let symbol = step.get(0).filter(|symbol| (NOTE_ON..NOTE_OFF).contains(symbol))?;
    Key::from_midi((symbol - NOTE_ON) as u8)
}

/// How much time a step lets pass.
pub fn waits(step: Step) -> Ticks {
    step.get(0).filter(|symbol| (TIME_SHIFT..VELOCITY).contains(symbol)).map_or(0, shift_of)
}

pub(crate) fn shift_of(symbol: u16) -> Ticks {
    Ticks::from(symbol - TIME_SHIFT) + 1
}

fn seconds(ticks: Ticks) -> f64 {
    f64::from(ticks) / TimeBase::Seconds.ticks_per_unit()
}

/// A performance growing note by note.
struct Decoder {
    performance: Performance<f64>,
    /// Index of the note that sounds on each key, and when it began.
    open: [Option<(usize, Ticks)>; Key::COUNT],
}

impl Decoder {
    fn strike(&mut self, midi: u16, now: Ticks, velocity: usize) {
        let Some(key) = Key::from_midi(midi as u8) else { return };
        self.release(midi, now);
        self.open[key.index()] = Some((self.performance.notes.len(), now));
        self.performance.notes.push(Note {
            onset: seconds(now),
            duration: seconds(MAX_TICKS),
            key,
            velocity: Velocity::from_bin(velocity),
        });
    }

    fn release(&mut self, midi: u16, now: Ticks) {
        let Some(key) = Key::from_midi(midi as u8) else { return };
        if let Some((note, onset)) = self.open[key.index()].take() {
            self.performance.notes[note].duration = seconds((now - onset).min(MAX_TICKS));
        }
    }

    fn pedal(&mut self, down: bool, now: Ticks) {
        self.performance.pedal.push(PedalChange { time: seconds(now), down });
    }
}
