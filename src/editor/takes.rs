//! The column at the right: who plays, and the last takes.

use egui::{
    Align2, Painter, Rect, RichText, Role, ScrollArea, Sense, Stroke, StrokeKind, Ui, UiBuilder, WidgetInfo,
    pos2, vec2,
};

use crate::pianists::{self, Known};
use crate::session::{Entry, Session, View};

use super::wishes::wishes;
use super::{button, icon, theme};

/// Height of a take in the list.
const ROW: f32 = 50.0;
/// From one take in the list to the next.
const PITCH: f32 = ROW + 4.0;
/// Said of a pianist whose card names no licence.
const UNLICENSED: &str = "No licence is stated";
/// Notes of a take that are drawn in the list at most.
const MOST_NOTES: usize = 400;

/// The pianist's card and chooser.
pub fn pianist(ui: &mut Ui, at: Rect, view: &View, session: &Session) {
    let response = button::opener(ui, at, "pianist");
    let left = at.left() + 14.0;
    let inside = ui.painter().with_clip_rect(at.shrink2(vec2(12.0, 2.0)));
    inside.text(
        pos2(left, at.top() + 16.0),
        Align2::LEFT_CENTER,
        "Pianist",
        theme::plain(11.0),
        theme::MUTED,
    );
    line(
        &inside,
        pos2(left, at.top() + 36.0),
        &view.pianist.name,
        theme::strong(15.0),
        theme::TEXT,
        at.width() - 44.0,
    );
    line(
        &inside,
        pos2(left, at.top() + 56.0),
        licence(&view.pianist),
        theme::plain(11.0),
        theme::MUTED,
        at.width() - 28.0,
    );
    icon::arrow(ui.painter(), pos2(at.right() - 20.0, at.top() + 36.0), theme::MUTED);
    response
        .widget_info(|| WidgetInfo::labeled(Role::ComboBox, true, format!("Pianist {}", view.pianist.name)));
    if response.clicked() {
        session.find_pianists();
    }
    button::menu(&response, at.width() - 12.0).show(|ui| {
        for known in &view.pianists {
            let chosen = known.name == view.pianist.name;
            let button =
                egui::Button::selectable(chosen, known.name.as_str()).min_size(vec2(at.width() - 24.0, 0.0));
            let mut button = ui.add(button);
            if !known.data.is_empty() {
                button = button.on_hover_text(format!("{}\n\n{}", known.data, licence(known)));
            }
            if button.clicked() {
                session.choose_pianist(&known.name);
                ui.close();
            }
        }
        ui.separator();
        if let Some(folder) = pianists::folder() {
            button::note(ui, &format!("More pianists go into {}", folder.display()));
        }
    });
    response.on_hover_text(format!("Who composes. {}\n\n{}", view.pianist.data, licence(&view.pianist)));
}

fn licence(pianist: &Known) -> &str {
    if pianist.licence.is_empty() { UNLICENSED } else { &pianist.licence }
}

/// The list of takes, newest first.
pub fn list(ui: &mut Ui, at: Rect, view: &View, session: &Session) {
    ui.painter().rect_filled(at, theme::ROUND, theme::PANEL);
    let title = pos2(at.left() + 14.0, at.top() + 16.0);
    ui.painter().text(title, Align2::LEFT_CENTER, "Takes", theme::plain(11.0), theme::MUTED);
    let inside = Rect::from_min_max(at.min + vec2(6.0, 30.0), at.max - vec2(6.0, 6.0));
    if view.history.is_empty() {
        let text = "Every take is kept here:\nclick one to hear it again,\nstar it to keep it.";
        let font = theme::plain(12.0);
        ui.painter().text(
            inside.center_top() + vec2(0.0, 24.0),
            Align2::CENTER_TOP,
            text,
            font,
            theme::FAINT,
        );
        return;
    }
    ui.scope_builder(UiBuilder::new().max_rect(inside), |ui| {
        ScrollArea::vertical().auto_shrink(false).show_viewport(ui, |ui, seen| rows(ui, seen, view, session));
    });
}

