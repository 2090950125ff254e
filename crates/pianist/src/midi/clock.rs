//! From a file's ticks to seconds and quarter notes.

use midly::Timing;

use super::MidiError;
use crate::time::{Anchor, BeatMap, TimeSignature};

/// The tempo where a file names none, in microseconds per quarter note: 120 a minute.
const DEFAULT_TEMPO: u32 = 500_000;

/// The tempo map of a file.
pub(super) struct Clock {
    /// At least one, the first at tick 0, strictly increasing.
    stretches: Vec<Stretch>,
    ticks_per_quarter: f64,
}

/// A stretch of one tempo.
#[derive(Clone, Copy)]
struct Stretch {
    tick: u64,
    seconds: f64,
    seconds_per_tick: f64,
}

/// How a file divides time, checked to be usable.
#[derive(Clone, Copy)]
pub(super) enum Division {
    PerQuarter(f64),
    PerSecond(f64),
}

impl Division {
    pub(super) fn new(timing: Timing) -> Result<Division, MidiError> {
        match timing {
            Timing::Metrical(ticks) if ticks.as_int() > 0 => {
                Ok(Division::PerQuarter(f64::from(ticks.as_int())))
            }
            Timing::Timecode(frames, ticks) if ticks > 0 => {
                Ok(Division::PerSecond(f64::from(frames.as_f32()) * f64::from(ticks)))
            }
            _ => Err(MidiError::NoDivision),
        }
    }
}

impl Clock {
    /// The clock of a file with these tempi: tick and microseconds per quarter note, sorted by tick, none zero.
    /// In a file that divides seconds, tempi mean nothing.
    pub(super) fn new(division: Division, tempi: &[(u64, u32)]) -> Clock {
        match division {
            Division::PerQuarter(ticks) => Clock::with_tempi(ticks, tempi),
            Division::PerSecond(ticks) => Clock {
                stretches: vec![Stretch { tick: 0, seconds: 0.0, seconds_per_tick: 1.0 / ticks }],
                ticks_per_quarter: ticks * f64::from(DEFAULT_TEMPO) / 1e6,
            },
        }
    }

    /// When a tick is, in seconds.
    pub(super) fn seconds(&self, tick: u64) -> f64 {
        let later = match self.stretches.as_slice() {
            [_] => 1,
            stretches => stretches.partition_point(|stretch| stretch.tick <= tick),
        };
        self.stretches[later - 1].seconds_at(tick)
    }

    /// The beats and bars of a file with these time signatures, sorted by tick.
    pub(super) fn beat_map(&self, metres: &[(u64, TimeSignature)]) -> BeatMap {
        let quarters = |tick: u64| tick as f64 / self.ticks_per_quarter;
        let anchor = |stretch: &Stretch| Anchor {
            seconds: stretch.seconds,
            quarters: quarters(stretch.tick),
            quarters_per_second: 1.0 / (stretch.seconds_per_tick * self.ticks_per_quarter),
        };
        let metres: Vec<_> = metres.iter().map(|&(tick, metre)| (quarters(tick), metre)).collect();
        BeatMap::from_tempi(self.stretches.iter().map(anchor).collect(), &metres)
    }

    fn with_tempi(ticks_per_quarter: f64, tempi: &[(u64, u32)]) -> Clock {
        let seconds_per_tick = |tempo: u32| f64::from(tempo) / 1e6 / ticks_per_quarter;
        let mut current =
            Stretch { tick: 0, seconds: 0.0, seconds_per_tick: seconds_per_tick(DEFAULT_TEMPO) };
        let mut stretches = Vec::with_capacity(tempi.len() + 1);
        for &(tick, tempo) in tempi {
            if tick > current.tick {
                stretches.push(current);
            }
            let seconds = current.seconds_at(tick);
            current = Stretch { tick, seconds, seconds_per_tick: seconds_per_tick(tempo) };
        }
        stretches.push(current);
        Clock { stretches, ticks_per_quarter }
    }
}

impl Stretch {
    fn seconds_at(&self, tick: u64) -> f64 {
        self.seconds + (tick - self.tick) as f64 * self.seconds_per_tick
    }
}
