//! Where the host is: written by the audio thread at every block, read by all.

use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering::Relaxed};

use etude_pianist::time::TimeSignature;
use nice_plug::prelude::Transport;

use crate::ticks::nearest_tick;

/// The tempo of a host that names none.
pub const DEFAULT_TEMPO: f64 = 120.0;

/// What a host says that it did not say before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct News {
    /// It speaks for the first time.
    pub first: bool,
    /// It is somewhere else, goes at another tempo, or started or stopped.
    pub moved: bool,
}

/// The host's transport, and who it is.
#[derive(Debug)]
pub struct Host {
    known: AtomicBool,
    rolling: AtomicBool,
    /// Bits of an `f64`, as the next two.
    tempo: AtomicU64,
    position: AtomicU64,
    bar_start: AtomicU64,
    /// Numerator and denominator of the time signature.
    signature: [AtomicU32; 2],
}

impl Default for Host {
    fn default() -> Host {
        Host {
            known: AtomicBool::new(false),
            rolling: AtomicBool::new(false),
            tempo: AtomicU64::new(DEFAULT_TEMPO.to_bits()),
            position: AtomicU64::new(0),
            bar_start: AtomicU64::new(0),
            signature: [AtomicU32::new(4), AtomicU32::new(4)],
        }
    }
}

impl Host {
    /// Notes where the host is.
    pub fn hear(&self, transport: &Transport) -> News {
        let set = |value: Option<f64>, place: &AtomicU64| {
            let bits = value.filter(|value| value.is_finite()).map(f64::to_bits);
            bits.is_some_and(|bits| place.swap(bits, Relaxed) != bits)
        };
        let mut moved = set(transport.tempo, &self.tempo);
        moved |= set(transport.pos_beats(), &self.position);
        set(transport.bar_start_pos_beats(), &self.bar_start);
        let signature = [transport.time_sig_numerator, transport.time_sig_denominator];
        for (place, value) in self.signature.iter().zip(signature) {
            if let Some(value) = value.and_then(|value| u32::try_from(value).ok()) {
                place.store(value, Relaxed);
            }
        }
        moved |= self.rolling.swap(transport.playing, Relaxed) != transport.playing;
        News { first: !self.known.swap(true, Relaxed), moved }
    }

    /// Whether the host said anything yet.
    pub fn is_known(&self) -> bool {
        self.known.load(Relaxed)
    }

    /// Whether it rolls.
    pub fn rolling(&self) -> bool {
        self.rolling.load(Relaxed)
    }

    /// Its tempo in quarter notes per minute, within what is composed for.
    pub fn tempo(&self) -> f64 {
        f64::from_bits(self.tempo.load(Relaxed)).clamp(5.0, 1000.0)
    }

    /// Where it is, in quarter notes from the project's start.
    pub fn quarters(&self) -> f64 {
        f64::from_bits(self.position.load(Relaxed))
    }

    /// Its time signature; 4/4 where it has one that can't be.
    pub fn time_signature(&self) -> TimeSignature {
        let [numerator, denominator] = self.signature.each_ref().map(|part| part.load(Relaxed));
        let part = |part: u32| u8::try_from(part).unwrap_or(0);
        TimeSignature::new(part(numerator), part(denominator)).unwrap_or_default()
    }

    /// The tick at which `bar` of the project begins, counted from 0, on the bar lines where the host is now: there may
    /// have been bars of other lengths before.
    pub fn bar_line(&self, bar: u32) -> i64 {
        let (length, shift) = self.bars();
        nearest_tick(f64::from(bar) * length + shift)
    }

    /// The last of these bar lines that is not after a time, both in quarter notes from the project's start.
    pub fn bar_line_before(&self, quarters: f64) -> f64 {
        let (length, shift) = self.bars();
        ((quarters - shift) / length).floor() * length + shift
    }

    /// How long bars are where the host is now, and how far their lines are from multiples of that, in quarter notes.
    fn bars(&self) -> (f64, f64) {
        let length = self.time_signature().quarters_per_bar();
        let shift = f64::from_bits(self.bar_start.load(Relaxed)).rem_euclid(length);
        // Just below a whole bar is the rounding of none.
        (length, if length - shift < 1e-6 { 0.0 } else { shift })
    }

    /// The name of the program that the plugin is in.
    pub fn name(&self) -> String {
        let program = std::env::current_exe().ok();
        let name = program.as_deref().and_then(|path| path.file_stem());
        name.map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bar_lines_are_where_the_host_has_them_though_there_were_bars_of_other_lengths_before() {
        let host = Host::default();
        let mut transport = Transport::new(48_000.0);
        (transport.time_sig_numerator, transport.time_sig_denominator) = (Some(4), Some(4));
        // After one bar of 7/8.
        transport.bar_start_pos_beats = Some(11.5);
        host.hear(&transport);
        assert_eq!([3.5, 7.4, 7.5, 13.0].map(|onset| host.bar_line_before(onset)), [3.5, 3.5, 7.5, 11.5]);
        assert_eq!(host.bar_line(1), nearest_tick(7.5));
    }

    #[test]
    fn a_host_that_stands_still_has_news_when_its_cursor_or_its_tempo_is_moved() {
        let host = Host::default();
        let hear = |tempo, playing| {
            let mut transport = Transport::new(48_000.0);
            (transport.tempo, transport.playing) = (Some(tempo), playing);
            let News { first, moved } = host.hear(&transport);
            (first, moved)
        };
        let told =
            [(120.0, false), (120.0, false), (90.0, false), (90.0, true), (90.0, false), (90.0, false)];
        let news = told.map(|(tempo, playing)| hear(tempo, playing));
        assert_eq!(news.map(|(first, _)| first), [true, false, false, false, false, false]);
        assert_eq!(news.map(|(_, moved)| moved), [false, false, true, true, true, false]);
    }
}
