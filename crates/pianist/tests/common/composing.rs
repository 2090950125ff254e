//! Takes by small pianists with random weights.

use std::sync::Arc;

use etude_pianist::alphabet::Alphabet;
use etude_pianist::composer::{Composer, Request, Take};
use etude_pianist::engine::{CpuEngine, Precision};
use etude_pianist::note::{Key, Note, Velocity};
use etude_pianist::time::TimeBase;

use crate::common::random_pianist;

pub const ALPHABETS: [Alphabet; 2] = [Alphabet::Notes, Alphabet::Events];

/// A pianist with weights up to `scale`: small ones play at random, large ones are stuck in their ways.
pub fn engine(alphabet: Alphabet, base: TimeBase, scale: f32, seed: u64) -> Arc<CpuEngine> {
    let pianist = random_pianist(alphabet, base, scale, seed);
    Arc::new(CpuEngine::new(pianist, Precision::Int8))
}

pub fn compose(engine: &Arc<CpuEngine>, request: &Request) -> Take {
    Composer::new(engine.clone(), std::slice::from_ref(request)).unwrap().finish().remove(0)
}

pub fn short(seed: u64) -> Request {
    Request { seed, bars: 2, ..Request::default() }
}

pub fn note(onset: f64, duration: f64, midi: u8) -> Note<f64> {
    Note { onset, duration, key: Key::from_midi(midi).unwrap(), velocity: Velocity::new(70) }
}
