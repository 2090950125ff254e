//! Which part of a take is seen, and where on the screen it is.

use std::ops::RangeInclusive;

use egui::{Rect, pos2};

use crate::params::Zoom;

/// Points for a quarter note at the closest look.
const CLOSEST: f32 = 400.0;
/// Heights of a key in points, from farthest to closest.
const KEY_HEIGHTS: RangeInclusive<f32> = 4.0..=22.0;
/// Keys that are shown at least.
const FEWEST_KEYS: i32 = 30;
/// MIDI numbers of the outermost keys.
const LOWEST: f32 = 21.0;
const HIGHEST: f32 = 108.0;

/// From quarter notes and keys to points, and back.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Lens {
    /// Where the notes are drawn.
    pub area: Rect,
    /// Quarter notes at the left edge.
    pub start: f64,
    /// Points for a quarter note.
    pub quarter: f32,
    /// The MIDI number, plus one, at the upper edge.
    pub top: f32,
    /// Points for a key.
    pub key: f32,
}

impl Lens {
    /// Sees all of a take of `quarters` quarter notes with `keys` (MIDI), and a few keys around them.
    pub fn fitting(area: Rect, quarters: f64, keys: RangeInclusive<u8>) -> Lens {
        let (low, high) = (i32::from(*keys.start()) - 2, i32::from(*keys.end()) + 2);
        let missing = (FEWEST_KEYS - (high - low)).max(0);
        let (low, high) = ((low - missing / 2) as f32, (high + missing - missing / 2) as f32);
        let key = (area.height() / (high - low + 1.0)).clamp(*KEY_HEIGHTS.start(), *KEY_HEIGHTS.end());
        let seen = area.height() / key;
        let top = (low + high + 1.0 + seen) / 2.0;
        let lens = Lens { area, start: 0.0, quarter: area.width() / quarters.max(1.0) as f32, top, key };
        lens.within(quarters)
    }

    /// Sees what was zoomed to in a take of `quarters` quarter notes, as far as that makes sense.
    pub fn zoomed(area: Rect, zoom: Zoom, quarters: f64) -> Lens {
        let Zoom { start, quarter, top, key } = zoom;
        let or = |value: f32, otherwise: f32| if value.is_finite() { value } else { otherwise };
        let key = or(key, *KEY_HEIGHTS.start()).clamp(*KEY_HEIGHTS.start(), *KEY_HEIGHTS.end());
        let start = if start.is_finite() { start } else { 0.0 };
        Lens { area, start, quarter: or(quarter, 0.0), top: or(top, HIGHEST), key }.within(quarters)
    }

    /// What this sees, wherever it is drawn.
    pub fn zoom(&self) -> Zoom {
        let Lens { start, quarter, top, key, .. } = *self;
        Zoom { start, quarter, top, key }
    }

    /// Where a moment is, from left to right.
    pub fn x(&self, quarters: f64) -> f32 {
        self.area.left() + ((quarters - self.start) * f64::from(self.quarter)) as f32
    }

    /// The upper edge of a key (MIDI).
    pub fn y(&self, key: f32) -> f32 {
        self.area.top() + (self.top - key - 1.0) * self.key
    }

    /// The moment at `x`.
    pub fn quarters(&self, x: f32) -> f64 {
        self.start + f64::from((x - self.area.left()) / self.quarter)
    }

    /// Quarter notes at the right edge.
    pub fn end(&self) -> f64 {
        self.quarters(self.area.right())
    }

    /// Where a note is.
    pub fn note(&self, onset: f64, end: f64, key: u8) -> Rect {
        let y = self.y(f32::from(key));
        Rect::from_min_max(pos2(self.x(onset), y), pos2(self.x(end), y + self.key))
    }

    /// Looks closer in time by a factor; the moment at `x` stays where it is.
    pub fn zoom_time(&mut self, x: f32, factor: f32, quarters: f64) {
        let anchor = self.quarters(x);
        self.quarter *= factor;
        *self = self.within(quarters);
        self.start = anchor - f64::from((x - self.area.left()) / self.quarter);
        *self = self.within(quarters);
    }

    /// Looks closer at the keys by a factor; the key at `y` stays where it is.
    pub fn zoom_keys(&mut self, y: f32, factor: f32, quarters: f64) {
        let rows = (y - self.area.top()) / self.key;
        self.key = (self.key * factor).clamp(*KEY_HEIGHTS.start(), *KEY_HEIGHTS.end());
        self.top += (y - self.area.top()) / self.key - rows;
        *self = self.within(quarters);
    }

