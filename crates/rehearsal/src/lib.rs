//! The test host: loads the built plugin as a DAW does, plays transports to it, and checks what comes out.
//!
//! ```text
//! script ── blocks ──▶ plugin (CLAP or VST3, as built) ── events ──▶ recording ─┐
//!    └────────────── spans ──▶ what the music must sound like ◀── compared ─────┘
//! ```
//!
//! And the standalone program on a screen in memory, clicked as a musician clicks it.

pub mod bundle;
pub mod chance;
mod clap;
pub mod measure;
pub mod music;
pub mod plugin;
pub mod recording;
pub mod screen;
pub mod script;
pub mod standalone;
mod vst3;
