//! What came out of a plugin, and the rules that it keeps whatever the host does.

use std::collections::BTreeMap;

use crate::plugin::{Event, HostError, Message};

/// The sustain pedal among the MIDI controllers.
pub const SUSTAIN: u8 = 64;

/// Checks what must hold of all music: a key that goes down comes up before it goes down again, nothing comes up that
/// is not down, the pedal alternates, and in the end all keys and the pedal are up.
///
/// # Errors
/// The first thing that is wrong.
pub fn check_endings(events: &[Event]) -> Result<(), String> {
    let mut down = BTreeMap::new();
    let mut pedal = None;
    for &Event { sample, message } in events {
        match message {
            Message::On(key, velocity) => {
                if !(1..=127).contains(&velocity) {
                    return Err(format!("key {key} is struck with velocity {velocity} at sample {sample}"));
                }
                if let Some(before) = down.insert(key, sample) {
                    return Err(format!("key {key} is struck at {before} and, still down, at {sample}"));
                }
            }
            Message::Off(key) => {
                if down.remove(&key).is_none() {
                    return Err(format!("key {key} comes up at sample {sample}, but was not down"));
                }
            }
            Message::Control(SUSTAIN, value) => {
                if pedal.is_some() == (value >= 64) {
                    return Err(format!(
                        "the pedal goes to {value} at sample {sample}, and is there already"
                    ));
                }
                pedal = (value >= 64).then_some(sample);
            }
            Message::Control(number, _) => {
                return Err(format!("controller {number} moves at sample {sample}"));
            }
        }
    }
    if let Some((key, sample)) = down.pop_first() {
        return Err(format!("key {key}, struck at sample {sample}, never comes up"));
    }
    pedal.map_or(Ok(()), |sample| Err(format!("the pedal, pressed at sample {sample}, never comes up")))
}

/// Moves events of a block that starts at `start` to the time of the recording, if they are in it and in order.
pub(crate) fn place(events: &mut [Event], start: u64, samples: u32) -> Result<(), HostError> {
    let mut last = 0;
    for event in events {
        if event.sample >= u64::from(samples) || event.sample < last {
            let story = format!("sent {event:?} in a block of {samples} samples, after one at {last}");
            return Err(HostError::Misbehaved(story));
        }
        last = event.sample;
        event.sample += start;
    }
    Ok(())
}

/// The plugin makes notes, no sound; what was in the host's buffers must be gone.
pub(crate) fn check_silence<'a>(mut sounds: impl Iterator<Item = &'a f32>) -> Result<(), HostError> {
    match sounds.find(|sample| **sample != 0.0) {
        Some(sample) => Err(HostError::Misbehaved(format!("leaves {sample} in the audio output"))),
        None => Ok(()),
    }
}
