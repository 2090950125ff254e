//! A knob on the screen: a dial with its name and value.
//!
//! Drag up or down to turn, with shift for finer steps; double-click to reset; click the value, or press Enter, to type
//! one. With the keyboard's focus, arrow keys turn it and Delete resets it. Hosts can record all of it.

use std::f32::consts::PI;

use egui::{
    Align2, CursorIcon, Event, Id, Key, Modifiers, Painter, Pos2, Rect, Response, Sense, Shape, Stroke,
    TextEdit, Ui, WidgetInfo, pos2, vec2,
};
use nice_plug::prelude::{Param, ParamSetter};

use super::{focus, theme};

/// Points to drag from one end to the other.
const TRAVEL: f32 = 180.0;
/// How much finer a dial turns with shift.
const FINE: f32 = 0.1;
/// One arrow key's turn, where a knob has no steps of its own.
const NUDGE: f32 = 0.01;
/// Where a dial begins and ends, clockwise from the right.
const FIRST: f32 = 0.75 * PI;
const LAST: f32 = 2.25 * PI;

/// Where the window remembers which knob was turned.
const TURNED: &str = "knob that the mouse turned last";

/// How a dial looks.
#[derive(Debug, Clone, Copy)]
pub struct Dial {
    /// Its name on the screen.
    pub name: &'static str,
    /// What it does to the music.
    pub tip: &'static str,
    /// Whether it is the biggest one.
    pub big: bool,
}

/// Where the parts of a dial are, and how large its value is written.
struct Parts {
    knob: Rect,
    /// The middle of the name's lower edge.
    name: Pos2,
    value: Rect,
    type_size: f32,
}

impl Dial {
    /// The name below the knob and the value below the name; of the biggest, the value inside the knob.
    fn parts(&self, cell: Rect) -> Parts {
        let (x, bottom) = (cell.center().x, cell.bottom());
        let knob = |size: f32| Rect::from_min_size(pos2(x - size / 2.0, cell.top() + 2.0), vec2(size, size));
        if self.big {
            let knob = knob(82.0);
            let value = Rect::from_center_size(knob.center(), vec2(62.0, 26.0));
            Parts { knob, name: pos2(x, bottom - 4.0), value, type_size: 19.0 }
        } else {
            let value = Rect::from_min_max(pos2(cell.left(), bottom - 18.0), cell.max);
            Parts { knob: knob(36.0), name: pos2(x, bottom - 18.0), value, type_size: 12.0 }
        }
    }
}

/// Draws a dial in `cell` and lets it turn `param`.
pub fn dial<P: Param>(ui: &mut Ui, cell: Rect, setter: &ParamSetter, param: &P, look: Dial) -> Response {
    let id = ui.scope_id().with(look.name);
    let value = param.unmodulated_normalized_value();
    let parts = look.parts(cell);
    let response = ui.interact(cell, id, Sense::click_and_drag()).on_hover_cursor(CursorIcon::ResizeVertical);
    let hot = response.hovered() || response.dragged() || response.has_focus();
    paint(ui.painter(), parts.knob, value, param.default_normalized_value(), hot, look.big);
    focus::ring(ui, &response, cell.expand(2.0), theme::SOFT);
    let name_color = if hot { theme::TEXT } else { theme::MUTED };
    ui.painter().text(parts.name, Align2::CENTER_BOTTOM, look.name, theme::plain(11.0), name_color);
    response.widget_info(|| WidgetInfo::slider(true, f64::from(value), look.name));

    let typing = id.with("typing");
    if ui.data(|data| data.get_temp::<String>(typing)).is_some() {
        type_value(ui, parts.value, setter, param, typing);
    } else {
        let (text, font) = (param.normalized_value_to_string(value, true), theme::strong(parts.type_size));
        ui.painter().text(parts.value.center(), Align2::CENTER_CENTER, text, font, theme::TEXT);
        turn(ui, &response, setter, param);
        if wants_typing(ui, &response, parts.value) {
            let text = param.normalized_value_to_string(value, false);
            ui.data_mut(|data| data.insert_temp(typing, text));
            ui.ctx().request_repaint();
        }
    }
    if response.dragged() { response } else { response.on_hover_text(look.tip) }
}

/// Whether the value is clicked, or Enter pressed.
fn wants_typing(ui: &Ui, response: &Response, value: Rect) -> bool {
    let clicked = response.clicked() && response.interact_pointer_pos().is_some_and(|at| value.contains(at));
    let entered =
        response.has_focus() && ui.input_mut(|input| input.consume_key(Modifiers::NONE, Key::Enter));
    (clicked && !response.double_clicked()) || entered
}

/// The knob that the mouse turned last. It keeps the focus, but for its arrow keys only.
pub fn turned_last(ui: &Ui) -> Option<Id> {
    ui.data(|data| data.get_temp(Id::unique(TURNED)))
}

/// Sets `param` as one gesture that hosts can record.
pub fn set<P: Param>(setter: &ParamSetter, param: &P, normalized: f32) {
    setter.begin_set_parameter(param);
    setter.set_parameter_normalized(param, normalized.clamp(0.0, 1.0));
    setter.end_set_parameter(param);
}

