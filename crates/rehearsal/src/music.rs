//! The music of a plugin, learned by listening to it once, and what it must sound like whatever the transport does.

use std::thread;
use std::time::{Duration, Instant};

use etude_pianist::midi::TICKS_PER_QUARTER;
use etude_pianist::note::{Key, Note, PedalChange, Performance, Velocity};

use crate::plugin::{Event, HostError, Message, Plugin, Setup};
use crate::recording::SUSTAIN;
use crate::script::{HALF, Script, Span, Stretch};

/// Fast enough to hear one tick from the next at any tempo of music.
const SAMPLE_RATE: f64 = 192_000.0;

/// How long a plugin may take to compose: long, because other programs may have most of the machine.
const PATIENCE: Duration = Duration::from_secs(180);
/// How long it is left in peace until it is heard again.
const PAUSE: Duration = Duration::from_millis(100);

/// How far from its exact time an event may be, in samples.
const NEAREST: f64 = HALF + 1e-3;

/// A take that is repeated, from the project's start on.
#[derive(Debug, Clone, PartialEq)]
pub struct Music {
    /// Its length in ticks.
    pub length: i64,
    /// What happens, by tick.
    pub events: Vec<(i64, Message)>,
}

/// An event that must be heard.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Expected {
    /// When, in samples; it is heard at the sample nearest to it.
    pub time: f64,
    /// What.
    pub message: Message,
}

impl Music {
    /// Listens to the first quarter notes of a project, at a tempo in quarter notes per minute, until the plugin has
    /// composed all of them. The plugin is inactive afterwards.
    ///
    /// # Errors
    /// If the plugin can't play, or has no take in three minutes.
    pub fn listen(plugin: &mut dyn Plugin, quarters: u32, tempo: f64) -> Result<Music, HostError> {
        let deadline = Instant::now() + PATIENCE;
        let mut before = None;
        while Instant::now() < deadline {
            let music = Music::bounce(plugin, quarters, tempo)?;
            if music.notes() > 0 && before.as_ref() == Some(&music) {
                return Ok(music);
            }
            // A plugin that is told too late that it bounces has not waited for its music.
            thread::sleep(PAUSE);
            before = Some(music);
        }
        Err(HostError::Misbehaved(format!("has no take of {quarters} quarter notes in {PATIENCE:?}")))
    }

    /// What is heard of a bounce.
    fn bounce(plugin: &mut dyn Plugin, quarters: u32, tempo: f64) -> Result<Music, HostError> {
        let block = 4096;
        let setup = Setup { sample_rate: SAMPLE_RATE, longest_block: block, offline: true };
        let samples = f64::from(quarters) * 60.0 / tempo * SAMPLE_RATE;
        let script = Script::new(SAMPLE_RATE, [Stretch::roll(samples.round() as u64, tempo, 0.0)]);
        let events = plugin.perform(&setup, &script.blocks(&[block]))?;
        let length = i64::from(quarters) * i64::from(TICKS_PER_QUARTER);
        let tick = |sample: u64| (sample as f64 / samples * length as f64).round() as i64;
        let events = events.iter().map(|event| (tick(event.sample).min(length), event.message)).collect();
        Ok(Music { length, events })
    }

    /// How many keys are struck.
    pub fn notes(&self) -> usize {
        self.events.iter().filter(|(_, message)| matches!(message, Message::On(..))).count()
    }

    /// What must be heard of it while a transport does what `script` says.
    pub fn expected(&self, script: &Script) -> Vec<Expected> {
        let mut performer = Performer {
            music: self,
            next: 0,
            turned: false,
            down: Vec::new(),
            pedal: false,
            heard: Vec::new(),
        };
        for span in script.spans() {
            performer.play(&span);
        }
        performer.hush(script.samples() as f64);
        performer.heard
    }

    /// The same in quarter notes, to be written and drawn.
    pub fn performance(&self) -> Performance<f64> {
        let quarters = |tick: i64| tick as f64 / f64::from(TICKS_PER_QUARTER);
        let mut performance = Performance::default();
        for (at, &(tick, message)) in self.events.iter().enumerate() {
            match message {
                Message::On(number, velocity) => {
                    let rest = &self.events[at..];
                    let end = rest.iter().find(|(_, message)| *message == Message::Off(number));
                    let duration = quarters(end.map_or(self.length, |end| end.0) - tick);
                    if let Some(key) = Key::from_midi(number) {
                        let velocity = Velocity::new(velocity);
                        performance.notes.push(Note { onset: quarters(tick), duration, key, velocity });
                    }
                }
                Message::Control(SUSTAIN, value) => {
                    performance.pedal.push(PedalChange { time: quarters(tick), down: value >= 64 });
                }
                _ => {}
            }
        }
        performance.notes.sort_by(|a, b| a.onset.total_cmp(&b.onset).then(a.key.cmp(&b.key)));
        performance
    }
}

