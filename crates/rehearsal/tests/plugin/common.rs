//! Plugins that hold a known take.

use std::sync::OnceLock;

use etude_rehearsal::bundle::Format;
use etude_rehearsal::music::Music;
use etude_rehearsal::plugin::{Block, Event, Plugin, Setup};
use etude_rehearsal::recording::check_endings;
use etude_rehearsal::script::Script;

/// The length of a new plugin's takes, in quarter notes.
pub const QUARTERS: u32 = 32;

/// A project that was saved with a finished take.
pub struct Saved {
    pub state: Vec<u8>,
    pub music: Music,
}

/// A new instance.
pub fn open(format: Format) -> Box<dyn Plugin> {
    format.open().unwrap_or_else(|error| panic!("{error}"))
}

/// A new instance that composes the same notes in each run of the tests.
pub fn seeded(format: Format) -> Box<dyn Plugin> {
    let mut plugin = open(format);
    plugin.type_in("Seed", "1").unwrap();
    plugin
}

/// The project that all tests of a format share; its take is composed once.
pub fn saved(format: Format) -> &'static Saved {
    static CLAP: OnceLock<Saved> = OnceLock::new();
    static VST3: OnceLock<Saved> = OnceLock::new();
    let saved = match format {
        Format::Clap => &CLAP,
        Format::Vst3 => &VST3,
    };
    saved.get_or_init(|| {
        let mut plugin = seeded(format);
        let music = listen(&mut *plugin);
        Saved { state: plugin.save().unwrap(), music }
    })
}

/// The plugin's take, once it is composed.
pub fn listen(plugin: &mut dyn Plugin) -> Music {
    Music::listen(plugin, QUARTERS, 60.0).unwrap_or_else(|error| panic!("{error}"))
}

/// An instance with that project, its take ready to be played.
pub fn restored(format: Format) -> Box<dyn Plugin> {
    let mut plugin = open(format);
    plugin.load(&saved(format).state).unwrap();
    listen(&mut *plugin);
    plugin
}

/// Fails at the first difference between two recordings.
pub fn assert_same(one: &[Event], other: &[Event], story: &str) {
    let difference = one.iter().zip(other).find(|(one, other)| one != other);
    assert_eq!(difference, None, "{story}");
    assert_eq!(one.len(), other.len(), "{story}");
}

/// Plays a script live, in blocks of these sizes; whatever happens in it, everything that begins must end.
pub fn perform(plugin: &mut dyn Plugin, script: &Script, sizes: &[u32]) -> Vec<Event> {
    perform_as(plugin, script, sizes, false)
}

/// The same, or as a bounce.
pub fn perform_as(plugin: &mut dyn Plugin, script: &Script, sizes: &[u32], offline: bool) -> Vec<Event> {
    play(plugin, script.sample_rate, &script.blocks(sizes), offline)
}

/// The same for any blocks.
pub fn play(plugin: &mut dyn Plugin, sample_rate: f64, blocks: &[Block], offline: bool) -> Vec<Event> {
    let longest_block = blocks.iter().map(|block| block.samples).max().unwrap_or(1);
    let events = plugin.perform(&Setup { sample_rate, longest_block, offline }, blocks).unwrap();
    check_endings(&events).unwrap();
    events
}
