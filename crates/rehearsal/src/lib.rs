//! The test host: loads the built plugin as a DAW does, plays transports to it, and checks what comes out.
//!
//! ```text
//! script ── blocks ──▶ plugin (CLAP or VST3, as built) ── events ──▶ recording ─┐
//!    └────────────── spans ──▶ what the music must sound like ◀── compared ─────┘
//! ```

pub mod bundle;
pub mod chance;
mod clap;
pub mod music;
pub mod plugin;
pub mod recording;
pub mod script;
mod vst3;
