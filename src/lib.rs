//! The Etude plugin.

pub mod generator;
pub mod handover;
pub mod pianists;
pub mod player;
pub mod take;
