//! Text that may not have the room that it needs.

use egui::text::{LayoutJob, TextWrapping};
use egui::{Color32, FontId, Painter, Pos2, vec2};

/// Draws a line from `left` on, around its height, that is cut where it would be wider than `width`.
pub fn elided(painter: &Painter, left: Pos2, text: &str, font: FontId, color: Color32, width: f32) {
    let mut job = LayoutJob::simple_singleline(text.to_owned(), font, color);
    job.wrap = TextWrapping::truncate_at_width(width.max(1.0));
    let galley = painter.layout_job(job);
    painter.galley(left - vec2(0.0, galley.size().y / 2.0), galley, color);
}
