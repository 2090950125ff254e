//! What plugin and trainer share: MIDI files to performances to steps and back, the network and its kernels, the
//! sampler and the composer.

pub mod alphabet;
pub mod atomic;
pub mod card;
pub mod composer;
pub mod engine;
pub mod kernel;
pub mod locks;
pub mod midi;
pub mod model_file;
pub mod network;
pub mod note;
pub mod ranking;
pub mod sampler;
pub mod statistics;
pub mod time;
