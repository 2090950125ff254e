//! The piano roll: a take as notes on paper, with its bars, keyboard and pedal.

mod lens;
mod paper;

use std::collections::BTreeSet;

use egui::{CursorIcon, Key, PointerButton, Rect, Response, Sense, Ui, pos2, vec2};
use etude_pianist::note::Performance;
use etude_pianist::time::TimeSignature;

use super::{focus, theme};
use crate::params::Zoom;
use lens::Lens;
use paper::Paper;

/// Width of the keyboard.
const KEYBOARD: f32 = 46.0;
/// Height of the bars' headers.
const HEADER: f32 = 24.0;
/// Height of the pedal lane.
const PEDAL: f32 = 22.0;
/// Bars that are shown of long takes; the page turns with the playhead.
const PAGE: f64 = 24.0;
/// How much one step of zooming zooms.
const ZOOM: f32 = 1.25;
/// Points that an arrow key scrolls.
const SCROLL: f32 = 60.0;

/// What is on the roll.
pub struct Score<'a> {
    /// As it is heard, in quarter notes from the first bar.
    pub performance: &'a Performance<f64>,
    /// Length in quarter notes.
    pub quarters: f64,
    /// Up to where it is composed.
    pub decided: f64,
    /// The metre.
    pub time_signature: TimeSignature,
    /// The host's number of the first bar.
    pub first_bar: i64,
    /// Bars that variations keep, the first is 0.
    pub locks: &'a BTreeSet<u32>,
    /// Where the host is in the take, in quarter notes, and whether it rolls.
    pub playhead: Option<(f64, bool)>,
}

/// How the roll is looked at.
#[derive(Debug)]
pub struct Roll {
    /// Where the user looks; `None` to see everything.
    pub zoom: Option<Zoom>,
}

impl Roll {
    /// Draws the roll in `area`. Gives the bar whose lock the user turns, if any.
    pub fn show(&mut self, ui: &mut Ui, area: Rect, score: &Score) -> Option<u32> {
        let notes = Rect::from_min_max(
            pos2(area.left() + KEYBOARD, area.top() + HEADER),
            pos2(area.right(), area.bottom() - PEDAL),
        );
        let lens = self.lens(notes, score);
        let response = ui.interact(area, ui.scope_id().with("roll"), Sense::click_and_drag());
        let lens = self.look(ui, &response, lens, score);
        let header = Rect::from_min_max(pos2(notes.left(), area.top()), pos2(area.right(), notes.top()));
        let pointed =
            response.hover_pos().filter(|at| header.contains(*at)).map(|at| bar_at(&lens, score, at.x));
        let paper = Paper { painter: ui.painter_at(area), area, header, lens, score };
        paper.draw(pointed);
        focus::ring(ui, &response, area, theme::ROUND);
        let bar =
            pointed.filter(|bar| f64::from(*bar) * score.time_signature.quarters_per_bar() < score.quarters);
        let locked = bar.filter(|_| response.clicked());
        if let Some(bar) = bar {
            let tip = match score.locks.contains(&bar) {
                true => "Locked: Variation keeps this bar. Click to let it go.",
                false => "Click to lock this bar: Variation keeps it and remakes the rest.",
            };
            response.on_hover_cursor(CursorIcon::PointingHand).on_hover_text_at_pointer(tip);
        }
        locked
    }

    /// The lens for `notes`: the user's, or one that shows everything, and follows a take that grows without end.
    fn lens(&self, notes: Rect, score: &Score) -> Lens {
        match self.zoom {
            Some(zoom) => Lens::zoomed(notes, zoom, score.quarters),
            None => {
                let keys = score.performance.notes.iter().map(|note| note.key.midi());
                let range = keys.clone().min().unwrap_or(48)..=keys.max().unwrap_or(72);
                let bar = score.time_signature.quarters_per_bar();
                let page = score.quarters.min(PAGE * bar);
                let start = score.playhead.map_or(0.0, |(at, _)| (at / page.max(bar)).floor() * page);
                let lens = Lens::fitting(notes, page, range);
                Lens { start, ..lens }.within(score.quarters)
            }
        }
    }

    /// Wheel, drag and keys.
    fn look(&mut self, ui: &Ui, response: &Response, before: Lens, score: &Score) -> Lens {
        if wants_all(ui, response, &before) {
            self.zoom = None;
            return self.lens(before.area, score);
        }
        let mut lens = before;
        wheel(ui, response, &mut lens, score);
        if response.dragged_by(PointerButton::Primary) || response.dragged_by(PointerButton::Middle) {
            let by = response.drag_delta();
            lens.pull(by.x, by.y, score.quarters);
        }
        keys(ui, response, &mut lens, score);
        if lens != before {
            self.zoom = Some(lens.zoom());
        }
        self.follow(lens, score)
    }

    /// Turns the page when the playhead leaves it.
    fn follow(&mut self, lens: Lens, score: &Score) -> Lens {
        match (score.playhead, self.zoom) {
            (Some((at, true)), Some(_)) if at >= lens.end() || at < lens.start => {
                let lens = Lens { start: at, ..lens }.within(score.quarters);
                self.zoom = Some(lens.zoom());
                lens
            }
            _ => lens,
        }
    }
}

/// Whether the user goes back to seeing everything.
fn wants_all(ui: &Ui, response: &Response, lens: &Lens) -> bool {
    let clicked =
        response.double_clicked() && response.interact_pointer_pos().is_some_and(|at| lens.area.contains(at));
    clicked || (gets_keys(ui, response) && ui.input(|input| input.num_presses(Key::Num0) > 0))
}

/// Whether keys are for the roll: nothing else that takes them has the focus.
fn gets_keys(ui: &Ui, response: &Response) -> bool {
    !ui.ctx().egui_wants_keyboard_input() || response.has_focus()
}

fn wheel(ui: &Ui, response: &Response, lens: &mut Lens, score: &Score) {
    let Some(at) = response.hover_pos() else { return };
    let (wheel, zoom, alt) =
        ui.input(|input| (input.smooth_scroll_delta(), input.zoom_delta(), input.modifiers.alt));
    if zoom != 1.0 {
        lens.zoom_time(at.x, zoom, score.quarters);
    } else if alt && wheel.y != 0.0 {
        lens.zoom_keys(at.y, (wheel.y / 200.0).exp(), score.quarters);
    } else if wheel != vec2(0.0, 0.0) {
        lens.pull(wheel.x, wheel.y, score.quarters);
    }
}

/// Arrows scroll, plus and minus zoom around the playhead.
fn keys(ui: &Ui, response: &Response, lens: &mut Lens, score: &Score) {
    let pressed = |key| ui.input(|input| input.num_presses(key) as i32);
    if response.has_focus() {
        focus::keep_arrows(ui, response.id);
        let x = pressed(Key::ArrowLeft) - pressed(Key::ArrowRight);
        let y = pressed(Key::ArrowUp) - pressed(Key::ArrowDown);
        lens.pull(x as f32 * SCROLL, y as f32 * SCROLL, score.quarters);
    }
    let steps = pressed(Key::Plus) + pressed(Key::Equals) - pressed(Key::Minus);
    if steps != 0 && gets_keys(ui, response) {
        let x = score.playhead.map_or(lens.area.center().x, |(at, _)| lens.x(at));
        let x = x.clamp(lens.area.left(), lens.area.right());
        lens.zoom_time(x, ZOOM.powi(steps), score.quarters);
    }
}

fn bar_at(lens: &Lens, score: &Score, x: f32) -> u32 {
    (lens.quarters(x) / score.time_signature.quarters_per_bar()).max(0.0) as u32
}
