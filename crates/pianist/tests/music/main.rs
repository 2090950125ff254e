//! Performances: read, written, quantised, mapped to beats.

mod beat_map;
mod clip;
mod common;
mod locks;
mod midi;
mod time;
