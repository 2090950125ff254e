//! The events of a file that matter to a piano, gathered track by track.

use midly::{EventIter, MetaMessage, MidiMessage, TrackEventKind};

use super::MidiError;
use crate::{
    note::{Key, Note, Velocity},
    time::TimeSignature,
};

const CHANNELS: usize = 16;

/// The tenth channel, by convention percussion.
const PERCUSSION: usize = 9;

const SUSTAIN: u8 = 64;
const RESET_ALL_CONTROLLERS: u8 = 121;
const ALL_SOUND_OFF: u8 = 120;
const ALL_NOTES_OFF: u8 = 123;

/// The most events of a kind that are kept. A day of ten notes a second is below it; a file beyond it was made to
/// fill memory.
const MOST_EVENTS: usize = 1 << 20;

/// What a file says, in its own ticks.
pub(super) struct Events {
    /// Of every track in turn, sorted by onset within a track and channel.
    pub notes: Vec<Note<u64>>,
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
    pub(super) fn new() -> Events {
        Events {
            notes: Vec::new(),
            pedals: Vec::new(),
            tempi: Vec::new(),
            metres: Vec::new(),
            outside_keyboard: 0,
            sounding: vec![None; CHANNELS * Key::COUNT],
            sounding_count: 0,
        }
    }

    /// Gathers a track up to its end, or to where it is damaged.
    pub(super) fn read_track(&mut self, mut track: EventIter) -> Result<(), MidiError> {
        let mut tick = 0;
        let mut status = None;
        // A damaged event ends the iteration; what came before it stands.
        while let Some(Ok(event)) = track.next() {
            tick += u64::from(event.delta.as_int());
            match event.kind {
                TrackEventKind::Midi { channel, message } => {
                    status = track.running_status();
                    self.read_message(tick, channel.as_int(), message);
                }
                TrackEventKind::Meta(MetaMessage::EndOfTrack) => break,
                TrackEventKind::Meta(message) => self.read_meta(tick, message),
                _ => {}
            }
            // Many files go on with the running status after a meta event, though the standard forbids it.
            *track.running_status_mut() = status;
            self.check_size()?;
        }
        self.end_track(tick);
        Ok(())
    }

    fn read_message(&mut self, tick: u64, channel: u8, message: MidiMessage) {
        if usize::from(channel) == PERCUSSION {
            return;
        }
        match message {
            MidiMessage::NoteOn { key, vel } if vel > 0 => {
                self.strike(tick, channel, key.as_int(), Velocity::new(vel.as_int()));
            }
            MidiMessage::NoteOn { key, .. } | MidiMessage::NoteOff { key, .. } => {
                self.release(tick, channel, key.as_int());
            }
            MidiMessage::Controller { controller, value } => {
                self.control(tick, channel, controller.as_int(), value.as_int());
            }
            _ => {}
        }
    }

    fn read_meta(&mut self, tick: u64, message: MetaMessage) {
        match message {
            MetaMessage::Tempo(tempo) if tempo.as_int() > 0 => self.tempi.push((tick, tempo.as_int())),
            MetaMessage::TimeSignature(numerator, power, ..) => {
                let denominator = 1u8.checked_shl(power.into()).unwrap_or(0);
                self.metres
                    .extend(TimeSignature::new(numerator, denominator).ok().map(|metre| (tick, metre)));
            }
            _ => {}
        }
    }

    fn control(&mut self, tick: u64, channel: u8, controller: u8, value: u8) {
        match controller {
            SUSTAIN => self.pedals.push(Sustain { tick, channel, down: value >= 64 }),
            RESET_ALL_CONTROLLERS => self.pedals.push(Sustain { tick, channel, down: false }),
            // Changing the mode (124 to 127) implies it.
            ALL_SOUND_OFF | ALL_NOTES_OFF.. => {
                let first = usize::from(channel) * Key::COUNT;
                (first..first + Key::COUNT).for_each(|voice| self.end_note(voice, tick));
            }
            _ => {}
        }
    }

    fn strike(&mut self, tick: u64, channel: u8, midi: u8, velocity: Velocity) {
        let Some(key) = Key::from_midi(midi) else {
            self.outside_keyboard += 1;
            return;
        };
        let voice = voice(channel, key);
        if let Some(sounding) = self.sounding[voice] {
            let note = &mut self.notes[sounding.index as usize];
            if note.onset == tick {
                note.velocity = note.velocity.max(velocity);
                return;
            }
            note.duration = tick - note.onset;
        } else {
            self.sounding_count += 1;
        }
        let restruck = self.sounding[voice].is_some();
        self.sounding[voice] = Some(Sounding { index: self.notes.len() as u32, restruck });
        self.notes.push(Note { onset: tick, duration: 0, key, velocity });
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

    /// Ends what hangs. Most tracks leave nothing, and a hostile file may have millions of them.
    fn end_track(&mut self, tick: u64) {
        if self.sounding_count > 0 {
            (0..self.sounding.len()).for_each(|voice| self.end_note(voice, tick));
        }
    }

    fn check_size(&self) -> Result<(), MidiError> {
        let largest = self.notes.len().max(self.pedals.len()).max(self.tempi.len()).max(self.metres.len());
        if largest > MOST_EVENTS { Err(MidiError::TooManyEvents) } else { Ok(()) }
    }
}

fn voice(channel: u8, key: Key) -> usize {
    usize::from(channel) * Key::COUNT + key.index()
}