/// The takes that are `seen`, and one more above and below, so that the keyboard's focus finds its way there.
fn rows(ui: &mut Ui, seen: Rect, view: &View, session: &Session) {
    let count = view.history.len();
    ui.set_height(count as f32 * PITCH);
    let first = ((seen.top() / PITCH) as usize).saturating_sub(1);
    let end = ((seen.bottom() / PITCH).ceil() as usize + 1).min(count);
    let (top_left, width) = (ui.max_rect().min, ui.available_width());
    for (number, entry) in view.history.iter().rev().enumerate().take(end).skip(first) {
        let top = top_left + vec2(0.0, number as f32 * PITCH);
        row(ui, Rect::from_min_size(top, vec2(width, ROW)), entry, view, session);
    }
}

fn row(ui: &mut Ui, at: Rect, entry: &Entry, view: &View, session: &Session) {
    let current = view.take.as_ref().is_some_and(|take| take.id() == entry.take.id());
    let response = ui.interact(at, ui.scope_id().with(("take", entry.id)), Sense::click());
    let star = Rect::from_center_size(pos2(at.right() - 15.0, at.center().y), vec2(26.0, ROW));
    let starring = ui.interact(star, ui.scope_id().with(("star", entry.id)), Sense::click());
    if response.gained_focus() || starring.gained_focus() {
        ui.scroll_to_rect(at, None);
    }
    let hot = response.hovered() || response.has_focus() || starring.hovered();
    if current || hot {
        ui.painter().rect_filled(
            at,
            theme::SOFT,
            if current { theme::RAISED } else { theme::PANEL.lerp_to_gamma(theme::RAISED, 0.6) },
        );
    }
    if current {
        let mark = Rect::from_min_size(at.min + vec2(0.0, 8.0), vec2(3.0, ROW - 16.0));
        ui.painter().rect_filled(mark, 1.5, theme::ACCENT);
    }
    let music = entry.take.music();
    let text = pos2(at.left() + 10.0, at.top() + 14.0);
    let painter = ui.painter();
    let color = if current { theme::TEXT } else { theme::MUTED };
    painter.text(text, Align2::LEFT_CENTER, format!("Take {}", entry.id), theme::strong(12.0), color);
    let seed = format!("seed {}", music.seed);
    painter.text(
        pos2(star.left() - 2.0, text.y),
        Align2::RIGHT_CENTER,
        seed,
        theme::plain(10.5),
        theme::FAINT,
    );
    let picture =
        Rect::from_min_max(pos2(text.x, at.top() + 24.0), pos2(star.left() - 2.0, at.bottom() - 6.0));
    thumbnail(painter, picture, entry);
    let color = if entry.starred || starring.hovered() { theme::ACCENT } else { theme::FAINT };
    icon::star(painter, star.center(), entry.starred, color);
    let focus = [(&response, at), (&starring, star.shrink2(vec2(1.0, 10.0)))];
    for (_, rect) in focus.iter().filter(|(response, _)| response.has_focus()) {
        painter.rect_stroke(*rect, theme::SOFT, Stroke::new(1.0, theme::ACCENT), StrokeKind::Inside);
    }
    response.widget_info(|| WidgetInfo::selected(Role::Button, true, current, format!("Take {}", entry.id)));
    starring.widget_info(|| {
        WidgetInfo::selected(Role::CheckBox, true, entry.starred, format!("Star take {}", entry.id))
    });
    if starring.clicked() {
        session.star(entry.id, !entry.starred);
    } else if response.clicked() {
        session.audition(entry.id);
    }
    response.on_hover_ui(|ui| {
        ui.label(format!("{}, {} bars at {:.0} bpm", entry.pianist, entry.take.bars(), music.tempo));
        let wishes = wishes(&entry.knobs);
        if !wishes.is_empty() {
            ui.label(wishes);
        }
        ui.label(RichText::new("Click to hear this take.").color(theme::MUTED));
    });
    starring.on_hover_text("Starred takes are kept; others make room for new ones.");
}

