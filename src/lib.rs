//! The Etude plugin.

pub mod player;
pub mod take;
