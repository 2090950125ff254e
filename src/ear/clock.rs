//! When something is played in.

use crate::player::Block;
use crate::ticks::nearest_tick;

/// The host's time while it rolls, and on from there while it stands still. What makes no sense is no time at all: what was
/// heard before and what follows stay where they are.
#[derive(Debug, Default)]
pub struct Clock {
    /// Where the block begins, and where it leads, in quarter notes.
    now: f64,
    next: f64,
    quarters_per_sample: f64,
}

impl Clock {
    /// A block begins.
    pub fn begin(&mut self, block: &Block) {
        let Clock { now, next, quarters_per_sample } = self;
        let sensible = block.is_sensible();
        *quarters_per_sample = if sensible { block.quarters_per_sample() } else { 0.0 };
        *now = if sensible && block.playing { block.position } else { *next };
        *next = *now + f64::from(block.samples) * *quarters_per_sample;
    }

    /// The tick of a sample of the block.
    pub fn tick(&self, sample: u32) -> i64 {
        nearest_tick(self.now + f64::from(sample) * self.quarters_per_sample)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROLLING: Block = Block {
        sample_rate: 48_000.0,
        samples: 24_000,
        playing: true,
        tempo: 120.0,
        position: 8.0,
        time: None,
        repeat: None,
    };

    #[test]
    fn time_goes_on_from_where_the_host_stopped() {
        let mut clock = Clock::default();
        let stopped = || Block { playing: false, position: 0.0, ..ROLLING };
        let ticks = [stopped(), stopped(), ROLLING, stopped(), stopped()].map(|block| {
            clock.begin(&block);
            clock.tick(12_000)
        });
        assert_eq!(ticks, [0.5, 1.5, 8.5, 9.5, 10.5].map(nearest_tick));
    }

    #[test]
    fn nonsense_from_the_host_spoils_no_time_after_it() {
        for nonsense in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 1e300, -1e300] {
            for playing in [true, false] {
                let odd = [
                    Block { playing, position: nonsense, ..ROLLING },
                    Block { playing, tempo: nonsense, ..ROLLING },
                    Block { playing, sample_rate: nonsense, ..ROLLING },
                ];
                for odd in odd {
                    let mut clock = Clock::default();
                    clock.begin(&ROLLING);
                    clock.begin(&odd);
                    let ticks = clock.tick(0)..=clock.tick(24_000);
                    assert!(ticks.contains(&nearest_tick(9.0)), "{odd:?}: {ticks:?}");
                    clock.begin(&Block { playing: false, ..ROLLING });
                    assert_eq!(clock.tick(0), *ticks.end(), "{odd:?}");
                }
            }
        }
    }
}
