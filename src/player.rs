//! The audio thread: a block of host time and a take in, timed events out. No framework types.
//!
//! Nothing here allocates, locks or blocks.

mod playhead;
mod sounding;

pub use playhead::Block;
pub use sounding::Event;

use etude_pianist::midi::Action;

use crate::take::Take;
use playhead::{Playhead, Span};
use sounding::Sounding;

/// Plays a take at the host's transport.
#[derive(Default)]
pub struct Player {
    playhead: Playhead,
    sounding: Sounding,
    /// The take played last.
    take: Option<u64>,
}

impl Player {
    /// Plays what `take` has in `block`. Events come in the order of their samples; `send` says whether the host took
    /// one. A release that it refuses is sent again later; a refused strike is left out.
    ///
    /// When the host stops, jumps or loops, everything that sounds ends. When the take is another one than last time,
    /// only what the new one does not hold at this place ends: a take can grow, or change from the next bar on, while
    /// its notes sound. A block without samples, which hosts use to pass on knobs, is no time at all.
    pub fn process(&mut self, block: &Block, take: Option<&Take>, mut send: impl FnMut(Event) -> bool) {
        if block.samples == 0 {
            return;
        }
        let Player { playhead, sounding, .. } = self;
        let send = &mut send;
        sounding.settle(send);
        let id = take.map(Take::id);
        let mut changed = self.take != id;
        self.take = id;
        let Some(take) = take.filter(|_| block.rolls()) else {
            playhead.stop();
            return sounding.hush(0, send);
        };
        playhead.follow(block, |span| {
            if span.entered {
                sounding.hush(span.first, send);
            } else if changed {
                let here = span.ticks.start;
                sounding.keep(|key, struck| take.holds(key, struck, here), span.first, send);
            }
            if span.entered || changed {
                sounding.pedal(take.pedal_before(span.ticks.start), span.first, send);
            }
            changed = false;
            play(sounding, take, span, send);
        });
    }

    /// Forgets where the host was: what sounds ends in the next block. For when the host resets, or changes the sample
    /// rate.
    pub fn reset(&mut self) {
        self.playhead.stop();
    }
}

fn play(sounding: &mut Sounding, take: &Take, span: &Span, send: &mut impl FnMut(Event) -> bool) {
    for passage in take.passages(span.ticks.clone()) {
        if passage.start >= span.ticks.start {
            sounding.hush(span.sample(passage.start), send);
        }
        for cue in passage.cues {
            let tick = passage.start + i64::from(cue.tick);
            let sample = span.sample(tick);
            match cue.action {
                Action::Release(key) => sounding.release(key, sample, send),
                Action::Pedal(down) => sounding.pedal(down, sample, send),
                Action::Strike(key, velocity) => sounding.strike(key, velocity, tick, sample, send),
            }
        }
    }
}
