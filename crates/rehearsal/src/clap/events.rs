//! Blocks and events as CLAP has them.

use std::time::{Duration, Instant};

use clack_host::events::event_types::*;
use clack_host::events::spaces::CoreEventSpace;
use clack_host::events::{EventFlags, Match, Pckn, UnknownEvent};
use clack_host::prelude::*;
use clack_host::utils::{BeatTime, ClapId, SecondsTime};

use super::handlers::Handlers;
use crate::plugin::{Block, Event, HostError, Message, Setup, Transport};

/// Plays blocks, and adds how long each took to `times`; to be called on the audio thread.
pub(super) fn play(
    audio: &mut StartedPluginAudioProcessor<Handlers>,
    blocks: &[Block],
    setup: &Setup,
    times: &mut Vec<Duration>,
) -> Result<Vec<Event>, HostError> {
    let mut channels = vec![vec![0.0f32; setup.longest_block as usize]; 2];
    let mut ports = AudioPorts::with_capacity(2, 1);
    let mut out = EventBuffer::with_capacity(1024);
    let mut events = Vec::new();
    let mut now = 0;
    for block in blocks {
        out.clear();
        let input = input(block);
        let transport = block.transport.as_ref().map(|host| transport(host, 0));
        for channel in &mut channels {
            channel.fill(1.0);
        }
        let frames = channels.iter_mut().map(|channel| &mut channel[..block.samples as usize]);
        let channels_out = AudioPortBufferType::f32_output_only(frames);
        let mut outputs = ports.with_output_buffers([AudioPortBuffer { latency: 0, channels: channels_out }]);
        let started = Instant::now();
        let processed = audio.process(
            &InputAudioBuffers::empty(),
            &mut outputs,
            &input.as_input(),
            &mut out.as_output(),
            Some(now),
            transport.as_ref(),
        );
        times.push(started.elapsed());
        processed.map_err(|error| HostError::Misbehaved(format!("failed to process: {error}")))?;
        let sounds = channels.iter().flat_map(|channel| &channel[..block.samples as usize]);
        crate::recording::check_silence(sounds)?;
        let first = events.len();
        for event in out.iter() {
            if let Some(message) = message(event)? {
                events.push(Event { sample: u64::from(event.header().time()), message });
            }
        }
        crate::recording::place(&mut events[first..], now, block.samples)?;
        now += u64::from(block.samples);
    }
    Ok(events)
}

/// What a plugin gets in a block.
pub(super) fn input(block: &Block) -> EventBuffer {
    let mut events = EventBuffer::new();
    for &(knob, value) in &block.turned {
        if let Some(id) = ClapId::from_raw(knob) {
            events.push(&ParamValueEvent::new(0, id, Pckn::match_all(), value));
        }
    }
    for (sample, host) in &block.changes {
        events.push(&transport(host, *sample));
    }
    for &(sample, message) in &block.played {
        match message {
            Message::On(key, velocity) => {
                events.push(&NoteOnEvent::new(sample, voice(key), f64::from(velocity) / 127.0));
            }
            Message::Off(key) => events.push(&NoteOffEvent::new(sample, voice(key), 0.0)),
            Message::Control(number, value) => {
                events.push(&MidiEvent::new(sample, 0, [0xB0, number, value]));
            }
        }
    }
    events
}

/// A key on the first channel, or the wildcard of everything.
fn voice(key: u8) -> Pckn {
    if key > 127 { Pckn::match_all() } else { Pckn::new(0u16, 0u16, u16::from(key), Match::All) }
}

fn message(event: &UnknownEvent) -> Result<Option<Message>, HostError> {
    let unexpected = || HostError::Misbehaved(format!("sent an unexpected event: {event:?}"));
    let key =
        |key: Match<u16>| key.into_specific().and_then(|key| u8::try_from(key).ok()).ok_or_else(unexpected);
    Ok(Some(match event.as_core_event().ok_or_else(unexpected)? {
        CoreEventSpace::NoteOn(on) => Message::On(key(on.key())?, (on.velocity() * 127.0).round() as u8),
        CoreEventSpace::NoteOff(off) => Message::Off(key(off.key())?),
        CoreEventSpace::Midi(midi) if midi.data()[0] == 0xB0 => {
            Message::Control(midi.data()[1], midi.data()[2])
        }
        // The plugin turns its own knobs.
        CoreEventSpace::ParamValue(_)
        | CoreEventSpace::ParamGestureBegin(_)
        | CoreEventSpace::ParamGestureEnd(_) => return Ok(None),
        _ => return Err(unexpected()),
    }))
}

/// Where a host is at a sample of a block.
fn transport(host: &Transport, sample: u32) -> TransportEvent {
    let mut flags = TransportFlags::HAS_TEMPO
        | TransportFlags::HAS_BEATS_TIMELINE
        | TransportFlags::HAS_SECONDS_TIMELINE
        | TransportFlags::HAS_TIME_SIGNATURE;
    flags.set(TransportFlags::IS_PLAYING, host.playing);
    flags.set(TransportFlags::IS_LOOP_ACTIVE, host.repeat.is_some());
    let repeat = host.repeat.clone().unwrap_or(0.0..0.0);
    let (numerator, denominator) = host.time_signature;
    // At the tempo of now.
    let seconds =
        |place: f64| SecondsTime::from_float(host.time + (place - host.position) * 60.0 / host.tempo);
    let bar = 4.0 * f64::from(numerator) / f64::from(denominator);
    TransportEvent {
        header: EventHeader::new_core(sample, EventFlags::empty()),
        flags,
        song_pos_beats: BeatTime::from_float(host.position),
        song_pos_seconds: seconds(host.position),
        tempo: host.tempo,
        tempo_inc: 0.0,
        loop_start_beats: BeatTime::from_float(repeat.start),
        loop_end_beats: BeatTime::from_float(repeat.end),
        loop_start_seconds: seconds(repeat.start),
        loop_end_seconds: seconds(repeat.end),
        bar_start: BeatTime::from_float(host.bar),
        bar_number: (host.bar / bar).round() as i32,
        time_signature_numerator: numerator,
        time_signature_denominator: denominator,
    }
}
