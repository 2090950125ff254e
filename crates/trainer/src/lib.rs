//! The offline trainer: from a folder of MIDI files to a pianist. `main.rs` is its command line.

pub mod corpus;
pub mod interrupt;
pub mod prepare;
