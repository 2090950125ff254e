//! Small drawings, crisp at any size.

use std::f32::consts::{FRAC_PI_2, TAU};

use egui::{Color32, Painter, Pos2, Rect, Shape, Stroke, StrokeKind, pos2, vec2};

/// A padlock, shut or open.
pub fn lock(painter: &Painter, center: Pos2, shut: bool, color: Color32) {
    let body = Rect::from_center_size(center + vec2(0.0, 2.0), vec2(9.0, 7.0));
    let lift = if shut { 0.0 } else { -2.0 };
    let bow = Rect::from_min_max(
        pos2(center.x - 3.0, center.y - 5.0 + lift),
        pos2(center.x + 3.0, body.top() + 2.0),
    );
    painter.rect_stroke(bow, 3.0, Stroke::new(1.3, color), StrokeKind::Middle);
    painter.rect_filled(body, 1.5, color);
}

/// The arrow of something that opens a menu.
pub fn arrow(painter: &Painter, center: Pos2, color: Color32) {
    let corners = vec![center + vec2(-4.5, -2.5), center + vec2(4.5, -2.5), center + vec2(0.0, 3.5)];
    painter.add(Shape::convex_polygon(corners, color, Stroke::NONE));
}

/// A star with five points, full or empty.
pub fn star(painter: &Painter, center: Pos2, full: bool, color: Color32) {
    let point = |i: u32| {
        let radius = if i.is_multiple_of(2) { 6.5 } else { 2.8 };
        let angle = TAU * i as f32 / 10.0 - FRAC_PI_2;
        center + radius * vec2(angle.cos(), angle.sin())
    };
    let points: Vec<Pos2> = (0..10).map(point).collect();
    if full {
        // A star is not convex: five tips, and what they stand on.
        let inner = (0..5).map(|i| points[2 * i + 1]).collect();
        painter.add(Shape::convex_polygon(inner, color, Stroke::NONE));
        for i in 0..5 {
            let tip = vec![points[(2 * i + 9) % 10], points[2 * i], points[2 * i + 1]];
            painter.add(Shape::convex_polygon(tip, color, Stroke::NONE));
        }
    } else {
        painter.add(Shape::closed_line(points, Stroke::new(1.2, color)));
    }
}
