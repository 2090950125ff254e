//! What is played into the plugin, on its way from the audio thread to the generator's.

mod clock;

pub use clock::Clock;

use std::sync::atomic::{AtomicU64, Ordering::SeqCst};

/// Events that are kept until they are collected; more than hands can play in between.
const CAPACITY: usize = 1024;
/// Bits of a packed event below the time: key and velocity.
const BELOW_TIME: u32 = 16;

/// A key going down or coming up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Heard {
    /// When, in ticks of a clip on the host's timeline, or after the last place there while the host stands still.
    pub tick: i64,
    /// The MIDI number of the key.
    pub key: u8,
    /// How hard; 0 when it comes up.
    pub velocity: u8,
}

/// A queue with one writer and one reader, in which the newest events push out the oldest.
#[derive(Debug)]
pub struct Ear {
    events: [AtomicU64; CAPACITY],
    /// How many events there were, ever.
    written: AtomicU64,
}

impl Default for Ear {
    fn default() -> Ear {
        Ear { events: [const { AtomicU64::new(0) }; CAPACITY], written: AtomicU64::new(0) }
    }
}

impl Ear {
    /// Takes an event down. For the audio thread: neither allocates nor blocks.
    pub(crate) fn hear(&self, heard: Heard) {
        let written = self.written.load(SeqCst);
        let low = u64::from(heard.key & 127) << 8 | u64::from(heard.velocity & 127);
        self.events[written as usize % CAPACITY].store((heard.tick << BELOW_TIME) as u64 | low, SeqCst);
        self.written.store(written + 1, SeqCst);
    }

    /// What was heard since the event number `read`, which moves on.
    pub(crate) fn collect(&self, read: &mut u64) -> Vec<Heard> {
        let written = self.written.load(SeqCst);
        let first = (*read).max(written.saturating_sub(CAPACITY as u64));
        *read = written;
        let unpack = |event: u64| {
            let packed = self.events[event as usize % CAPACITY].load(SeqCst);
            let (key, velocity) = ((packed >> 8 & 127) as u8, (packed & 127) as u8);
            Heard { tick: packed as i64 >> BELOW_TIME, key, velocity }
        };
        (first..written).map(unpack).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_heard_is_collected_once_and_the_newest_pushes_out_the_oldest() {
        let ear = Ear::default();
        let heard = |tick| Heard { tick, key: 60, velocity: 127 };
        let mut read = 0;
        (-2..3).for_each(|tick| ear.hear(heard(tick)));
        assert_eq!(ear.collect(&mut read), (-2..3).map(heard).collect::<Vec<_>>());
        assert!(ear.collect(&mut read).is_empty());
        (0..5000).for_each(|tick| ear.hear(heard(tick)));
        assert_eq!(ear.collect(&mut read), (5000 - 1024..5000).map(heard).collect::<Vec<_>>());
    }
}
