//! The offline trainer: from a folder of MIDI files to a pianist. `main.rs` is its command line.

// The commands.
pub mod bench;
pub mod card;
pub mod evaluation;
pub mod generate;
pub mod prepare;
pub mod training;

// What commands share.
mod args;
pub mod corpus;
mod interrupt;
pub mod passage;
pub mod picture;
pub mod say;

// The network that learns.
pub mod backend;
mod backward;
pub mod batch;
pub mod forward;
pub mod learner;
pub mod loss;
pub mod measuring;
pub mod optimizer;
mod streams;
mod tables;
pub mod weights;