/// Mouse and arrow keys.
fn turn<P: Param>(ui: &Ui, response: &Response, setter: &ParamSetter, param: &P) {
    let hand = response.id.with("hand");
    if response.drag_started() {
        response.request_focus();
        ui.data_mut(|data| data.insert_temp(Id::unique(TURNED), response.id));
        setter.begin_set_parameter(param);
        ui.data_mut(|data| data.insert_temp(hand, param.unmodulated_normalized_value()));
    }
    if response.dragged() {
        let fine = if ui.input(|input| input.modifiers.shift) { FINE } else { 1.0 };
        let pulled = (response.drag_delta().x - response.drag_delta().y) * fine / TRAVEL;
        // Kept apart from the value, so that steps don't swallow small moves.
        let turned = ui.data_mut(|data| {
            let turned = data.get_temp_mut_or(hand, param.unmodulated_normalized_value());
            *turned = (*turned + pulled).clamp(0.0, 1.0);
            *turned
        });
        if pulled != 0.0 {
            setter.set_parameter_normalized(param, turned);
        }
    }
    if response.drag_stopped() {
        setter.end_set_parameter(param);
    }
    if response.double_clicked() {
        set(setter, param, param.default_normalized_value());
    }
    if response.has_focus() {
        nudge(ui, response.id, setter, param);
    }
}

fn nudge<P: Param>(ui: &Ui, id: Id, setter: &ParamSetter, param: &P) {
    focus::keep_arrows(ui, id);
    let value = param.unmodulated_normalized_value();
    let (mut steps, mut reset) = (0i32, false);
    ui.input(|input| {
        for event in &input.events {
            let Event::Key { key, pressed: true, .. } = event else { continue };
            match key {
                Key::ArrowUp | Key::ArrowRight => steps += 1,
                Key::ArrowDown | Key::ArrowLeft => steps -= 1,
                Key::Delete | Key::Backspace => reset = true,
                _ => (),
            }
        }
    });
    let fine = ui.input(|input| input.modifiers.shift);
    // Continuous knobs move by a hundredth of their range, others by one of their steps.
    let coarse = if fine {
        1
    } else {
        param.step_count().map_or(1, |count| (count as f32 * NUDGE).round().max(1.0) as i32)
    };
    let moved = (0..steps.abs() * coarse).fold(value, |value, _| match steps > 0 {
        true => param.next_normalized_step(value, fine),
        false => param.previous_normalized_step(value, fine),
    });
    if reset {
        set(setter, param, param.default_normalized_value());
    } else if moved != value {
        set(setter, param, moved);
    }
}

/// A field for the value; Enter takes it, Escape leaves it.
fn type_value<P: Param>(ui: &mut Ui, at: Rect, setter: &ParamSetter, param: &P, id: Id) {
    let mut text = ui.data_mut(|data| data.get_temp::<String>(id)).unwrap_or_default();
    let field_id = id.with("field");
    let first = ui.data_mut(|data| !std::mem::replace(data.get_temp_mut_or(field_id, false), true));
    let edit = TextEdit::singleline(&mut text)
        .id(field_id)
        .font(theme::plain(12.0))
        .margin(egui::Margin::symmetric(2, 1))
        .align(egui::Align2::CENTER_CENTER);
    let response = ui.put(at, edit);
    if first {
        response.request_focus();
        let all = egui::text::CCursorRange::two(
            egui::text::CCursor::default(),
            egui::text::CCursor::new(text.chars().count()),
        );
        let mut state = egui::text_edit::TextEditState::default();
        state.cursor.set_char_range(Some(all));
        state.store(ui.ctx(), field_id);
    }
    if response.lost_focus() && !first {
        let cancelled = ui.input(|input| input.key_pressed(Key::Escape));
        if let Some(value) = param.string_to_normalized_value(&text).filter(|_| !cancelled) {
            set(setter, param, value);
        }
        ui.data_mut(|data| {
            data.remove::<String>(id);
            data.remove::<bool>(field_id);
        });
    } else {
        ui.data_mut(|data| data.insert_temp(id, text));
    }
}

fn paint(painter: &Painter, knob: Rect, value: f32, default: f32, hot: bool, big: bool) {
    let (center, radius) = (knob.center(), knob.width() / 2.0 - 2.0);
    let width = if big { 6.0 } else { 3.5 };
    let angle = |value: f32| FIRST + (LAST - FIRST) * value;
    let place = |angle: f32, radius: f32| center + radius * vec2(angle.cos(), angle.sin());
    painter.add(arc(center, radius, FIRST, LAST, Stroke::new(width, theme::RAISED)));
    let light = if hot { theme::ACCENT } else { theme::ACCENT.gamma_multiply(0.85) };
    if value > 0.0 {
        painter.add(arc(center, radius, FIRST, angle(value), Stroke::new(width, light)));
    }
    if !big {
        painter.circle_filled(center, radius - 5.0, if hot { theme::LIFTED } else { theme::RAISED });
        let ends = [place(angle(value), radius - 12.0), place(angle(value), radius - 6.0)];
        painter.line_segment(ends, Stroke::new(2.0, theme::TEXT));
    } else {
        painter.circle_filled(place(angle(value), radius), width / 2.0 + 1.5, theme::TEXT);
    }
    painter.circle_filled(place(angle(default), radius + width / 2.0 + 2.5), 1.2, theme::FAINT);
}

fn arc(center: Pos2, radius: f32, from: f32, to: f32, stroke: Stroke) -> Shape {
    let pieces = ((to - from) * radius / 2.0).ceil().max(2.0);
    let angles = (0..=pieces as u32).map(|piece| from + (to - from) * piece as f32 / pieces);
    Shape::line(angles.map(|angle| center + radius * vec2(angle.cos(), angle.sin())).collect(), stroke)
}