/// Compares what was heard with what must be heard, key by key.
///
/// # Errors
/// The first difference.
pub fn compare(expected: &[Expected], heard: &[Event]) -> Result<(), String> {
    compare_within(NEAREST, expected, heard)
}

/// The same, but events may be up to `samples` from their times.
///
/// # Errors
/// As [`compare`].
pub fn compare_within(samples: f64, expected: &[Expected], heard: &[Event]) -> Result<(), String> {
    for voice in 0..=128 {
        let mut heard = heard.iter().filter(|event| voice_of(event.message) == voice);
        for expected in expected.iter().filter(|event| voice_of(event.message) == voice) {
            let Some(event) = heard.next() else {
                return Err(format!("{expected:?} is not heard"));
            };
            if event.message != expected.message || (event.sample as f64 - expected.time).abs() > samples {
                return Err(format!("{event:?} is heard, but {expected:?} must be"));
            }
        }
        if let Some(event) = heard.next() {
            return Err(format!("{event:?} is heard, but nothing must be"));
        }
    }
    Ok(())
}

/// A key, or the controllers.
fn voice_of(message: Message) -> u8 {
    match message {
        Message::On(key, _) | Message::Off(key) => key,
        Message::Control(..) => 128,
    }
}

/// Plays music exactly, without blocks.
struct Performer<'a> {
    music: &'a Music,
    /// The next tick of the host that is to be played.
    next: i64,
    /// Whether the host turned back after the last sample that it played.
    turned: bool,
    down: Vec<u8>,
    pedal: bool,
    heard: Vec<Expected>,
}

impl Performer<'_> {
    fn play(&mut self, span: &Span) {
        // Of two samples that are as near, hosts' roundings choose one.
        let (first, seam) = (span.samples.start as f64, span.at);
        let turned = std::mem::take(&mut self.turned);
        if span.entered || turned || !span.playing {
            self.hush(seam);
        }
        if !span.playing {
            return;
        }
        if span.samples.is_empty() {
            (self.next, self.turned) = (nearest_tick(span.origin), true);
            return;
        }
        if span.entered {
            self.next = first_tick(span, first).min(nearest_tick(span.origin));
        }
        if span.entered || turned {
            self.press(self.pedal_before(self.next), seam);
        }
        let end = match span.turns_at {
            Some(position) => nearest_tick(position),
            None => first_tick(span, span.samples.end as f64),
        };
        for tick in self.next..end {
            let exact = span.exact_sample(tick as f64 / f64::from(TICKS_PER_QUARTER));
            // What falls between two spans belongs to one of them.
            let last = span.samples.end as f64 - 1.0;
            let time = exact.clamp(seam.min(last), last);
            self.play_tick(tick, time);
        }
        self.next = self.next.max(end);
    }

    fn play_tick(&mut self, tick: i64, time: f64) {
        if tick < 0 {
            return;
        }
        let within = tick % self.music.length;
        if within == 0 {
            self.hush(time);
        }
        let from = self.music.events.partition_point(|event| event.0 < within);
        for &(at, message) in &self.music.events[from..] {
            if at != within {
                break;
            }
            match message {
                Message::On(key, _) => {
                    self.down.push(key);
                    self.heard.push(Expected { time, message });
                }
                Message::Off(key) if self.down.contains(&key) => {
                    self.down.retain(|other| *other != key);
                    self.heard.push(Expected { time, message });
                }
                Message::Off(_) => {}
                Message::Control(_, value) => self.press(value >= 64, time),
            }
        }
    }

    fn hush(&mut self, time: f64) {
        for key in std::mem::take(&mut self.down) {
            self.heard.push(Expected { time, message: Message::Off(key) });
        }
        self.press(false, time);
    }

    fn press(&mut self, down: bool, time: f64) {
        if self.pedal != down {
            self.pedal = down;
            let message = Message::Control(SUSTAIN, if down { 127 } else { 0 });
            self.heard.push(Expected { time, message });
        }
    }

    /// Whether the pedal is down just before a tick of the host.
    fn pedal_before(&self, tick: i64) -> bool {
        let within = tick.max(0) % self.music.length;
        let before = self.music.events.iter().take_while(|event| event.0 < within);
        let changes = before.filter_map(|event| match event.1 {
            Message::Control(_, value) => Some(value >= 64),
            _ => None,
        });
        tick >= 0 && changes.last().unwrap_or(false)
    }
}

/// The first tick whose nearest sample is `sample` or later.
fn first_tick(span: &Span, sample: f64) -> i64 {
    (span.position(sample - HALF) * f64::from(TICKS_PER_QUARTER)).ceil() as i64
}

fn nearest_tick(quarters: f64) -> i64 {
    (quarters * f64::from(TICKS_PER_QUARTER)).round() as i64
}
