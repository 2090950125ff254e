//! A number of ticks as a coarse bin and a fine offset within it.
//!
//! Short times are what rhythm and touch are made of, so each has its own bin; longer ones share bins whose width
//! doubles with every octave, sixteen to the octave, and a second symbol says which value it is.

use crate::time::{MAX_TICKS, Ticks};

/// Values below this have a bin of their own.
const EXACT: Ticks = 32;
/// Bins per doubling above.
const PER_OCTAVE: Ticks = 16;

/// How many coarse bins there are for 0 to [`MAX_TICKS`].
pub const COARSE: usize = 112;
/// How many offsets the widest bin has.
pub const FINE: usize = 32;

/// A time in ticks, 0 to [`MAX_TICKS`], as bin and offset.
pub fn split(ticks: Ticks) -> (usize, usize) {
    let ticks = ticks.min(MAX_TICKS);
    if ticks < EXACT {
        return (ticks as usize, 0);
    }
    let octave = ticks.ilog2() - EXACT.ilog2();
    let bin = EXACT + octave * PER_OCTAVE + (ticks >> (octave + 1)) % PER_OCTAVE;
    (bin as usize, (ticks % (2 << octave)) as usize)
}

/// The inverse of [`split`]; offsets beyond the bin's width count as its last value.
pub fn join(coarse: usize, fine: usize) -> Ticks {
    let first = first(coarse);
    (first + (fine as Ticks).min(width(coarse) as Ticks - 1)).min(MAX_TICKS)
}

/// How many values share the bin.
pub fn width(coarse: usize) -> usize {
    match (coarse as Ticks).checked_sub(EXACT) {
        None => 1,
        Some(above) => 2 << (above / PER_OCTAVE),
    }
}

/// The smallest value of a bin.
fn first(coarse: usize) -> Ticks {
    match (coarse as Ticks).checked_sub(EXACT) {
        None => coarse as Ticks,
        Some(above) => (PER_OCTAVE + above % PER_OCTAVE) << (above / PER_OCTAVE + 1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_time_splits_and_joins_exactly() {
        let mut last = 0;
        for ticks in 0..=MAX_TICKS {
            let (coarse, fine) = split(ticks);
            assert!(coarse < COARSE && fine < width(coarse) && width(coarse) <= FINE);
            assert!(coarse == last || coarse == last + 1, "bins are in order");
            assert_eq!(join(coarse, fine), ticks);
            last = coarse;
        }
        assert_eq!(last, COARSE - 1, "no bin is unused");
    }

    #[test]
    fn any_pair_of_symbols_is_a_time_within_range() {
        for coarse in 0..COARSE {
            for fine in 0..FINE {
                assert!(join(coarse, fine) <= MAX_TICKS);
            }
        }
    }
}
