//! The audio thread: a block of host time and a take in, timed events out. No framework types.
//!
//! Nothing here allocates, locks or blocks.

mod playhead;
mod sounding;

pub use playhead::Block;
pub use sounding::Event;

use std::ops::Range;

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
    /// When the host stops, jumps or loops, everything that sounds ends, and so does what was before a take. When the take is
    /// another one than last time, what was [before](Take::before) goes on to its bar line, and only what the new one does
    /// not hold there ends: a take can grow, or keep some bars, while its notes sound. A block without samples, which hosts
    /// use to pass on knobs, is no time at all.
    pub fn process(&mut self, block: &Block, take: Option<&Take>, mut send: impl FnMut(Event) -> bool) {
        if block.samples == 0 {
            return;
        }
        let Player { playhead, sounding, take: played } = self;
        let send = &mut send;
        sounding.settle(send);
        let Some(take) = take.filter(|_| block.rolls()) else {
            playhead.stop();
            return sounding.hush(0, send);
        };
        playhead.follow(block, |span| {
            let stretch = Stretch { entered: span.entered, ticks: span.ticks.clone(), span };
            perform(sounding, take, stretch, played, send);
        });
    }

    /// Forgets where the host was: what sounds ends in the next block. For when the host resets, or changes the sample
    /// rate.
    pub fn reset(&mut self) {
        self.playhead.stop();
    }
}

/// A stretch of time in which one take is played.
struct Stretch<'a> {
    /// Whether the host came here from elsewhere, or started.
    entered: bool,
    ticks: Range<i64>,
    span: &'a Span,
}

impl Stretch<'_> {
    /// Takes off what lies before a tick.
    fn split_off(&mut self, tick: i64) -> Stretch<'_> {
        let end = tick.min(self.ticks.end);
        let part = Stretch { entered: self.entered, ticks: self.ticks.start..end, span: self.span };
        self.ticks.start = end;
        part
    }

    /// The sample at which it begins.
    fn first(&self) -> u32 {
        if self.ticks.start == self.span.ticks.start {
            self.span.first
        } else {
            self.span.sample(self.ticks.start)
        }
    }
}

/// Plays a stretch: what was before `take` up to its bar line, and then that; `played` is what was played last.
fn perform(
    sounding: &mut Sounding,
    take: &Take,
    mut stretch: Stretch,
    played: &mut Option<u64>,
    send: &mut impl FnMut(Event) -> bool,
) {
    if let Some(before) = take.before().filter(|before| !before.is_over()) {
        if !stretch.entered && before.is_near(&stretch.ticks) {
            perform(sounding, before.take(), stretch.split_off(before.until()), played, send);
            if stretch.ticks.is_empty() {
                return;
            }
        }
        before.end();
    }
    begin(sounding, take, &stretch, played, send);
    play(sounding, take, &stretch, send);
}

/// Ends what the host left behind, and what `take` does not hold if something else was played before.
fn begin(
    sounding: &mut Sounding,
    take: &Take,
    stretch: &Stretch,
    played: &mut Option<u64>,
    send: &mut impl FnMut(Event) -> bool,
) {
    let (first, here) = (stretch.first(), stretch.ticks.start);
    let changed = played.replace(take.id()) != Some(take.id());
    if stretch.entered {
        sounding.hush(first, send);
    } else if changed {
        sounding.keep(|key, struck| take.holds(key, struck, here), first, send);
    }
    if stretch.entered || changed {
        sounding.pedal(take.pedal_before(here), first, send);
    }
}

fn play(sounding: &mut Sounding, take: &Take, stretch: &Stretch, send: &mut impl FnMut(Event) -> bool) {
    let Stretch { ticks, span, .. } = stretch;
    for passage in take.passages(ticks.clone()) {
        if passage.start >= ticks.start {
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
