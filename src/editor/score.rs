//! The take as it lies before the host: what the piano roll shows, and where the playhead is in it.

use std::sync::PoisonError;

use egui::{Align2, Rect, Ui};

use crate::params::{EtudeParams, Mode};
use crate::session::{Host, View};
use crate::take::Take;
use crate::ticks;

use super::roll::{Roll, Score};
use super::theme;

/// Draws the current take, or says how to get one. A click on a bar's header locks the bar.
pub fn show(ui: &mut Ui, at: Rect, view: &View, params: &EtudeParams) {
    let Some(take) = &view.take else {
        ui.painter().rect_filled(at, theme::ROUND, theme::PANEL);
        let text =
            if view.composing { "Composing the first take" } else { "Press Generate to compose a take" };
        ui.painter().text(at.center(), Align2::CENTER_CENTER, text, theme::plain(15.0), theme::MUTED);
        return;
    };
    let music = take.music();
    let score = Score {
        performance: take.played(),
        quarters: length(take),
        decided: take.decided(),
        time_signature: music.time_signature,
        first_bar: first_bar(take),
        locks: &view.locks,
        playhead: playhead(take, &params.session.host),
    };
    let zoom = params.window.read().unwrap_or_else(PoisonError::into_inner).zoom;
    let mut roll = Roll { zoom };
    if let Some(bar) = roll.show(ui, at, &score) {
        params.session.lock_bar(bar, !view.locks.contains(&bar));
    }
    if roll.zoom != zoom {
        params.window.write().unwrap_or_else(PoisonError::into_inner).zoom = roll.zoom;
    }
}

/// How much of a take there is to see, in quarter notes: of an endless one, the bars that are composed.
fn length(take: &Take) -> f64 {
    let music = take.music();
    let bar = music.time_signature.quarters_per_bar();
    match take.place().mode {
        Mode::Loop => music.quarters,
        Mode::Endless => (take.decided() / bar).ceil().max(1.0) * bar,
    }
}

/// The host's number of a take's first bar.
fn first_bar(take: &Take) -> i64 {
    let quarters = ticks::quarters(take.place().anchor);
    (quarters / take.music().time_signature.quarters_per_bar()).floor() as i64 + 1
}

/// The bar of the take that the host is in, counted from 0.
pub fn bar_at_playhead(view: &View, host: &Host) -> Option<u32> {
    let take = view.take.as_ref()?;
    let (at, _) = playhead(take, host)?;
    let bar = (at / take.music().time_signature.quarters_per_bar()) as u32;
    (bar < take.bars()).then_some(bar)
}

/// Where the host is in a take, in quarter notes, and whether it rolls; `None` before its first bar.
fn playhead(take: &Take, host: &Host) -> Option<(f64, bool)> {
    let since = host.quarters() - ticks::quarters(take.place().anchor);
    let at = match take.place().mode {
        Mode::Loop => since.rem_euclid(take.music().quarters.max(f64::MIN_POSITIVE)),
        Mode::Endless => since,
    };
    (since >= 0.0).then_some((at, host.rolling()))
}
