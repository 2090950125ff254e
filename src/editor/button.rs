//! Buttons of this editor.

use egui::containers::menu::menu_style;
use egui::{
    Align, Align2, Button, Key, Layout, Popup, Rect, Response, RichText, Role, Sense, Stroke, StrokeKind,
    Style, Ui, WidgetInfo, pos2, vec2,
};

use super::{focus, theme};

/// Height of a button.
pub const HEIGHT: f32 = 32.0;

/// A button that is one click away from what the musician came for.
pub fn main(ui: &mut Ui, at: Rect, text: &str, tip: &str) -> bool {
    button(ui, at, text, true, true).on_hover_text(tip).clicked()
}

/// Any other button.
pub fn plain(ui: &mut Ui, at: Rect, text: &str, enabled: bool, tip: &str) -> bool {
    button(ui, at, text, false, enabled).on_hover_text(tip).clicked() && enabled
}

/// A button that something can be dragged from, too.
pub fn source(ui: &mut Ui, at: Rect, text: &str, enabled: bool, tip: &str) -> Response {
    let response = button(ui, at, text, false, enabled);
    let response = if enabled { response.interact(Sense::click_and_drag()) } else { response };
    response.on_hover_text(tip)
}

/// A panel that opens a menu when it is clicked; what it says is drawn on it.
pub fn opener(ui: &mut Ui, at: Rect, name: &str) -> Response {
    let response = ui.interact(at, ui.scope_id().with(name), Sense::click());
    let hot = response.hovered() || response.has_focus();
    ui.painter().rect_filled(at, theme::ROUND, if hot { theme::RAISED } else { theme::PANEL });
    focus::ring(ui, &response, at, theme::ROUND);
    response
}

/// The menu of something that was clicked.
pub fn menu(opener: &Response, width: f32) -> Popup<'_> {
    Popup::menu(opener).width(width).gap(4.0).style(|style: &mut Style| {
        menu_style(style);
        style.spacing.button_padding = vec2(10.0, 4.0);
    })
}

/// An entry of a menu.
pub fn entry(ui: &mut Ui, text: &str, chosen: bool, width: f32) -> Response {
    ui.add(Button::selectable(chosen, text).min_size(vec2(width, 0.0)))
}

/// A few words in a menu.
pub fn note(ui: &mut Ui, text: &str) {
    let text = RichText::new(text).small().color(theme::MUTED);
    // A menu's own layout would spread the words over its width.
    ui.with_layout(Layout::top_down(Align::LEFT), |ui| ui.label(text));
}

/// Whether `key` is pressed without anything else, and nothing is being typed.
pub fn pressed(ui: &Ui, key: Key) -> bool {
    let typing = ui.ctx().text_edit_focused();
    !typing && ui.input(|input| input.modifiers.is_none() && input.key_pressed(key))
}

fn button(ui: &mut Ui, at: Rect, text: &str, main: bool, enabled: bool) -> Response {
    let sense = if enabled { Sense::click() } else { Sense::hover() };
    let response = ui.interact(at, ui.scope_id().with(text), sense);
    let hot = enabled && response.hovered();
    let held = enabled && response.is_pointer_button_down_on();
    let fill = match (main, hot, held) {
        (true, _, true) => theme::ACCENT.gamma_multiply(0.8),
        (true, true, _) => theme::ACCENT.lerp_to_gamma(theme::TEXT, 0.3),
        (true, ..) => theme::ACCENT,
        (false, true, _) => theme::LIFTED,
        (false, ..) => theme::RAISED,
    };
    let color = match (main, enabled) {
        (true, _) => theme::GROUND,
        (_, true) => theme::TEXT,
        (_, false) => theme::FAINT,
    };
    ui.painter().rect_filled(at, theme::SOFT, fill);
    if response.has_focus() {
        let ring = Stroke::new(1.5, if main { theme::TEXT } else { theme::ACCENT });
        ui.painter().rect_stroke(at.expand(2.0), theme::SOFT, ring, StrokeKind::Inside);
    }
    let font = if main { theme::strong(13.0) } else { theme::plain(13.0) };
    ui.painter().text(at.center(), Align2::CENTER_CENTER, text, font, color);
    response.widget_info(|| WidgetInfo::labeled(Role::Button, enabled, text));
    response
}

/// Lays out buttons of one row.
pub struct Row {
    at: egui::Pos2,
}

impl Row {
    /// A row that begins at `left` around the height `y`.
    pub fn new(left: f32, y: f32) -> Row {
        Row { at: pos2(left, y - HEIGHT / 2.0) }
    }

    /// The place of the next button.
    pub fn next(&mut self, width: f32) -> Rect {
        let rect = Rect::from_min_size(self.at, vec2(width, HEIGHT));
        self.at.x += width + 8.0;
        rect
    }
}
