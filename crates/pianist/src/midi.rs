//! Standard MIDI Files in and out.

mod clock;
mod events;
mod file;
mod read;
mod track;
mod write;

pub use file::{MidiFileError, read_file};
pub use read::{MidiError, Recording, read};
pub use write::{Clip, write};
