//! The keyboard as the decoded past left it: what sounds, until when, and what was struck lately.

use super::ticks;
use crate::kernel::exp;
use crate::note::Key;
use crate::time::Ticks;

/// Ticks in which the trace of a strike falls to 1/e: a chord or figure.
const FAST: f32 = 30.0;
/// The same for a phrase.
const SLOW: f32 = 250.0;
/// The same for the harmony: how much each pitch class was struck.
const HARMONY: f32 = 1500.0;
/// Keys to either side in a view around a key: an octave.
const REACH: usize = 12;

/// Width of a view around a key.
pub const AROUND: usize = 2 * REACH + 1;

/// The state of all 88 keys and the pedal at one tick.
pub struct Keyboard {
    now: Ticks,
    /// When each key's sound ends; in the past if it is silent.
    ends: [Ticks; Key::COUNT],
    /// Last velocity bin of each key, scaled to 0..1.
    velocities: [f32; Key::COUNT],
    /// Traces of each key's last strike: 1 then, fading.
    fast: [f32; Key::COUNT],
    slow: [f32; Key::COUNT],
    /// Strikes of each pitch class, fading.
    harmony: [f32; 12],
    pedal_down: bool,
}

impl Keyboard {
    /// Dense values of [`Keyboard::write_keys`].
    pub const KEYS: usize = 3 * Key::COUNT;
    /// Dense values of [`Keyboard::write_harmony`].
    pub const HARMONY: usize = 13;

    /// Silence at tick 0.
    pub fn new() -> Keyboard {
        Keyboard {
            now: 0,
            ends: [0; Key::COUNT],
            velocities: [0.0; Key::COUNT],
            fast: [0.0; Key::COUNT],
            slow: [0.0; Key::COUNT],
            harmony: [0.0; 12],
            pedal_down: false,
        }
    }

    /// The tick that the state is for.
    pub fn now(&self) -> Ticks {
        self.now
    }

    /// Whether the pedal is down.
    pub fn pedal_down(&self) -> bool {
        self.pedal_down
    }

    /// Lets `shift` ticks pass.
    pub fn advance(&mut self, shift: Ticks) {
        self.now = self.now.saturating_add(shift);
        let fade = |values: &mut [f32], constant: f32| {
            let factor = exp(-(shift as f32) / constant);
            values.iter_mut().for_each(|value| *value *= factor);
        };
        fade(&mut self.fast, FAST);
        fade(&mut self.slow, SLOW);
        fade(&mut self.harmony, HARMONY);
    }

    /// Strikes a key now; `velocity` is 0 to 1.
    pub fn strike(&mut self, key: Key, velocity: f32, duration: Ticks) {
        let i = key.index();
        self.ends[i] = self.now.saturating_add(duration);
        self.velocities[i] = velocity;
        (self.fast[i], self.slow[i]) = (1.0, 1.0);
        self.harmony[key.pitch_class()] += 1.0;
    }

    /// Presses or lifts the pedal now.
    pub fn set_pedal(&mut self, down: bool) {
        self.pedal_down = down;
    }

    /// For every key how long it still sounds (0 to 1, half at a quarter second), then its two traces.
    pub fn write_keys(&self, out: &mut [f32]) {
        let (sounding, traces) = out.split_at_mut(Key::COUNT);
        for (out, end) in sounding.iter_mut().zip(self.ends) {
            let left = end.saturating_sub(self.now) as f32;
            *out = left / (left + 24.0);
        }
        traces[..Key::COUNT].copy_from_slice(&self.fast);
        traces[Key::COUNT..].copy_from_slice(&self.slow);
    }

    /// Strikes of each pitch class, squashed to 0..1, then the pedal.
    pub fn write_harmony(&self, out: &mut [f32]) {
        for (out, strikes) in out.iter_mut().zip(self.harmony) {
            *out = strikes / (strikes + 4.0);
        }
        out[12] = if self.pedal_down { 1.0 } else { 0.0 };
    }

    /// Velocities of the keys around `key`, weighted by their fast, then by their slow trace.
    pub fn write_velocities_around(&self, key: Key, out: &mut [f32]) {
        self.write_around(key, &mut out[..AROUND], |i| self.velocities[i] * self.fast[i]);
        self.write_around(key, &mut out[AROUND..], |i| self.velocities[i] * self.slow[i]);
    }

    /// How long the keys around `key` still sound, then their fast traces.
    pub fn write_sounding_around(&self, key: Key, out: &mut [f32]) {
        self.write_around(key, &mut out[..AROUND], |i| {
            let left = self.ends[i].saturating_sub(self.now) as f32;
            left / (left + 24.0)
        });
        self.write_around(key, &mut out[AROUND..], |i| self.fast[i]);
    }

    fn write_around(&self, key: Key, out: &mut [f32], value: impl Fn(usize) -> f32) {
        for (offset, out) in out.iter_mut().enumerate() {
            let i = (key.index() + offset).wrapping_sub(REACH);
            *out = if i < Key::COUNT { value(i) } else { 0.0 };
        }
    }

    /// For every coarse bin, how many sounding notes end that long from now (0, 0.5, 0.67, ...): notes that are held
    /// by one pedal or belong to one chord end together.
    pub fn write_ends(&self, out: &mut [f32]) {
        out.fill(0.0);
        self.each_end(|coarse, _| out[coarse] += 1.0);
        squash_counts(out);
    }

    /// Within one coarse bin, how many sounding notes end at each of its ticks.
    pub fn write_ends_within(&self, coarse: usize, out: &mut [f32]) {
        out.fill(0.0);
        self.each_end(|bin, fine| {
            if bin == coarse {
                out[fine] += 1.0;
            }
        });
        squash_counts(out);
    }

    fn each_end(&self, mut visit: impl FnMut(usize, usize)) {
        for end in self.ends {
            if end > self.now {
                let (coarse, fine) = ticks::split(end - self.now);
                visit(coarse, fine);
            }
        }
    }
}

fn squash_counts(counts: &mut [f32]) {
    counts.iter_mut().for_each(|count| *count /= *count + 1.0);
}
