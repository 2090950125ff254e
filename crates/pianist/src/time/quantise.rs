//! Performances on the tick grid.

use super::{MAX_TICKS, Ticks, TimeBase};
use crate::note::{Note, PedalChange, Performance, on_one_keyboard};

/// Times beyond this many ticks (three thousand years) are held there, so that sums of ticks cannot overflow.
const FARTHEST: f64 = 1e13;

impl Performance<f64> {
    /// The performance, in the unit of `base`, on the tick grid: what both alphabets spell exactly.
    ///
    /// Times round to the nearest tick from 0 on. Notes of one key at one tick become one, as loud as the loudest and
    /// as long as the longest; a note still sounding when its key is struck again ends there; a note lasts 1 to
    /// [`MAX_TICKS`]. The pedal changes at most once per tick (the last state counts) and alternates, beginning with
    /// a press. Where no onset or pedal change follows the previous one (or the start) within [`MAX_TICKS`],
    /// everything later moves forward to leave just that gap. Quantising twice changes nothing more.
    pub fn quantise(&self, base: TimeBase) -> Performance<Ticks> {
        let tick = |time: f64| (time * base.ticks_per_unit()).round().clamp(0.0, FARTHEST) as u64;
        let mut notes: Vec<Note<u64>> = self
            .notes
            .iter()
            .map(|note| {
                let onset = tick(note.onset);
                let duration = tick(note.end()).saturating_sub(onset).max(1);
                Note { onset, duration, key: note.key, velocity: note.velocity }
            })
            .collect();
        on_one_keyboard(&mut notes);
        close_gaps(&notes, &quantise_pedal(&self.pedal, tick))
    }
}

impl Performance<Ticks> {
    /// The performance in the unit of `base`, seconds or quarter notes; quantised again it gives the same ticks.
    pub fn unquantise(&self, base: TimeBase) -> Performance<f64> {
        let unit = |ticks: Ticks| f64::from(ticks) / base.ticks_per_unit();
        let place_note = |note: &Note<Ticks>| Note {
            onset: unit(note.onset),
            duration: unit(note.duration),
            key: note.key,
            velocity: note.velocity,
        };
        Performance {
            notes: self.notes.iter().map(place_note).collect(),
            pedal: self
                .pedal
                .iter()
                .map(|change| PedalChange { time: unit(change.time), down: change.down })
                .collect(),
        }
    }
}

/// The last state of each tick, where it differs from the one before; the pedal starts up.
fn quantise_pedal(pedal: &[PedalChange<f64>], tick: impl Fn(f64) -> u64) -> Vec<PedalChange<u64>> {
    let mut changes: Vec<PedalChange<u64>> =
        pedal.iter().map(|change| PedalChange { time: tick(change.time), down: change.down }).collect();
    changes.sort_by_key(|change| change.time);
    changes.dedup_by(|later, earlier| {
        let same = later.time == earlier.time;
        if same {
            earlier.down = later.down;
        }
        same
    });
    let mut down = false;
    changes.retain(|change| std::mem::replace(&mut down, change.down) != change.down);
    changes
}

/// Walks notes and pedal changes, both sorted, in the order of time and shortens every gap to [`MAX_TICKS`].
fn close_gaps(notes: &[Note<u64>], pedal: &[PedalChange<u64>]) -> Performance<Ticks> {
    let mut quantised =
        Performance { notes: Vec::with_capacity(notes.len()), pedal: Vec::with_capacity(pedal.len()) };
    let (mut last, mut now) = (0, 0 as Ticks);
    let mut arrive = |time: u64| {
        let gap = (time - last).min(u64::from(MAX_TICKS)) as Ticks;
        last = time;
        now = now.saturating_add(gap);
        now
    };
    let mut pedal = pedal.iter().peekable();
    for note in notes {
        while let Some(change) = pedal.next_if(|change| change.time <= note.onset) {
            quantised.pedal.push(PedalChange { time: arrive(change.time), down: change.down });
        }
        quantised.notes.push(Note {
            onset: arrive(note.onset),
            duration: note.duration.min(u64::from(MAX_TICKS)) as Ticks,
            key: note.key,
            velocity: note.velocity,
        });
    }
    for change in pedal {
        quantised.pedal.push(PedalChange { time: arrive(change.time), down: change.down });
    }
    quantised
}
