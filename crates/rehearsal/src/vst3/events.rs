//! Blocks and events as VST3 has them.

use std::time::{Duration, Instant};

use vst3::Steinberg::Vst::Event_::EventTypes_;
use vst3::Steinberg::Vst::ProcessContext_::StatesAndFlags_;
use vst3::Steinberg::Vst::*;
use vst3::Steinberg::*;
use vst3::{ComPtr, ComWrapper};

use super::com::{Events, Turn, Turns, lock};
use crate::plugin::{self, Block, HostError, Message, Setup, Transport};

/// The most events of a block.
const MOST_EVENTS: usize = 4096;

/// Plays blocks, and adds how long each took to `times`; to be called on the audio thread.
pub(super) fn play(
    processor: &ComPtr<IAudioProcessor>,
    blocks: &[Block],
    setup: &Setup,
    times: &mut Vec<Duration>,
) -> Result<Vec<plugin::Event>, HostError> {
    let mut channels = vec![vec![0.0f32; setup.longest_block as usize]; 2];
    let mut events = Vec::new();
    let mut now = 0;
    for block in blocks {
        for channel in &mut channels {
            channel.fill(1.0);
        }
        let out = process(processor, block, setup, now, &mut channels, times)?;
        let sounds = channels.iter().flat_map(|channel| &channel[..block.samples as usize]);
        crate::recording::check_silence(sounds)?;
        let first = events.len();
        for event in &out {
            let sample = event.sampleOffset as u64;
            events.push(plugin::Event { sample, message: message(event)? });
        }
        crate::recording::place(&mut events[first..], now, block.samples)?;
        now += u64::from(block.samples);
    }
    Ok(events)
}

fn process(
    processor: &ComPtr<IAudioProcessor>,
    block: &Block,
    setup: &Setup,
    now: u64,
    channels: &mut [Vec<f32>],
    times: &mut Vec<Duration>,
) -> Result<Vec<Event>, HostError> {
    let (input, output) = (ComWrapper::new(input(block)), ComWrapper::new(Events::default()));
    lock(&output.0).reserve(MOST_EVENTS);
    let turns = block.turned.iter().filter_map(|turn| ComWrapper::new(Turn(turn.0, turn.1)).to_com_ptr());
    let turns = ComWrapper::new(Turns(turns.collect()));
    let objects = (|| Some((input.to_com_ptr()?, output.to_com_ptr()?, turns.to_com_ptr()?)))();
    let (input, out, turns) = objects.ok_or(HostError::Refused("events"))?;
    let mut context = block.transport.as_ref().map(|transport| context(transport, setup, now));
    let mut pointers: Vec<*mut f32> = channels.iter_mut().map(|channel| channel.as_mut_ptr()).collect();
    // SAFETY: zeros are a value of these structures: no objects, no samples. Everything that they point to outlives the
    // call, and no channel is shorter than the longest block.
    let result = unsafe {
        let mut bus: AudioBusBuffers = std::mem::zeroed();
        bus.numChannels = pointers.len() as i32;
        bus.__field0.channelBuffers32 = pointers.as_mut_ptr();
        let mut data: ProcessData = std::mem::zeroed();
        data.processMode =
            if setup.offline { ProcessModes_::kOffline } else { ProcessModes_::kRealtime } as i32;
        data.symbolicSampleSize = SymbolicSampleSizes_::kSample32 as i32;
        data.numSamples = block.samples.min(setup.longest_block) as i32;
        data.numOutputs = 1;
        data.outputs = &mut bus;
        data.inputParameterChanges = turns.as_ptr();
        data.inputEvents = input.as_ptr();
        data.outputEvents = out.as_ptr();
        data.processContext = context.as_mut().map_or(std::ptr::null_mut(), |context| context);
        let started = Instant::now();
        let result = processor.process(&mut data);
        times.push(started.elapsed());
        result
    };
    if result == kResultOk {
        Ok(std::mem::take(&mut *lock(&output.0)))
    } else {
        Err(HostError::Misbehaved(format!("failed to process ({result})")))
    }
}

fn context(host: &Transport, setup: &Setup, now: u64) -> ProcessContext {
    // SAFETY: zeros are a value of this structure: nothing is known.
    let mut context: ProcessContext = unsafe { std::mem::zeroed() };
    let mut state = StatesAndFlags_::kTempoValid
        | StatesAndFlags_::kProjectTimeMusicValid
        | StatesAndFlags_::kBarPositionValid
        | StatesAndFlags_::kTimeSigValid
        | StatesAndFlags_::kContTimeValid;
    if host.playing {
        state |= StatesAndFlags_::kPlaying;
    }
    if let Some(repeat) = &host.repeat {
        state |= StatesAndFlags_::kCycleActive | StatesAndFlags_::kCycleValid;
        context.cycleStartMusic = repeat.start;
        context.cycleEndMusic = repeat.end;
    }
    context.state = state as u32;
    context.sampleRate = setup.sample_rate;
    context.projectTimeSamples = (host.time * setup.sample_rate).round() as i64;
    context.continousTimeSamples = now as i64;
    context.projectTimeMusic = host.position;
    context.barPositionMusic = host.bar;
    context.tempo = host.tempo;
    context.timeSigNumerator = host.time_signature.0.into();
    context.timeSigDenominator = host.time_signature.1.into();
    context
}

fn input(block: &Block) -> Events {
    // VST3 plugins get controllers as parameters, and only those that ask for them.
    let event = |&(sample, message): &(u32, Message)| {
        // SAFETY: zeros are a value of this structure: a note on event.
        let mut event: Event = unsafe { std::mem::zeroed() };
        event.sampleOffset = sample as i32;
        match message {
            Message::On(key, velocity) => {
                event.r#type = EventTypes_::kNoteOnEvent as u16;
                event.__field0.noteOn = NoteOnEvent {
                    channel: 0,
                    pitch: pitch(key),
                    tuning: 0.0,
                    velocity: f32::from(velocity) / 127.0,
                    length: 0,
                    noteId: -1,
                };
            }
            Message::Off(key) => {
                event.r#type = EventTypes_::kNoteOffEvent as u16;
                event.__field0.noteOff =
                    NoteOffEvent { channel: 0, pitch: pitch(key), velocity: 0.0, noteId: -1, tuning: 0.0 };
            }
            Message::Control(..) => return None,
        }
        Some(event)
    };
    Events(block.played.iter().filter_map(event).collect::<Vec<_>>().into())
}

/// A key, or the wildcard of everything.
fn pitch(key: u8) -> i16 {
    if key > 127 { -1 } else { key.into() }
}

fn message(event: &Event) -> Result<Message, HostError> {
    let kind = u32::from(event.r#type);
    let unexpected = || HostError::Misbehaved(format!("sent an event of type {kind}"));
    let key = |pitch: i16| u8::try_from(pitch).map_err(|_| unexpected());
    // SAFETY: the type says which field of the union is in use; each is made of plain numbers.
    unsafe {
        if kind == EventTypes_::kNoteOnEvent as u32 {
            let on = event.__field0.noteOn;
            Ok(Message::On(key(on.pitch)?, (on.velocity * 127.0).round() as u8))
        } else if kind == EventTypes_::kNoteOffEvent as u32 {
            Ok(Message::Off(key(event.__field0.noteOff.pitch)?))
        } else if kind == EventTypes_::kLegacyMIDICCOutEvent as u32 {
            let control = event.__field0.midiCCOut;
            Ok(Message::Control(control.controlNumber, control.value as u8))
        } else {
            Err(unexpected())
        }
    }
}
