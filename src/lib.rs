//! The Etude plugin.

// Brings the allocator that aborts debug builds when the audio thread allocates.
use nice_plug as _;

pub mod generator;
pub mod handover;
pub mod pianists;
pub mod player;
pub mod take;
