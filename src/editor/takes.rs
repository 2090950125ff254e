//! The list of the last takes.

use egui::{Align2, Painter, Rect, RichText, Role, ScrollArea, Sense, Ui, UiBuilder, WidgetInfo, pos2, vec2};

use crate::session::{Entry, Session, View};

use super::wishes::wishes;
use super::{focus, icon, theme};

/// Height of a take in the list.
const ROW: f32 = 50.0;
/// From one take in the list to the next.
const PITCH: f32 = ROW + 4.0;
/// Notes of a take that are drawn in the list at most.
const MOST_NOTES: usize = 400;

/// The list of takes, newest first.
pub fn show(ui: &mut Ui, at: Rect, view: &View, session: &Session) {
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
    background(ui.painter(), at, current, hot);
    title(ui.painter(), at.with_max_x(star.left()), entry, current);
    let picture = Rect::from_min_max(
        pos2(at.left() + 10.0, at.top() + 24.0),
        pos2(star.left() - 2.0, at.bottom() - 6.0),
    );
    thumbnail(ui.painter(), picture, entry);
    let color = if entry.starred || starring.hovered() { theme::ACCENT } else { theme::FAINT };
    icon::star(ui.painter(), star.center(), entry.starred, color);
    focus::ring(ui, &response, at, theme::SOFT);
    focus::ring(ui, &starring, star.shrink2(vec2(1.0, 10.0)), theme::SOFT);
    response.widget_info(|| WidgetInfo::selected(Role::Button, true, current, format!("Take {}", entry.id)));
    starring.widget_info(|| {
        WidgetInfo::selected(Role::CheckBox, true, entry.starred, format!("Star take {}", entry.id))
    });
    if starring.clicked() {
        session.star(entry.id, !entry.starred);
    } else if response.clicked() {
        session.audition(entry.id);
    }
    response.on_hover_ui(|ui| tip(ui, entry));
    starring.on_hover_text("Starred takes are kept; others make room for new ones.");
}

fn background(painter: &Painter, at: Rect, current: bool, hot: bool) {
    if current {
        painter.rect_filled(at, theme::SOFT, theme::RAISED);
        let mark = Rect::from_min_size(at.min + vec2(0.0, 8.0), vec2(3.0, ROW - 16.0));
        painter.rect_filled(mark, 1.5, theme::ACCENT);
    } else if hot {
        painter.rect_filled(at, theme::SOFT, theme::PANEL.lerp_to_gamma(theme::RAISED, 0.6));
    }
}

fn title(painter: &Painter, at: Rect, entry: &Entry, current: bool) {
    let y = at.top() + 14.0;
    let color = if current { theme::TEXT } else { theme::MUTED };
    let (name, seed) = (format!("Take {}", entry.id), format!("seed {}", entry.take.music().seed));
    painter.text(pos2(at.left() + 10.0, y), Align2::LEFT_CENTER, name, theme::strong(12.0), color);
    painter.text(pos2(at.right() - 2.0, y), Align2::RIGHT_CENTER, seed, theme::plain(10.5), theme::FAINT);
}

/// What is said of a take that is pointed at.
fn tip(ui: &mut Ui, entry: &Entry) {
    let Entry { take, pianist, knobs, .. } = entry;
    ui.label(format!("{pianist}, {} bars at {:.0} bpm", take.bars(), take.music().tempo));
    let wishes = wishes(knobs);
    if !wishes.is_empty() {
        ui.label(wishes);
    }
    ui.label(RichText::new("Click to hear this take.").color(theme::MUTED));
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

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::sync::Arc;

    use egui::{Context, Event, Key, Modifiers, RawInput};
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
            let output = context.run_ui(input, |ui| show(ui, window, &view, &session));
            output.drop_without_applying_deltas();
            reached.extend(context.memory(|memory| memory.focused()).map(|id| format!("{id:?}")));
        }
        assert!(reached.len() >= 64, "{} of 64", reached.len());
    }
}
