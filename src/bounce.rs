//! Telling a bounce from live play by the clock, where the host says it too late.

use std::time::Instant;

/// A host that is this many seconds ahead of time bounces: nobody can have listened. Less, and one that prepares its music
/// a little ahead would be taken for it; more, and the beginning of a bounce would wait for nothing.
const FAR_AHEAD: f64 = 2.0;

/// Follows how far a host is ahead of time.
#[derive(Default)]
pub(crate) struct BounceClock {
    /// In seconds of music.
    lead: f64,
    /// When the last block was done.
    done: Option<Instant>,
}

impl BounceClock {
    /// Begins a block of this length. `true` if the host is too far ahead for anybody to listen.
    pub(crate) fn begin(&mut self, seconds: f64) -> bool {
        let passed = self.done.map_or(0.0, |done| done.elapsed().as_secs_f64());
        self.lead = (self.lead - passed).max(0.0) + seconds;
        self.lead > FAR_AHEAD
    }

    /// Ends the block: the time that the plugin itself took for it does not count.
    pub(crate) fn end(&mut self) {
        self.done = Some(Instant::now());
    }
}

#[cfg(test)]
mod tests {
    use std::thread;
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_host_that_takes_its_time_plays_live_and_one_that_does_not_bounces() {
        let mut live = BounceClock::default();
        for _ in 0..10 {
            assert!(!live.begin(0.01));
            live.end();
            thread::sleep(Duration::from_millis(10));
        }
        assert!(!live.begin(1.9), "it may catch up");
        let mut bounce = BounceClock::default();
        let ahead: Vec<bool> = (0..5)
            .map(|_| {
                let ahead = bounce.begin(0.9);
                thread::sleep(Duration::from_millis(20));
                bounce.end();
                ahead
            })
            .collect();
        assert_eq!(ahead, [false, false, true, true, true]);
    }
}
