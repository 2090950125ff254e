//! From the host's words to the player's, and back.

use etude_pianist::midi::Action;
use nice_plug::midi::{Channel, Key, VoiceID};
use nice_plug::prelude::{NoteEvent, Transport, control_change};

use crate::ear::{Clock, Heard};
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
        time: time(transport),
        repeat: transport.loop_range_beats().map(|(start, end)| start..end),
    }
}

/// Seconds from the project's start, as the host counts them; not what would follow from position and tempo.
fn time(transport: &Transport) -> Option<f64> {
    let samples = || transport.pos_samples.map(|samples| samples as f64 / f64::from(transport.sample_rate));
    transport.pos_seconds.or_else(samples).filter(|time| time.is_finite())
}

/// What a host's event means to the ear, in the block that its `clock` is in; `None` for all but keys.
pub fn heard(event: &NoteEvent<()>, clock: &Clock) -> Option<Heard> {
    let (key, velocity) = match *event {
        NoteEvent::NoteOn { key, velocity, .. } => (key, (velocity * 127.0).round().clamp(1.0, 127.0) as u8),
        NoteEvent::NoteOff { key, .. } | NoteEvent::Choke { key, .. } => (key, 0),
        _ => return None,
    };
    Some(Heard { tick: clock.tick(event.timing()), key: key.number()?, velocity })
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
