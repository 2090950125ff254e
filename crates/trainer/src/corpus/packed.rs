//! A performance as the records of a corpus, and back.

use etude_pianist::note::{Key, Note, PedalChange, Performance, Velocity};
use etude_pianist::time::{Bar, TimeBase, TimeSignature};

use super::record::{BarRecord, EventRecord, PEDAL_DOWN, PEDAL_UP, REST};

/// The longest performance that a corpus takes, in seconds or quarter notes: more than a day. It bounds what one
/// hostile file can make of a corpus, as long silences take up records.
pub const LONGEST: f64 = 100_000.0;

/// A performance, ready to be written to a corpus: about 6 bytes per note or pedal change.
#[derive(Debug, Clone)]
pub struct Packed {
    pub(super) time_base: TimeBase,
    pub(super) events: Vec<EventRecord>,
    pub(super) bars: Vec<BarRecord>,
    note_count: usize,
    duration: f64,
}

/// The performance lasts longer than [`LONGEST`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it lasts longer than a day")]
pub struct TooLong;

impl Packed {
    /// Packs a performance and its bars, both in the unit of `time_base`, and moves them together so that the first
    /// note is at 0 or, where there are bars, in the bar that starts at 0. The pedal is as it was when that begins.
    pub fn new(performance: &Performance<f64>, bars: &[Bar], time_base: TimeBase) -> Result<Packed, TooLong> {
        let origin = performance.notes.first().map_or(0.0, |note| bar_start(note.onset, bars));
        if performance.last_event() - origin > LONGEST {
            return Err(TooLong);
        }
        let scale = parts_per_unit(time_base);
        // Rounds, as the conversion cuts off; what is before the origin goes there.
        let part = |time: f64| ((time - origin) * scale + 0.5) as u32;
        let last = part(performance.last_event());
        let events = pack_events(performance, part);
        let bars = pack_bars(bars, part, last);
        let view = PackedView { time_base, events: &events, bars: &bars };
        let (note_count, duration) = (view.note_count(), view.duration());
        Ok(Packed { time_base, events, bars, note_count, duration })
    }

    /// The notes, to the nearest tenth of a tick, sorted by onset, then by key.
    pub fn notes(&self) -> impl Iterator<Item = Note<f64>> {
        notes(&self.events, self.time_base)
    }

    /// What was packed, to the nearest tenth of a tick.
    pub fn performance(&self) -> Performance<f64> {
        self.view().performance()
    }

    /// The bars that were packed with it.
    pub fn bars(&self) -> Vec<Bar> {
        self.view().bars()
    }

    /// How many notes it has.
    pub fn note_count(&self) -> usize {
        self.note_count
    }

    /// From 0 to the end of the last note or the last pedal change, in seconds or quarter notes.
    pub fn duration(&self) -> f64 {
        self.duration
    }

    fn view(&self) -> PackedView<'_> {
        PackedView { time_base: self.time_base, events: &self.events, bars: &self.bars }
    }
}

/// The records of one performance, wherever they lie.
pub(super) struct PackedView<'a> {
    pub time_base: TimeBase,
    pub events: &'a [EventRecord],
    pub bars: &'a [BarRecord],
}

impl PackedView<'_> {
    pub fn performance(&self) -> Performance<f64> {
        let change = |(time, event): (f64, &EventRecord)| {
            let down = event.key == PEDAL_DOWN;
            (down || event.key == PEDAL_UP).then_some(PedalChange { time, down })
        };
        let mut performance = Performance { notes: Vec::with_capacity(self.events.len()), pedal: Vec::new() };
        performance.notes.extend(notes(self.events, self.time_base));
        performance.pedal.extend(timed(self.events, self.time_base).filter_map(change));
        performance
    }

    pub fn bars(&self) -> Vec<Bar> {
        let unit = |parts: u32| f64::from(parts) / parts_per_unit(self.time_base);
        let bar = |record: &BarRecord| Bar {
            start: unit(record.start.get()),
            numerator: record.numerator,
            denominator: record.denominator,
        };
        self.bars.iter().map(bar).collect()
    }

    pub fn note_count(&self) -> usize {
        self.events.iter().filter(|event| event.key < PEDAL_DOWN).count()
    }

    pub fn duration(&self) -> f64 {
        let (mut now, mut last) = (0, 0);
        for event in self.events {
            now += u64::from(event.delta.get());
            last = last.max(now + u64::from(event.duration.get()));
        }
        last as f64 / parts_per_unit(self.time_base)
    }

    /// Checks what opening a corpus promises about these records; the error says what is wrong.
    pub fn check(&self) -> Result<(), &'static str> {
        if self.duration() > LONGEST {
            return Err("a performance is too long");
        }
        let (mut last_key, mut pedal_down) = (0, false);
        for event in self.events {
            if event.delta.get() > 0 {
                last_key = 0;
            }
            match event.key {
                PEDAL_DOWN | PEDAL_UP if (event.key == PEDAL_DOWN) == pedal_down => {
                    return Err("a pedal goes the same way twice");
                }
                PEDAL_DOWN | PEDAL_UP => pedal_down = !pedal_down,
                REST => {}
                key if key > REST || !(1..=127).contains(&event.velocity) => {
                    return Err("it has a key or a velocity that no piano has");
                }
                key if key < last_key => return Err("its notes are out of order"),
                key => last_key = key,
            }
        }
        if !self.bars.is_sorted_by(|a, b| a.start.get() < b.start.get()) {
            return Err("its bars are out of order");
        }
        let metre = |bar: &BarRecord| TimeSignature::new(bar.numerator, bar.denominator);
        if self.bars.iter().any(|bar| metre(bar).is_err()) {
            return Err("it has a bar of an unknown metre");
        }
        Ok(())
    }
}