    /// Moves by `x` and `y` points, as if the paper was pulled.
    pub fn pull(&mut self, x: f32, y: f32, quarters: f64) {
        self.start -= f64::from(x / self.quarter);
        self.top += y / self.key;
        *self = self.within(quarters);
    }

    /// The same view, but of nothing beyond the take and the keyboard.
    pub fn within(mut self, quarters: f64) -> Lens {
        let farthest = (f64::from(self.area.width()) / quarters.max(1.0)) as f32;
        self.quarter = self.quarter.clamp(farthest.min(CLOSEST), CLOSEST);
        let seen = f64::from(self.area.width() / self.quarter);
        self.start = self.start.clamp(0.0, (quarters - seen).max(0.0));
        let rows = self.area.height() / self.key;
        let lowest_top = (LOWEST + rows).min(HIGHEST + 1.0);
        self.top = self.top.clamp(lowest_top, (HIGHEST + 1.0).max(lowest_top));
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use egui::vec2;
    use proptest::prelude::*;

    fn area() -> Rect {
        Rect::from_min_size(pos2(50.0, 20.0), vec2(800.0, 300.0))
    }

    #[test]
    fn a_fitting_lens_shows_the_whole_take_and_all_its_keys() {
        let lens = Lens::fitting(area(), 32.0, 40..=80);
        assert_eq!((lens.x(0.0), lens.x(32.0)), (50.0, 850.0));
        assert!(lens.y(80.0) >= area().top() && lens.y(39.0) <= area().bottom());
    }

    #[test]
    fn time_under_the_pointer_stays_there_while_zooming() {
        let mut lens = Lens::fitting(area(), 32.0, 40..=80);
        let before = lens.quarters(450.0);
        lens.zoom_time(450.0, 2.5, 32.0);
        assert!((lens.quarters(450.0) - before).abs() < 1e-4);
    }

    #[test]
    fn what_was_zoomed_to_is_seen_again_in_a_window_of_any_size() {
        let mut lens = Lens::fitting(area(), 32.0, 40..=80);
        lens.zoom_time(450.0, 3.0, 32.0);
        lens.zoom_keys(100.0, 1.5, 32.0);
        let wide = Rect::from_min_size(pos2(0.0, 0.0), vec2(900.0, 200.0));
        let again = Lens::zoomed(wide, lens.zoom(), 32.0);
        assert_eq!((again.start, again.quarter, again.key), (lens.start, lens.quarter, lens.key));
        assert_eq!(Lens::zoomed(area(), lens.zoom(), 32.0), lens);
    }

    proptest! {
        #[test]
        fn a_zoom_that_makes_no_sense_still_shows_the_take(
            start in any::<f64>(),
            quarter in any::<f32>(),
            top in any::<f32>(),
            key in any::<f32>(),
            quarters in 1.0f64..4000.0,
        ) {
            let lens = Lens::zoomed(area(), Zoom { start, quarter, top, key }, quarters);
            prop_assert!(lens.start >= 0.0 && lens.start <= quarters, "{:?}", lens);
            prop_assert!(lens.y(108.0) <= area().top() + 1e-2 && lens.quarter > 0.0, "{:?}", lens);
        }

        #[test]
        fn whatever_is_pulled_and_zoomed_the_take_stays_in_view(
            moves in prop::collection::vec((-900.0f32..900.0, -900.0f32..900.0, 0.2f32..5.0), 0..20),
            quarters in 1.0f64..4000.0,
        ) {
            let mut lens = Lens::fitting(area(), quarters, 60..=60);
            for (x, y, factor) in moves {
                lens.pull(x, y, quarters);
                lens.zoom_time(450.0 + x / 4.0, factor, quarters);
                lens.zoom_keys(100.0, factor, quarters);
            }
            prop_assert!(lens.start >= 0.0 && lens.start <= quarters, "{:?}", lens);
            prop_assert!(lens.y(108.0) <= area().top() + 1e-2, "{:?}", lens);
            prop_assert!(lens.key * 88.0 < 300.0 || lens.y(20.0) >= area().bottom() - 1e-2, "{:?}", lens);
        }

        #[test]
        fn a_place_on_the_screen_and_its_moment_name_each_other(x in 50.0f32..850.0, zoom in 1.0f32..10.0) {
            let mut lens = Lens::fitting(area(), 32.0, 40..=80);
            lens.zoom_time(300.0, zoom, 32.0);
            prop_assert!((lens.x(lens.quarters(x)) - x).abs() < 0.01);
        }
    }
}
