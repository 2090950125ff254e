//! What sounds now: every strike gets its release, and the pedal comes up, whatever the host does.

use etude_pianist::midi::Action;
use etude_pianist::note::{Key, Velocity};

/// An action at a sample of the block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Event {
    /// Sample from the start of the block.
    pub sample: u32,
    /// What the host shall pass on.
    pub action: Action,
}

/// The keys and the pedal as the host knows them.
pub(super) struct Sounding {
    keys: [State; Key::COUNT],
    pedal_down: bool,
    /// Whether the pedal should be up, but the host refused to hear it.
    lift_owed: bool,
}

#[derive(Clone, Copy, PartialEq)]
enum State {
    Up,
    /// Struck at this tick of the host.
    Down(i64),
    /// It should be up, but the host refused to hear it.
    ReleaseOwed,
}

impl Default for Sounding {
    fn default() -> Sounding {
        Sounding { keys: [State::Up; Key::COUNT], pedal_down: false, lift_owed: false }
    }
}

impl Sounding {
    /// Sends again what the host refused.
    pub(super) fn settle(&mut self, send: &mut impl FnMut(Event) -> bool) {
        for key in keys() {
            if self.keys[key.index()] == State::ReleaseOwed {
                self.release(key, 0, send);
            }
        }
        if self.lift_owed {
            self.pedal(false, 0, send);
        }
    }

    /// Strikes a key; one that is still down comes up first.
    pub(super) fn strike(
        &mut self,
        key: Key,
        velocity: Velocity,
        tick: i64,
        sample: u32,
        send: &mut impl FnMut(Event) -> bool,
    ) {
        self.release(key, sample, send);
        let state = &mut self.keys[key.index()];
        if *state == State::Up && send(Event { sample, action: Action::Strike(key, velocity) }) {
            *state = State::Down(tick);
        }
    }

    /// Lets a key come up, if it is down.
    pub(super) fn release(&mut self, key: Key, sample: u32, send: &mut impl FnMut(Event) -> bool) {
        let state = &mut self.keys[key.index()];
        if *state != State::Up {
            let sent = send(Event { sample, action: Action::Release(key) });
            *state = if sent { State::Up } else { State::ReleaseOwed };
        }
    }

    /// Presses or lifts the pedal, if it is not there yet.
    pub(super) fn pedal(&mut self, down: bool, sample: u32, send: &mut impl FnMut(Event) -> bool) {
        self.lift_owed = false;
        if self.pedal_down != down {
            let sent = send(Event { sample, action: Action::Pedal(down) });
            self.pedal_down = down == sent;
            self.lift_owed = !down && !sent;
        }
    }

    /// Ends everything: each key with its own release, since not every synth knows another way; then the pedal.
    pub(super) fn hush(&mut self, sample: u32, send: &mut impl FnMut(Event) -> bool) {
        self.keep(|_, _| false, sample, send);
        self.pedal(false, sample, send);
    }

    /// Releases the keys that `holds`, given key and tick of its strike, does not want.
    pub(super) fn keep(
        &mut self,
        holds: impl Fn(Key, i64) -> bool,
        sample: u32,
        send: &mut impl FnMut(Event) -> bool,
    ) {
        for key in keys() {
            if let State::Down(tick) = self.keys[key.index()]
                && !holds(key, tick)
            {
                self.release(key, sample, send);
            }
        }
    }
}

fn keys() -> impl Iterator<Item = Key> {
    (0..Key::COUNT).filter_map(Key::from_index)
}