/// The notes among records, in seconds or quarter notes.
fn notes(events: &[EventRecord], time_base: TimeBase) -> impl Iterator<Item = Note<f64>> {
    let parts_per_unit = parts_per_unit(time_base);
    timed(events, time_base).filter_map(move |(onset, event)| {
        let key = Key::from_index(event.key.into())?;
        let duration = f64::from(event.duration.get()) / parts_per_unit;
        Some(Note { onset, duration, key, velocity: Velocity::new(event.velocity) })
    })
}

/// Records with their times in seconds or quarter notes.
fn timed(events: &[EventRecord], time_base: TimeBase) -> impl Iterator<Item = (f64, &EventRecord)> {
    let parts_per_unit = parts_per_unit(time_base);
    let mut now = 0;
    events.iter().map(move |event| {
        now += u64::from(event.delta.get());
        (now as f64 / parts_per_unit, event)
    })
}

/// Tenths of a tick in a second or a quarter note.
fn parts_per_unit(time_base: TimeBase) -> f64 {
    10.0 * time_base.ticks_per_unit()
}

/// The start of the bar around `time`, or `time` itself where there are no bars.
fn bar_start(time: f64, bars: &[Bar]) -> f64 {
    let later = bars.partition_point(|bar| bar.start <= time);
    match bars[..later].last() {
        Some(bar) => bar.start + ((time - bar.start) / bar.quarters()).floor() * bar.quarters(),
        None => time,
    }
}

/// Merges notes and pedal changes into one sequence of records; `part` places a time on the fine grid.
fn pack_events(performance: &Performance<f64>, part: impl Fn(f64) -> u32) -> Vec<EventRecord> {
    let mut events = Events { records: Vec::with_capacity(performance.notes.len()), now: 0 };
    let mut pedal = pedal_from(performance, &part).into_iter().peekable();
    let mut place_pedal = |events: &mut Events, until: u32| {
        while let Some((time, down)) = pedal.next_if(|&(time, _)| time <= until) {
            events.push(time, 0, if down { PEDAL_DOWN } else { PEDAL_UP }, 0);
        }
    };
    for (onset, note) in notes_in_order(performance, &part) {
        place_pedal(&mut events, onset);
        let duration = part(note.end()).saturating_sub(onset).clamp(1, u16::MAX.into());
        events.push(onset, duration as u16, note.key.index() as u8, note.velocity.midi());
    }
    place_pedal(&mut events, u32::MAX);
    events.records
}

/// Notes with their places; those that rounding has put in one place are sorted by key again.
fn notes_in_order(performance: &Performance<f64>, part: impl Fn(f64) -> u32) -> Vec<(u32, &Note<f64>)> {
    let mut notes: Vec<_> = performance.notes.iter().map(|note| (part(note.onset), note)).collect();
    notes.sort_by_key(|&(onset, note)| (onset, note.key));
    notes
}

/// Pedal changes with their places; of those before the start only the last state is kept.
fn pedal_from(performance: &Performance<f64>, part: impl Fn(f64) -> u32) -> Vec<(u32, bool)> {
    let mut changes: Vec<_> =
        performance.pedal.iter().map(|change| (part(change.time), change.down)).collect();
    let before_start = changes.partition_point(|&(time, _)| time == 0);
    let down_at_start = before_start > 0 && changes[before_start - 1].1;
    changes.drain(..before_start - usize::from(down_at_start));
    changes
}

struct Events {
    records: Vec<EventRecord>,
    now: u32,
}

impl Events {
    /// Adds an event at `time`, and rests where the silence before it is too long for one record.
    fn push(&mut self, time: u32, duration: u16, key: u8, velocity: u8) {
        let mut gap = time.saturating_sub(self.now);
        while gap > u32::from(u16::MAX) {
            let rest = EventRecord { delta: u16::MAX.into(), duration: 0.into(), key: REST, velocity: 0 };
            self.records.push(rest);
            gap -= u32::from(u16::MAX);
        }
        self.records.push(EventRecord {
            delta: (gap as u16).into(),
            duration: duration.into(),
            key,
            velocity,
        });
        self.now = time;
    }
}

/// Bar lines with their places; of those before the start only the metre of the last is kept, and of those after the
/// last event none.
fn pack_bars(bars: &[Bar], part: impl Fn(f64) -> u32, last: u32) -> Vec<BarRecord> {
    let place = |bar: &Bar| BarRecord {
        start: part(bar.start).into(),
        numerator: bar.numerator,
        denominator: bar.denominator,
    };
    let mut records: Vec<BarRecord> = bars.iter().map(place).filter(|bar| bar.start.get() <= last).collect();
    records.reverse();
    records.dedup_by_key(|record| record.start.get());
    records.reverse();
    records
}
