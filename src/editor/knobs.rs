//! The knobs, in groups.

use egui::{Align2, Rect, Ui, pos2, vec2};
use nice_plug::prelude::{Param, ParamSetter};

use crate::params::EtudeParams;

use super::choice::{choice, switch};
use super::dial::{Dial, dial};
use super::theme;

/// Height of the groups.
pub const HEIGHT: f32 = 196.0;
/// Heights of a group's title and of a knob's cell.
const TITLE: f32 = 28.0;
const CELL: f32 = 74.0;
/// Width of the biggest knob's cell.
const BIG: f32 = 120.0;
/// From a group's edge to its knobs.
const INSET: f32 = 8.0;

/// A group of knobs being filled, column by column, two in each.
struct Group<'a, 'b> {
    ui: &'a mut Ui,
    setter: &'a ParamSetter<'b>,
    at: Rect,
    next: usize,
}

/// Draws all groups across `area`.
pub fn show(ui: &mut Ui, area: Rect, setter: &ParamSetter, params: &EtudeParams) {
    let gap = if area.width() < 1080.0 { 6.0 } else { theme::GAP };
    let width = (area.width() - BIG - gap * 3.0) / 4.0;
    let mut left = area.left();
    let mut group = |ui: &mut Ui, title: &str, big: f32, fill: &mut dyn FnMut(&mut Group)| {
        let width = width + big;
        let rect = Rect::from_min_size(pos2(left, area.top()), vec2(width, area.height()));
        left += width + gap;
        ui.painter().rect_filled(rect, theme::ROUND, theme::PANEL);
        let at = rect.min + vec2(14.0, 16.0);
        ui.painter().text(at, Align2::LEFT_CENTER, title, theme::strong(12.0), theme::TEXT);
        let cells = Rect::from_min_max(rect.min + vec2(INSET + big, TITLE), rect.max - vec2(INSET, 6.0));
        fill(&mut Group { ui, setter, at: cells, next: 0 });
        rect
    };
    let rect = group(ui, "Freedom", BIG, &mut |group| freedom(group, params));
    let cell = Rect::from_min_size(rect.min + vec2(INSET, TITLE + 16.0), vec2(BIG - 8.0, 116.0));
    let tip =
        "How freely the pianist chooses, all in all. Low: safe and repetitive. 1: as it learned. High: wild.";
    dial(ui, cell, setter, &params.temperature, Dial { name: "Temperature", tip, big: true });
    group(ui, "Music", 0.0, &mut |group| music(group, params));
    group(ui, "Feel", 0.0, &mut |group| feel(group, params));
    group(ui, "Form", 0.0, &mut |group| form(group, params));
}

fn freedom(group: &mut Group, params: &EtudeParams) {
    group.dial(
        &params.pitch,
        "Pitch",
        "How freely keys are chosen. Lower it for plainer harmony, raise it for surprises.",
    );
    group.dial(
        &params.time,
        "Time",
        "How freely onsets are chosen. Lower it for a steadier rhythm, raise it for a freer one.",
    );
    group.dial(
        &params.dynamics,
        "Dynamics",
        "How freely loudness is chosen. Lower it for an even touch, raise it for contrasts.",
    );
    group.dial(
        &params.length,
        "Length",
        "How freely note lengths are chosen. Lower it for a uniform touch, raise it for a mix of \
         short and long.",
    );
    group.dial(
        &params.top_p,
        "Top-p",
        "Keeps only the likeliest choices that together have this probability. Lower it to forbid \
         what is unlikely; 1 forbids nothing.",
    );
    group.dial(
        &params.min_p,
        "Min-p",
        "Forbids choices much less likely than the likeliest. Raise it to keep wild temperatures \
         musical; 0 forbids nothing.",
    );
}

fn music(group: &mut Group, params: &EtudeParams) {
    group.dial(
        &params.density,
        "Density",
        "How many notes to aim at: in a second, or in a quarter note if the pianist keeps your \
         tempo. Off leaves it to the pianist.",
    );
    group.dial(&params.polyphony, "Polyphony", "How many keys may be down at once. Off sets no limit.");
    group.choice(
        &params.key,
        "Key",
        "Only notes of the scale on this tonic are played. Off leaves the key to the pianist.",
    );
    group.choice(&params.scale, "Scale", "The scale that notes are locked to, once a key is chosen.");
    group.dial(
        &params.lowest,
        "Lowest",
        "No note is played below this key. Raise it to leave room for a bass.",
    );
    group.dial(
        &params.highest,
        "Highest",
        "No note is played above this key. Lower it to leave room for a voice.",
    );
}

fn feel(group: &mut Group, params: &EtudeParams) {
    group.dial(&params.quantise, "Quantise", "Pulls notes to the grid: 0 % as played, 100 % exactly on it.");
    group.choice(&params.grid, "Grid", "The lines that Quantise pulls to and Swing delays.");
    group.dial(&params.swing, "Swing", "Delays every second line of the grid: 100 % is a triplet feel.");
    group.choice(
        &params.pedal,
        "Pedal",
        "The sustain pedal: sent as CC64, written into note lengths, or left out.",
    );
    group.dial(&params.velocity, "Velocity", "Plays everything softer or louder.");
}

fn form(group: &mut Group, params: &EtudeParams) {
    group.dial(&params.bars, "Bars", "How long a take is.");
    group.choice(
        &params.mode,
        "Mode",
        "Loop repeats the take. Endless keeps composing for as long as the host rolls.",
    );
    group.dial(
        &params.seed,
        "Seed",
        "Where chance comes from: the same seed and knobs give the same take. New: another one each time.",
    );
    group.dial(&params.start_bar, "Start bar", "The bar of your project that the take begins with.");
    group.switch(
        &params.hold,
        "Hold",
        "On: knobs wait for Generate. Off: turning a knob composes anew from the next bar on.",
    );
    group.switch(
        &params.listen,
        "Listen",
        "What you play into Etude is answered by the next take, and takes lean towards the last \
         chord that you held, until the next one.",
    );
}

impl Group<'_, '_> {
    fn dial<P: Param>(&mut self, param: &P, name: &'static str, tip: &'static str) {
        let cell = self.cell();
        dial(self.ui, cell, self.setter, param, Dial { name, tip, big: false });
    }

    fn choice<P: Param>(&mut self, param: &P, name: &str, tip: &str) {
        let cell = self.cell();
        choice(self.ui, cell, self.setter, param, name, tip);
    }

    fn switch(&mut self, param: &nice_plug::prelude::BoolParam, name: &str, tip: &str) {
        let cell = self.cell();
        switch(self.ui, cell, self.setter, param, name, tip);
    }

    fn cell(&mut self) -> Rect {
        let (column, row) = ((self.next / 2) as f32, (self.next % 2) as f32);
        self.next += 1;
        let width = self.at.width() / 3.0;
        let rows = (self.at.height() - CELL * 2.0).max(0.0);
        let min = self.at.min + vec2(column * width, row * (CELL + rows));
        Rect::from_min_size(min, vec2(width, CELL)).shrink2(vec2(2.0, 0.0))
    }
}
