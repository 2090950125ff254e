//! A session in a project file: numbers only, in an order that never changes, so that the same session gives the same
//! bytes.

use std::ops::Range;
use std::sync::Arc;

use etude_pianist::composer::{self, Knobs, MAX_QUARTERS, Request};
use etude_pianist::locks::{Locks, Scale, Tonic};
use etude_pianist::note::{Key, Note, PedalChange, Performance, Velocity};
use etude_pianist::sampler::{Freedom, Temperatures};
use etude_pianist::time::TimeSignature;
use serde::{Deserialize, Serialize};

use super::Entry;
use super::state::{MOST_ENTRIES, Restored, State};
use crate::generator::bars::only;
use crate::params::Mode;
use crate::pianists;
use crate::take::{Place, Take};

/// Version of the form; one of another is left alone.
const VERSION: u32 = 1;
/// Bars beyond this can't be locked.
const LAST_BAR: u32 = MAX_QUARTERS as u32 * 16;
/// The furthest that a take begins from the project's start, in ticks.
const FURTHEST: i64 = 1 << 40;

/// A session as it is saved.
#[derive(Debug, Serialize, Deserialize)]
pub struct Saved {
    version: u32,
    pianist: String,
    device: String,
    current: Option<u64>,
    locks: Vec<u32>,
    takes: Vec<SavedTake>,
}

#[derive(Debug, Serialize, Deserialize)]
struct SavedTake {
    id: u64,
    pianist: String,
    starred: bool,
    seed: u64,
    tempo: f64,
    time_signature: TimeSignature,
    /// Length in quarter notes, and how much of it is composed.
    quarters: f64,
    decided: f64,
    /// Bars that it has after that; in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    kept: Vec<Range<u32>>,
    anchor: i64,
    endless: bool,
    knobs: SavedKnobs,
    /// Onset, duration, MIDI key, velocity.
    notes: Vec<(f64, f64, u8, u8)>,
    pedal: Vec<(f64, bool)>,
}

#[derive(Debug, Serialize, Deserialize)]
struct SavedKnobs {
    /// Temperatures (master, pitch, time, dynamics, length), top-p and min-p.
    freedom: [f32; 7],
    density: Option<f32>,
    scale: Option<(Tonic, Scale)>,
    keys: (u8, u8),
    polyphony: usize,
}

impl Saved {
    pub(super) fn of(state: &State) -> Saved {
        Saved {
            version: VERSION,
            pianist: state.pianist.0.name.clone(),
            device: state.device.to_string(),
            current: state.current,
            locks: state.locks.iter().copied().collect(),
            takes: state.history.iter().map(SavedTake::of).collect(),
        }
    }

    /// The session, if all of it makes sense.
    pub(super) fn restore(self) -> Option<Restored> {
        let Saved { version, pianist, device, current, locks, takes } = self;
        let device = device.parse().ok()?;
        if version != VERSION || takes.len() > MOST_ENTRIES || locks.iter().any(|bar| *bar > LAST_BAR) {
            return None;
        }
        let history: Vec<Entry> = takes.into_iter().map(SavedTake::restore).collect::<Option<_>>()?;
        let ids_rise = history.windows(2).all(|pair| pair[0].id < pair[1].id);
        let is_there = current.is_none_or(|id| history.iter().any(|entry| entry.id == id));
        (ids_rise && is_there && history.last().is_none_or(|entry| entry.id < u64::MAX >> 1)).then(|| {
            let pianist = pianists::named(&pianist, &pianists::found());
            Restored { history, current, locks: locks.into_iter().collect(), pianist, device }
        })
    }
}

