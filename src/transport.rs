//! From the host's words to the player's, and back.

use etude_pianist::midi::Action;
use nice_plug::midi::{Channel, Key, VoiceID};
use nice_plug::prelude::{NoteEvent, Transport, control_change};

use crate::player::{Block, Event};
use crate::session::DEFAULT_TEMPO;

/// Release velocity that stands for none.
const RELEASE: f32 = 64.0 / 127.0;

/// A block of `samples` at the host's transport.
pub fn block(transport: &Transport, sample_rate: f64, samples: usize) -> Block {
    let position = transport.pos_beats();
    Block {
        sample_rate,
        samples: samples as u32,
        playing: transport.playing && position.is_some(),
        tempo: transport.tempo.unwrap_or(DEFAULT_TEMPO),
        position: position.unwrap_or(0.0),
        repeat: transport.loop_range_beats().map(|(start, end)| start..end),
    }
}

/// An event as hosts want it: on channel 1.
pub fn event(event: Event) -> NoteEvent<()> {
    let Event { sample: timing, action } = event;
    let (voice_id, channel) = (VoiceID::Wildcard, Channel::Number(0));
    match action {
        Action::Release(key) => {
            NoteEvent::NoteOff { timing, voice_id, channel, key: Key::Number(key.midi()), velocity: RELEASE }
        }
        Action::Strike(key, velocity) => {
            let (key, velocity) = (Key::Number(key.midi()), f32::from(velocity.midi()) / 127.0);
            NoteEvent::NoteOn { timing, voice_id, channel, key, velocity }
        }
        Action::Pedal(down) => NoteEvent::MidiCC {
            timing,
            channel: 0,
            cc: control_change::DAMPER_PEDAL,
            value: if down { 1.0 } else { 0.0 },
        },
    }
}
