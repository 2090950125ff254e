//! Who composes: a card with a menu.

use egui::{Align2, Rect, Response, Role, Ui, WidgetInfo, pos2, vec2};

use crate::pianists::{self, Known};
use crate::session::{Session, View};

use super::{button, icon, text, theme};

/// Said of a pianist whose card names no licence.
const UNLICENSED: &str = "No licence is stated";

/// Draws the card; a click opens the menu.
pub fn show(ui: &mut Ui, at: Rect, view: &View, session: &Session) {
    let response = button::opener(ui, at, "pianist");
    card(ui, at, &view.pianist);
    response
        .widget_info(|| WidgetInfo::labeled(Role::ComboBox, true, format!("Pianist {}", view.pianist.name)));
    if response.clicked() {
        session.find_pianists();
    }
    menu(&response, at.width(), view, session);
    response.on_hover_text(format!("Who composes. {}\n\n{}", view.pianist.data, licence(&view.pianist)));
}

fn card(ui: &Ui, at: Rect, pianist: &Known) {
    let inside = ui.painter().with_clip_rect(at.shrink2(vec2(12.0, 2.0)));
    let line = |y: f32| pos2(at.left() + 14.0, at.top() + y);
    inside.text(line(16.0), Align2::LEFT_CENTER, "Pianist", theme::plain(11.0), theme::MUTED);
    let (name, font) = (&pianist.name, theme::strong(15.0));
    text::elided(&inside, line(36.0), name, font, theme::TEXT, at.width() - 44.0);
    let (licence, font) = (licence(pianist), theme::plain(11.0));
    text::elided(&inside, line(56.0), licence, font, theme::MUTED, at.width() - 28.0);
    icon::arrow(ui.painter(), pos2(at.right() - 20.0, at.top() + 36.0), theme::MUTED);
}

/// The pianists to choose from, and where to put more.
fn menu(opener: &Response, width: f32, view: &View, session: &Session) {
    button::menu(opener, width - 12.0).show(|ui| {
        for known in &view.pianists {
            let mut entry = button::entry(ui, &known.name, known.name == view.pianist.name, width - 24.0);
            if !known.data.is_empty() {
                entry = entry.on_hover_text(format!("{}\n\n{}", known.data, licence(known)));
            }
            if entry.clicked() {
                session.choose_pianist(&known.name);
                ui.close();
            }
        }
        ui.separator();
        if let Some(folder) = pianists::folder() {
            button::note(ui, &format!("More pianists go into {}", folder.display()));
        }
    });
}

fn licence(pianist: &Known) -> &str {
    if pianist.licence.is_empty() { UNLICENSED } else { &pianist.licence }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use egui::{Context, RawInput, Shape};

    use super::*;
    use crate::bell::Bell;

    #[test]
    fn a_pianist_without_a_licence_says_so() {
        let context = Context::default();
        theme::apply(&context);
        let session = Session::new(Arc::new(Bell::default()));
        let window = Rect::from_min_size(pos2(0.0, 0.0), vec2(216.0, 72.0));
        let input = RawInput { screen_rect: Some(window), ..RawInput::default() };
        let output = context.run_ui(input, |ui| show(ui, window, &View::default(), &session));
        let says = |shape: &Shape| matches!(shape, Shape::Text(text) if text.galley.text() == UNLICENSED);
        let said = output.shapes.iter().any(|shape| says(&shape.shape));
        output.drop_without_applying_deltas();
        assert!(said);
    }
}
