//! From quarter notes to the ticks of a clip ([`TICKS_PER_QUARTER`]), in which the player counts, and back.

use etude_pianist::midi::TICKS_PER_QUARTER;

/// Ticks in quarter notes.
pub(crate) fn quarters(ticks: i64) -> f64 {
    ticks as f64 / f64::from(TICKS_PER_QUARTER)
}

/// The tick nearest to a time in quarter notes.
pub(crate) fn nearest_tick(quarters: f64) -> i64 {
    (quarters * f64::from(TICKS_PER_QUARTER)).round() as i64
}

/// The first tick that is not before a time in quarter notes.
pub(crate) fn tick_from(quarters: f64) -> i64 {
    (quarters * f64::from(TICKS_PER_QUARTER)).ceil() as i64
}