/// A take, very small.
fn thumbnail(painter: &Painter, at: Rect, entry: &Entry) {
    let music = entry.take.music();
    let played = &entry.take.played().notes;
    let notes = &played[..played.len().min(MOST_NOTES)];
    let end = notes.iter().map(|note| note.end()).fold(1.0, f64::max).min(music.quarters.max(1.0));
    let keys = || notes.iter().map(|note| note.key.midi());
    let (Some(low), Some(high)) = (keys().min(), keys().max()) else { return };
    let height = at.height() / f32::from(high - low + 1);
    for note in notes {
        let x = |quarters: f64| at.left() + (quarters / end) as f32 * at.width();
        let y = at.bottom() - f32::from(note.key.midi() - low + 1) * height;
        let (left, right) = (x(note.onset), x(note.end()).min(at.right()));
        let rect = Rect::from_min_max(pos2(left, y), pos2(right.max(left + 1.0), y + height.clamp(1.2, 2.0)));
        painter.rect_filled(rect, 0.0, theme::velocity(note.velocity).gamma_multiply(0.8));
    }
}

/// A line of text that is cut where it would be too long.
pub fn line(
    painter: &Painter,
    left: egui::Pos2,
    text: &str,
    font: egui::FontId,
    color: egui::Color32,
    width: f32,
) {
    let mut job = egui::text::LayoutJob::simple_singleline(text.to_owned(), font, color);
    job.wrap = egui::text::TextWrapping::truncate_at_width(width.max(1.0));
    let galley = painter.layout_job(job);
    painter.galley(left - vec2(0.0, galley.size().y / 2.0), galley, color);
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::sync::Arc;

    use egui::{Context, Event, Key, Modifiers, RawInput, Shape};
    use etude_pianist::composer;
    use etude_pianist::note::Performance;

    use super::*;
    use crate::bell::Bell;
    use crate::params::Mode;
    use crate::take::{Place, Take};

    fn entry(id: u64) -> Entry {
        let (tempo, time_signature) = (120.0, Default::default());
        let performance = Performance::default();
        let music = composer::Take { seed: id, tempo, time_signature, quarters: 4.0, performance };
        let take = Arc::new(Take::new(music, Place { anchor: 0, mode: Mode::Loop }, 4.0));
        Entry { id, take, pianist: String::new(), knobs: Default::default(), starred: false }
    }

    #[test]
    fn a_pianist_without_a_licence_says_so() {
        let context = Context::default();
        theme::apply(&context);
        let session = Session::new(Arc::new(Bell::default()));
        let window = Rect::from_min_size(pos2(0.0, 0.0), vec2(216.0, 72.0));
        let input = RawInput { screen_rect: Some(window), ..RawInput::default() };
        let output = context.run_ui(input, |ui| pianist(ui, window, &View::default(), &session));
        let says = |shape: &Shape| matches!(shape, Shape::Text(text) if text.galley.text() == UNLICENSED);
        let said = output.shapes.iter().any(|shape| says(&shape.shape));
        output.drop_without_applying_deltas();
        assert!(said);
    }

    #[test]
    fn every_take_and_every_star_can_be_reached_with_the_keyboard() {
        let context = Context::default();
        theme::apply(&context);
        let view = View { history: (1..=32).map(entry).collect(), ..View::default() };
        let session = Session::new(Arc::new(Bell::default()));
        let window = Rect::from_min_size(pos2(0.0, 0.0), vec2(216.0, 240.0));
        let mut reached = BTreeSet::new();
        for press in 0..100 {
            let key = Event::Key {
                key: Key::Tab,
                physical_key: None,
                pressed: true,
                repeat: false,
                modifiers: Modifiers::NONE,
            };
            let input = RawInput {
                screen_rect: Some(window),
                events: vec![key],
                time: Some(f64::from(press)),
                ..RawInput::default()
            };
            let output = context.run_ui(input, |ui| list(ui, window, &view, &session));
            output.drop_without_applying_deltas();
            reached.extend(context.memory(|memory| memory.focused()).map(|id| format!("{id:?}")));
        }
        assert!(reached.len() >= 64, "{} of 64", reached.len());
    }
}
