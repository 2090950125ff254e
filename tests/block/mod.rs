//! What a host plays.

use etude::player::Block;

/// A block of half a second, a quarter note.
pub fn quarter(position: f64) -> Block {
    Block {
        sample_rate: 48_000.0,
        samples: 24_000,
        playing: true,
        tempo: 120.0,
        position,
        time: None,
        repeat: None,
    }
}
