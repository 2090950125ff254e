//! A knob on the screen that has names for values: a menu, or a switch.

use std::sync::Arc;

use egui::{
    Align2, Galley, Id, Key, Painter, Popup, Rect, Response, Role, Sense, Ui, WidgetInfo, pos2, vec2,
};
use nice_plug::prelude::{BoolParam, Param, ParamSetter};

use super::dial::set;
use super::{button, focus, theme};

/// Height of the part that shows the value.
const BOX: f32 = 26.0;
/// Sizes of its type, the first that fits.
const SIZES: [f32; 6] = [12.0, 10.5, 10.0, 9.5, 9.0, 8.5];

/// Draws a menu in `cell` and lets it choose a value of `param`. With the keyboard's focus, arrow keys choose too.
pub fn choice<P: Param>(
    ui: &mut Ui,
    cell: Rect,
    setter: &ParamSetter,
    param: &P,
    name: &str,
    tip: &str,
) -> Response {
    let response = ui.interact(cell, ui.scope_id().with(name), Sense::click());
    let at = label_and_box(ui, cell, &response, name);
    let value = param.unmodulated_normalized_value();
    let text = param.normalized_value_to_string(value, true);
    let galley = fitted(ui.painter(), &text, at.width() - 6.0);
    let place = at.center() - galley.size() / 2.0;
    ui.painter().with_clip_rect(at.shrink(2.0)).galley(place, galley, theme::TEXT);
    response.widget_info(|| WidgetInfo::labeled(Role::ComboBox, true, format!("{name} {text}")));
    // While the menu is open, arrows go through it.
    if response.has_focus() && !Popup::is_id_open(ui.ctx(), Popup::default_response_id(&response)) {
        step(ui, response.id, setter, param);
    }
    button::menu(&response, 130.0).show(|ui| values(ui, setter, param));
    response.on_hover_text(tip)
}

/// Arrow keys.
fn step<P: Param>(ui: &Ui, id: Id, setter: &ParamSetter, param: &P) {
    focus::keep_arrows(ui, id);
    let value = param.unmodulated_normalized_value();
    let by = |key| ui.input(|input| input.key_pressed(key));
    if by(Key::ArrowDown) || by(Key::ArrowRight) {
        set(setter, param, param.next_normalized_step(value, false));
    } else if by(Key::ArrowUp) || by(Key::ArrowLeft) {
        set(setter, param, param.previous_normalized_step(value, false));
    }
}

/// The values to choose from, as entries of a menu.
fn values<P: Param>(ui: &mut Ui, setter: &ParamSetter, param: &P) {
    let last = param.step_count().unwrap_or(1);
    let current = (param.unmodulated_normalized_value() * last as f32).round() as usize;
    for step in 0..=last {
        let normalized = step as f32 / last as f32;
        let text = param.normalized_value_to_string(normalized, true);
        if button::entry(ui, &text, step == current, 118.0).clicked() {
            set(setter, param, normalized);
            // A key that chooses leaves it open.
            ui.close();
        }
    }
}

/// Draws a switch in `cell`.
pub fn switch(
    ui: &mut Ui,
    cell: Rect,
    setter: &ParamSetter,
    param: &BoolParam,
    name: &str,
    tip: &str,
) -> Response {
    let on = param.value();
    let response = ui.interact(cell, ui.scope_id().with(name), Sense::click());
    let at = label_and_box(ui, cell, &response, name);
    let rail = Rect::from_center_size(at.center(), vec2(30.0, 16.0));
    let (fill, x) = if on { (theme::ACCENT, rail.right() - 8.0) } else { (theme::GROUND, rail.left() + 8.0) };
    ui.painter().rect_filled(rail, 8.0, fill);
    let button = if on { theme::GROUND } else { theme::MUTED };
    ui.painter().circle_filled(pos2(x, rail.center().y), 5.5, button);
    response.widget_info(|| WidgetInfo::selected(Role::CheckBox, true, on, name));
    if response.clicked() {
        set(setter, param, if on { 0.0 } else { 1.0 });
    }
    response.on_hover_text(tip)
}

/// Lays a value out on the lines that a box has, in type small enough that no word is broken.
fn fitted(painter: &Painter, text: &str, width: f32) -> Arc<Galley> {
    let width_of =
        |word: &str, size| painter.layout_no_wrap(word.to_owned(), theme::strong(size), theme::TEXT).size().x;
    let lay_out = |size| painter.layout(text.to_owned(), theme::strong(size), theme::TEXT, width);
    let fits = |size: &f32| {
        text.split(' ').all(|word| width_of(word, *size) <= width) && lay_out(*size).size().y <= BOX
    };
    lay_out(SIZES.into_iter().find(fits).unwrap_or(SIZES[SIZES.len() - 1]))
}

fn label_and_box(ui: &Ui, cell: Rect, response: &Response, name: &str) -> Rect {
    let at = Rect::from_min_size(pos2(cell.left() + 1.0, cell.top() + 7.0), vec2(cell.width() - 2.0, BOX));
    let hot = response.hovered() || response.has_focus();
    ui.painter().rect_filled(at, theme::SOFT, if hot { theme::LIFTED } else { theme::RAISED });
    focus::ring(ui, response, at, theme::SOFT);
    let below = pos2(cell.center().x, cell.bottom() - 18.0);
    let color = if hot { theme::TEXT } else { theme::MUTED };
    ui.painter().text(below, Align2::CENTER_BOTTOM, name, theme::plain(11.0), color);
    at
}

#[cfg(test)]
mod tests {
    use nice_plug::prelude::Enum;

    use super::*;
    use crate::params::{Grid, Mode, Pedal, Scale};

    /// What a value has of the least window.
    const LEAST: f32 = 50.0;

    #[test]
    fn no_value_is_broken_within_a_word_or_higher_than_its_box() {
        let context = egui::Context::default();
        theme::apply(&context);
        let names = [Scale::variants(), Grid::variants(), Pedal::variants(), Mode::variants()].concat();
        let output = context.run_ui(egui::RawInput::default(), |ui| {
            for name in &names {
                let galley = fitted(ui.painter(), name, LEAST);
                let lines: Vec<String> = galley.rows.iter().map(|row| row.text().trim().to_owned()).collect();
                assert!(lines.join(" ") == *name && galley.size().y <= BOX, "{lines:?}: {:?}", galley.size());
            }
        });
        output.drop_without_applying_deltas();
    }
}
