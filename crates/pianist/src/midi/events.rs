//! The events of a file that matter to a piano, gathered track by track.

use super::MidiError;
use super::track::{TrackEvent, TrackEvents, kind, meta};
use crate::note::{Key, Note, Velocity};
use crate::time::TimeSignature;

const CHANNELS: usize = 16;

/// The tenth channel, by convention percussion.
const PERCUSSION: u8 = 9;

const SUSTAIN: u8 = 64;
const RESET_ALL_CONTROLLERS: u8 = 121;
const ALL_SOUND_OFF: u8 = 120;
const ALL_NOTES_OFF: u8 = 123;

/// The most events of a kind that are kept. A day of ten notes a second is below it; a file beyond it was made to
/// fill memory.
const MOST_EVENTS: usize = 1 << 20;

/// What a note takes in a piano file, with its release and its share of the pedal.
const BYTES_PER_NOTE: usize = 10;

/// What a file says, in its own ticks.
pub(super) struct Events {
    /// Of every track in turn, sorted by onset within a track; those that hang have no duration.
    pub notes: Vec<Note<u64>>,
    /// Notes that no release ended, again, with a duration to the end of their track.
    pub hanging: Vec<Note<u64>>,
    /// Sustain pedals of every track in turn.
    pub pedals: Vec<Sustain>,
    /// Tick and microseconds per quarter note, never zero.
    pub tempi: Vec<(u64, u32)>,
    pub metres: Vec<(u64, TimeSignature)>,
    /// Notes left out because a piano has no such key.
    pub outside_keyboard: usize,
    /// What sounds now in this track, for each channel and key.
    sounding: Vec<Option<Sounding>>,
    /// How many of those there are.
    sounding_count: usize,
}

/// A channel's sustain pedal moves.
#[derive(Clone, Copy)]
pub(super) struct Sustain {
    pub tick: u64,
    pub channel: u8,
    pub down: bool,
}

/// A note that has not ended yet.
#[derive(Clone, Copy)]
struct Sounding {
    index: u32,
    /// Whether striking it ended another note, whose own release is still to come.
    restruck: bool,
}

impl Events {
    /// Nothing yet, with room for the notes that `bytes` of a file are likely to hold.
    pub(super) fn with_room_for(bytes: usize) -> Events {
        Events {
            notes: Vec::with_capacity((bytes / BYTES_PER_NOTE).min(MOST_EVENTS)),
            hanging: Vec::new(),
            pedals: Vec::new(),
            tempi: Vec::new(),
            metres: Vec::new(),
            outside_keyboard: 0,
            sounding: vec![None; CHANNELS * Key::COUNT],
            sounding_count: 0,
        }
    }

    /// Gathers a track up to its end, or to where it is damaged.
    pub(super) fn read_track(&mut self, bytes: &[u8]) -> Result<(), MidiError> {
        let mut track = TrackEvents::new(bytes);
        while let Some(event) = track.next() {
            match event {
                TrackEvent::Channel { channel: PERCUSSION, .. } => {}
                TrackEvent::Channel { kind, channel, data } => {
                    self.read_message(track.tick(), kind, channel, data)?;
                }
                TrackEvent::Meta { kind: meta::END_OF_TRACK, .. } => break,
                TrackEvent::Meta { kind, contents } => self.read_meta(track.tick(), kind, contents)?,
            }
        }
        self.end_track(track.tick())
    }

    fn read_message(&mut self, tick: u64, kind: u8, channel: u8, data: [u8; 2]) -> Result<(), MidiError> {
        match (kind, data) {
            (kind::NOTE_ON, [key, velocity]) if velocity > 0 => self.strike(tick, channel, key, velocity)?,
            (kind::NOTE_ON | kind::NOTE_OFF, [key, _]) => self.release(tick, channel, key),
            (kind::CONTROLLER, [SUSTAIN, value]) => {
                keep(&mut self.pedals, Sustain { tick, channel, down: value >= 64 })?;
            }
            (kind::CONTROLLER, [RESET_ALL_CONTROLLERS, _]) => {
                keep(&mut self.pedals, Sustain { tick, channel, down: false })?;
            }
            // Changing the mode (124 to 127) implies that all notes end.
            (kind::CONTROLLER, [ALL_SOUND_OFF | ALL_NOTES_OFF.., _]) => {
                let first = usize::from(channel) * Key::COUNT;
                (first..first + Key::COUNT).for_each(|voice| self.end_note(voice, tick));
            }
            _ => {}
        }
        Ok(())
    }

    fn read_meta(&mut self, tick: u64, kind: u8, contents: &[u8]) -> Result<(), MidiError> {
        match (kind, contents) {
            (meta::TEMPO, &[high, middle, low, ..]) => {
                let tempo = u32::from_be_bytes([0, high, middle, low]);
                // Time would stand still.
                if tempo > 0 {
                    keep(&mut self.tempi, (tick, tempo))?;
                }
            }
            (meta::TIME_SIGNATURE, &[numerator, power, ..]) => {
                let denominator = 1u8.checked_shl(power.into()).unwrap_or(0);
                if let Ok(metre) = TimeSignature::new(numerator, denominator) {
                    keep(&mut self.metres, (tick, metre))?;
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn strike(&mut self, tick: u64, channel: u8, midi: u8, velocity: u8) -> Result<(), MidiError> {
        let Some(key) = Key::from_midi(midi) else {
            self.outside_keyboard += 1;
            return Ok(());
        };
        let voice = voice(channel, key);
        let velocity = Velocity::new(velocity);
        if let Some(sounding) = self.sounding[voice] {
            let note = &mut self.notes[sounding.index as usize];
            if note.onset == tick {
                note.velocity = note.velocity.max(velocity);
                return Ok(());
            }
            note.duration = tick - note.onset;
        } else {
            self.sounding_count += 1;
        }
        let restruck = self.sounding[voice].is_some();
        self.sounding[voice] = Some(Sounding { index: self.notes.len() as u32, restruck });
        keep(&mut self.notes, Note { onset: tick, duration: 0, key, velocity })
    }

    fn release(&mut self, tick: u64, channel: u8, midi: u8) {
        let Some(key) = Key::from_midi(midi) else { return };
        let voice = voice(channel, key);
        if let Some(sounding) = &mut self.sounding[voice] {
            // Written after the strike of the same tick, it is the release of the note before.
            if sounding.restruck && self.notes[sounding.index as usize].onset == tick {
                sounding.restruck = false;
            } else {
                self.end_note(voice, tick);
            }
        }
    }

    fn end_note(&mut self, voice: usize, tick: u64) {
        if let Some(sounding) = self.sounding[voice].take() {
            let note = &mut self.notes[sounding.index as usize];
            note.duration = tick - note.onset;
            self.sounding_count -= 1;
        }
    }

    /// Lists what hangs. Most tracks leave nothing, and a hostile file may have millions of them.
    fn end_track(&mut self, tick: u64) -> Result<(), MidiError> {
        if self.sounding_count > 0 {
            for sounding in self.sounding.iter_mut().filter_map(Option::take) {
                let note = self.notes[sounding.index as usize];
                keep(&mut self.hanging, Note { duration: tick - note.onset, ..note })?;
            }
            self.sounding_count = 0;
        }
        Ok(())
    }
}

fn keep<T>(list: &mut Vec<T>, item: T) -> Result<(), MidiError> {
    if list.len() >= MOST_EVENTS {
        return Err(MidiError::TooManyEvents);
    }
    list.push(item);
    Ok(())
}

fn voice(channel: u8, key: Key) -> usize {
    usize::from(channel) * Key::COUNT + key.index()
}