impl SavedTake {
    fn of(entry: &Entry) -> SavedTake {
        let take = &entry.take;
        let composer::Take { seed, tempo, time_signature, quarters, performance } = take.music();
        let Place { anchor, mode } = take.place();
        // Of a take that grows, the whole bars: the rest is composed again.
        let bar = time_signature.quarters_per_bar();
        let decided = take.decided().min(f64::from(take.bars()) * bar);
        let whole = decided >= *quarters;
        let runs = take.runs();
        let saved = if whole { performance } else { &only(performance, &runs, bar, f64::INFINITY) };
        SavedTake {
            id: entry.id,
            pianist: entry.pianist.clone(),
            starred: entry.starred,
            seed: *seed,
            tempo: *tempo,
            time_signature: *time_signature,
            quarters: *quarters,
            decided,
            kept: runs.into_iter().filter(|run| run.start >= take.bars()).collect(),
            anchor,
            endless: mode == Mode::Endless,
            knobs: SavedKnobs::of(&entry.knobs),
            notes: saved
                .notes
                .iter()
                .map(|note| (note.onset, note.duration, note.key.midi(), note.velocity.midi()))
                .collect(),
            pedal: saved.pedal.iter().map(|change| (change.time, change.down)).collect(),
        }
    }

    fn restore(self) -> Option<Entry> {
        let SavedTake { id, pianist, starred, seed, tempo, time_signature, quarters, decided, .. } = self;
        let inside = |time: f64| (0.0..=quarters).contains(&time);
        let bars = quarters / time_signature.quarters_per_bar();
        let sensible = bars >= 1.0
            && bars.fract() == 0.0
            && quarters <= MAX_QUARTERS
            && inside(decided)
            && self.kept.iter().all(|run| !run.is_empty() && f64::from(run.end) <= bars)
            && self.kept.is_sorted_by(|one, next| one.end <= next.start)
            && (-FURTHEST..=FURTHEST).contains(&self.anchor)
            && self.notes.is_sorted_by(|a, b| a.0 <= b.0)
            && self.pedal.is_sorted_by(|a, b| a.0 <= b.0)
            && self.pedal.iter().all(|change| inside(change.0));
        let note = |(onset, duration, key, velocity): (f64, f64, u8, u8)| {
            let note = Note { onset, duration, key: Key::from_midi(key)?, velocity: Velocity::new(velocity) };
            (inside(onset) && (0.0..=MAX_QUARTERS).contains(&duration)).then_some(note)
        };
        let notes = self.notes.into_iter().map(note).collect::<Option<Vec<_>>>()?;
        let pedal = self.pedal.into_iter().map(|(time, down)| PedalChange { time, down }).collect();
        let possible = Request { tempo, time_signature, bars: 1, ..Request::default() };
        if !sensible || possible.check().is_err() {
            return None;
        }
        let can_be_met = |knobs: &Knobs| Request { knobs: knobs.clone(), ..possible }.check().is_ok();
        // They only say what the take was asked to be like: no reason to lose it.
        let knobs = self.knobs.restore().filter(can_be_met).unwrap_or_default();
        let mode = if self.endless { Mode::Endless } else { Mode::Loop };
        let performance = Performance { notes, pedal };
        let music = composer::Take { seed, tempo, time_signature, quarters, performance };
        let take = Take::new(music, Place { anchor: self.anchor, mode }, decided).with_kept(self.kept);
        Some(Entry { id, take: Arc::new(take), pianist, knobs, starred })
    }
}

impl SavedKnobs {
    fn of(knobs: &Knobs) -> SavedKnobs {
        let Freedom { temperatures, top_p, min_p } = knobs.freedom;
        let Temperatures { master, pitch, time, dynamics, length } = temperatures;
        let Locks { scale, lowest, highest, polyphony } = knobs.locks;
        SavedKnobs {
            freedom: [master, pitch, time, dynamics, length, top_p, min_p],
            density: knobs.density,
            scale,
            keys: (lowest.midi(), highest.midi()),
            polyphony,
        }
    }

    fn restore(self) -> Option<Knobs> {
        let [master, pitch, time, dynamics, length, top_p, min_p] = self.freedom;
        let temperatures = Temperatures { master, pitch, time, dynamics, length };
        let (lowest, highest) = (Key::from_midi(self.keys.0)?, Key::from_midi(self.keys.1)?);
        let locks = Locks { scale: self.scale, lowest, highest, polyphony: self.polyphony };
        let freedom = Freedom { temperatures, top_p, min_p };
        Some(Knobs { freedom, density: self.density, locks, ..Knobs::default() })
    }
}
