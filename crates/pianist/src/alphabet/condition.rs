//! What the music is asked to be like: conditioning inputs, each of which can be off.

use serde::{Deserialize, Serialize};

use crate::time::Ticks;

/// How the sustain pedal is spelled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Pedal {
    /// Pedal changes are steps of their own; they become CC64.
    Keep,
    /// Notes last as long as the pedal lets them sound; there are no pedal steps.
    Fold,
}

/// What the network is asked for at a step. `None` is off: the pianist decides.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Conditions {
    /// How the pedal is spelled.
    pub pedal: Option<Pedal>,
    /// Notes per second or per quarter note over the next few seconds.
    pub density: Option<f32>,
    /// Share of each pitch class (C first) among the notes of the next few seconds; sums to 1.
    pub pitch_classes: Option<[f32; 12]>,
    /// Where the bars are (pianists in beats).
    pub metre: Option<Metre>,
}

impl Conditions {
    /// Symbols of [`Conditions::pedal_symbol`].
    pub(super) const PEDALS: usize = 3;
    /// Symbols of [`Conditions::density_symbol`].
    pub(super) const DENSITIES: usize = 9;
    /// Dense values of [`Conditions::write_pitch_classes`].
    pub(super) const PITCH_CLASSES: usize = 13;

    /// 0 for off, else how the pedal is spelled.
    pub(super) fn pedal_symbol(&self) -> u16 {
        match self.pedal {
            None => 0,
            Some(Pedal::Keep) => 1,
            Some(Pedal::Fold) => 2,
        }
    }

    /// 0 for off, else one of eight bins with edges 1, 2, 4, ... 64 (Performance RNN's).
    pub(super) fn density_symbol(&self) -> u16 {
        self.density.map_or(0, |density| if density < 1.0 { 1 } else { (exponent(density) + 2).min(8) })
    }

    /// The twelve shares, then 1; all zeros for off.
    pub(super) fn write_pitch_classes(&self, out: &mut [f32]) {
        out.fill(0.0);
        if let Some(shares) = &self.pitch_classes {
            out[..12].copy_from_slice(shares);
            out[12] = 1.0;
        }
    }

    /// Symbols of the position in the bar and of the bar's length at `tick`, both 0 for off.
    pub(super) fn bar_symbols(&self, tick: Ticks) -> (u16, u16) {
        self.metre.as_ref().map_or((0, 0), |metre| metre.symbols(tick))
    }
}

/// The whole part of the binary logarithm of a value from 1 on, the same on every machine.
fn exponent(value: f32) -> u16 {
    ((value.to_bits() >> 23) & 0xff) as u16 - 127
}

/// Where bars start and how long they are, in ticks of 1/24 quarter note.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Metre {
    /// `(start, length)` from each start on, sorted by start; bars of that length repeat until the next start.
    sections: Vec<(Ticks, Ticks)>,
}

impl Metre {
    /// Symbols of a position in a bar: off, each tick of a bar of up to eight quarter notes.
    pub(super) const POSITIONS: usize = 193;
    /// Symbols of a bar's length: off, 1 to 16 eighth notes.
    pub(super) const LENGTHS: usize = 17;

    /// Bars of one length from tick 0 on.
    ///
    /// # Panics
    /// If `length` is 0.
    pub fn regular(length: Ticks) -> Metre {
        Metre::new(vec![(0, length)])
    }

    /// Bars in sections of `(start, length)`.
    ///
    /// # Panics
    /// If there is no section, a length is 0, or the starts are not sorted.
    pub fn new(sections: Vec<(Ticks, Ticks)>) -> Metre {
        assert!(!sections.is_empty() && sections.iter().all(|section| section.1 > 0));
        assert!(sections.is_sorted_by_key(|section| section.0));
        Metre { sections }
    }

    /// Position of `tick` in its bar and the bar's length. Before the first section bars repeat backwards.
    pub fn position(&self, tick: Ticks) -> (Ticks, Ticks) {
        let after = self.sections.partition_point(|section| section.0 <= tick);
        let (start, length) = self.sections[after.saturating_sub(1)];
        let position = (i64::from(tick) - i64::from(start)).rem_euclid(i64::from(length));
        (position as Ticks, length)
    }

    fn symbols(&self, tick: Ticks) -> (u16, u16) {
        const TICKS_PER_EIGHTH: Ticks = 12;
        let (position, length) = self.position(tick);
        let position = position.min(Metre::POSITIONS as Ticks - 2) + 1;
        let length = (length / TICKS_PER_EIGHTH).clamp(1, Metre::LENGTHS as Ticks - 1);
        (position as u16, length as u16)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_condition_that_is_off_reads_as_zero() {
        let off = Conditions::default();
        let mut shares = [1.0; 13];
        off.write_pitch_classes(&mut shares);
        assert_eq!((off.pedal_symbol(), off.density_symbol(), off.bar_symbols(7)), (0, 0, (0, 0)));
        assert_eq!(shares, [0.0; 13]);
    }

    #[test]
    fn density_bins_double() {
        let symbol = |density| Conditions { density: Some(density), ..Default::default() }.density_symbol();
        assert_eq!([0.0, 0.9, 1.0, 2.0, 3.9, 4.0, 63.0, 64.0, 1e9].map(symbol), [1, 1, 2, 3, 3, 4, 7, 8, 8]);
    }

    #[test]
    fn positions_follow_changes_of_metre() {
        let metre = Metre::new(vec![(24, 96), (216, 72)]);
        assert_eq!(
            [24, 119, 120, 215, 216, 288, 0].map(|tick| metre.position(tick)),
            [(0, 96), (95, 96), (0, 96), (95, 96), (0, 72), (0, 72), (72, 96)]
        );
    }
}
