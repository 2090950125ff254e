//! What a host and a plugin say to each other, the same for all formats.

use std::ops::Range;
use std::path::PathBuf;
use std::time::Duration;

use thiserror::Error;

/// An instance of the plugin, as the main thread of a host has it.
pub trait Plugin {
    /// The knobs.
    fn knobs(&mut self) -> Vec<Knob>;

    /// Where a knob is, in the format's own unit.
    fn value(&mut self, knob: u32) -> Option<f64>;

    /// Turns a knob while the plugin is inactive; in a block it is turned while it plays.
    fn turn(&mut self, knob: u32, value: f64);

    /// What a knob shows at `value`.
    fn text(&mut self, knob: u32, value: f64) -> Option<String>;

    /// The value that somebody who types `text` means.
    fn parse(&mut self, knob: u32, text: &str) -> Option<f64>;

    /// Types `text` into the knob of this name, while the plugin is inactive.
    ///
    /// # Errors
    /// If there is no such knob, or it does not understand.
    fn type_in(&mut self, name: &str, text: &str) -> Result<(), HostError> {
        let knob = self.knobs().into_iter().find(|knob| knob.name == name);
        let knob = knob.ok_or_else(|| HostError::Misbehaved(format!("has no knob {name}")))?;
        let value = self.parse(knob.id, text);
        let value = value.ok_or_else(|| HostError::Misbehaved(format!("can't set {name} to {text}")))?;
        self.turn(knob.id, value);
        Ok(())
    }

    /// What the host keeps in its project.
    ///
    /// # Errors
    /// If the plugin has nothing to give.
    fn save(&mut self) -> Result<Vec<u8>, HostError>;

    /// Gives back what was saved, or something that pretends to be it.
    ///
    /// # Errors
    /// If the plugin refuses it.
    fn load(&mut self, state: &[u8]) -> Result<(), HostError>;

    /// Gets ready to play.
    ///
    /// # Errors
    /// If the plugin can't.
    fn activate(&mut self, setup: &Setup) -> Result<(), HostError>;

    /// Activates it, plays blocks, and deactivates it.
    ///
    /// # Errors
    /// As [`Plugin::activate`] and [`Plugin::play`].
    fn perform(&mut self, setup: &Setup, blocks: &[Block]) -> Result<Vec<Event>, HostError> {
        self.activate(setup)?;
        let events = self.play(blocks);
        self.deactivate();
        events
    }

    /// Plays blocks on an audio thread, and returns what came out, its samples counted from the first block's start.
    ///
    /// # Errors
    /// If it is not active, fails, or breaks the rules of events.
    fn play(&mut self, blocks: &[Block]) -> Result<Vec<Event>, HostError> {
        self.play_timed(blocks, &mut Vec::new())
    }

    /// The same; adds to `times` how long the plugin took for each block.
    ///
    /// # Errors
    /// As [`Plugin::play`].
    fn play_timed(&mut self, blocks: &[Block], times: &mut Vec<Duration>) -> Result<Vec<Event>, HostError>;

    /// Tells it that time is interrupted.
    fn reset(&mut self);

    /// The opposite of activating.
    fn deactivate(&mut self);
}

/// How a host is going to play.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Setup {
    /// Samples in a second.
    pub sample_rate: f64,
    /// The most samples of a block.
    pub longest_block: u32,
    /// Whether it bounces: then nobody listens, and it may take longer.
    pub offline: bool,
}

/// A knob.
#[derive(Debug, Clone, PartialEq)]
pub struct Knob {
    /// Its number.
    pub id: u32,
    /// What users call it.
    pub name: String,
    /// From where to where it can be turned, in the format's own unit.
    pub range: Range<f64>,
    /// Where it is at first.
    pub default: f64,
    /// How many steps it has besides the first, if it has steps.
    pub steps: Option<u32>,
    /// Whether it is the host's switch that silences the plugin.
    pub bypass: bool,
}

/// A block of time, as a host passes it on.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Block {
    /// Its length in samples.
    pub samples: u32,
    /// Where the host is at its first sample, if it says so.
    pub transport: Option<Transport>,
    /// What the host does otherwise from a sample of the block on. Only CLAP has a way to say that; in others, the plugin
    /// hears of it in the next block.
    pub changes: Vec<(u32, Transport)>,
    /// What somebody plays, by the block's samples.
    pub played: Vec<(u32, Message)>,
    /// Which knobs are turned, and where to.
    pub turned: Vec<(u32, f64)>,
}

/// Where a host is.
#[derive(Debug, Clone, PartialEq)]
pub struct Transport {
    /// Whether it rolls.
    pub playing: bool,
    /// Quarter notes per minute.
    pub tempo: f64,
    /// Quarter notes from the project's start.
    pub position: f64,
    /// Seconds from the project's start.
    pub time: f64,
    /// Where the bar began, in quarter notes from the project's start.
    pub bar: f64,
    /// Beats in a bar, and which note a beat is.
    pub time_signature: (u16, u16),
    /// What it repeats, in quarter notes from the project's start.
    pub repeat: Option<Range<f64>>,
}

/// What is played.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Message {
    /// A key goes down: its MIDI number (played into a plugin, one beyond 127 stands for any key), and a velocity of 1
    /// to 127.
    On(u8, u8),
    /// A key comes up.
    Off(u8),
    /// A controller (MIDI number) goes to a value.
    Control(u8, u8),
}

/// A message in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Event {
    /// Counted from where listening began.
    pub sample: u64,
    /// What is played.
    pub message: Message,
}

/// Why a host gives up on a plugin.
#[derive(Debug, Error)]
pub enum HostError {
    /// Nobody built it.
    #[error("there is no {}: run `cargo xtask bundle etude` first (`cargo xtask test` does)", path.display())]
    NotBuilt {
        /// Where it should be.
        path: PathBuf,
    },
    /// It can't be loaded.
    #[error("can't load {}: {reason}", path.display())]
    NotLoaded {
        /// Where it is.
        path: PathBuf,
        /// What the system or the plugin says.
        reason: String,
    },
    /// It said no.
    #[error("the plugin refused {0}")]
    Refused(&'static str),
    /// It broke the rules.
    #[error("the plugin {0}")]
    Misbehaved(String),
}
