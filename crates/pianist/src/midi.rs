//! Standard MIDI Files in and out.

mod clock;
mod cue;
mod events;
mod file;
mod read;
mod track;
mod write;

pub use cue::{Action, Cue, TICKS_PER_QUARTER, cues};
pub use file::{MidiFileError, read_file};
pub use read::{MidiError, Recording, read};
pub use write::{Clip, write};
