//! Where the parts of the window are.

use egui::{Rect, pos2, vec2};

use super::{knobs, theme};

/// Smallest window in points that has room for everything.
pub const LEAST: [f32; 2] = [980.0, 560.0];

/// Heights and widths of parts in points.
const HEADER: f32 = 52.0;
const STATUS: f32 = 32.0;
const SIDE: f32 = 216.0;
const DEVICE: f32 = 30.0;
const PIANIST: f32 = 72.0;

/// The parts of the window, from top to bottom.
pub struct Layout {
    pub header: Rect,
    pub roll: Rect,
    pub pianist: Rect,
    pub device: Rect,
    pub takes: Rect,
    pub knobs: Rect,
    pub status: Rect,
}

impl Layout {
    /// Fills `window`. Not every host heeds the smallest size: a smaller window cuts off what has no room.
    pub fn of(window: Rect) -> Layout {
        let all = Rect::from_min_size(window.min, window.size().max(LEAST.into()));
        let inside = all.shrink2(vec2(theme::GAP, 0.0));
        let header = Rect::from_min_size(inside.min, vec2(inside.width(), HEADER));
        let status = Rect::from_min_max(pos2(inside.left(), inside.bottom() - STATUS), inside.max);
        let knobs = Rect::from_min_max(pos2(inside.left(), status.top() - knobs::HEIGHT), status.right_top());
        let middle = Rect::from_min_max(header.left_bottom(), knobs.right_top() - vec2(0.0, theme::GAP));
        let side = Rect::from_min_max(pos2(middle.right() - SIDE, middle.top()), middle.max);
        let roll = Rect::from_min_max(middle.min, pos2(side.left() - theme::GAP, middle.bottom()));
        let pianist = Rect::from_min_size(side.min, vec2(SIDE, PIANIST));
        let device = Rect::from_min_size(pianist.left_bottom() + vec2(0.0, theme::GAP), vec2(SIDE, DEVICE));
        let takes = Rect::from_min_max(device.left_bottom() + vec2(0.0, theme::GAP), side.max);
        Layout { header, roll, pianist, device, takes, knobs, status }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn however_small_the_window_no_part_covers_another(width in 1.0..3000.0f32, height in 1.0..3000.0f32) {
            let window = Rect::from_min_size(pos2(0.0, 0.0), vec2(width, height));
            let Layout { header, roll, pianist, device, takes, knobs, status } = Layout::of(window);
            let parts = [header, roll, pianist, device, takes, knobs, status];
            for (i, part) in parts.iter().enumerate() {
                prop_assert!(part.width() >= 100.0 && part.height() >= 30.0, "part {i}: {part:?}");
                for other in &parts[..i] {
                    let common = part.intersect(*other);
                    prop_assert!(common.width() <= 1e-3 || common.height() <= 1e-3, "{part:?}, {other:?}");
                }
            }
        }
    }
}
