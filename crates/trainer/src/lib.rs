//! The offline trainer: from a folder of MIDI files to a pianist. `main.rs` is its command line.

mod args;
pub mod augmentation;
pub mod backend;
mod backward;
pub mod batch;
pub mod bench;
pub mod card;
pub mod checkpoint;
mod copied;
pub mod corpus;
pub mod evaluation;
pub mod forward;
pub mod generate;
mod growth;
mod interrupt;
pub mod learner;
pub mod optimizer;
pub mod passage;
pub mod picture;
pub mod prepare;
pub mod say;
mod schedule;
mod tables;
pub mod training;
pub mod weights;
