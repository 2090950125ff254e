//! What has the keyboard's focus.

use egui::{CornerRadius, EventFilter, Id, Rect, Response, Stroke, StrokeKind, Ui};

use super::theme;

/// Draws a ring around what has the focus.
pub fn ring(ui: &Ui, response: &Response, at: Rect, corners: CornerRadius) {
    if response.has_focus() {
        ui.painter().rect_stroke(at, corners, Stroke::new(1.0, theme::ACCENT), StrokeKind::Inside);
    }
}

/// Keeps arrow keys for what has the focus; else they would move that on.
pub fn keep_arrows(ui: &Ui, focused: Id) {
    let arrows = EventFilter { horizontal_arrows: true, vertical_arrows: true, ..EventFilter::default() };
    ui.memory_mut(|memory| memory.set_focus_lock_filter(focused, arrows));
}
