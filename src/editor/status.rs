//! The line at the bottom: what is going on.

use egui::{Color32, Rect, Ui, pos2, vec2};

use crate::export::{Exporter, Progress};
use crate::session::View;

use super::{button, text, theme};

/// Said of a clip that nobody chose a place for.
const UNCHOSEN: &str =
    "Not saved. If no file dialog opened, press Save clip, or install xdg-desktop-portal or zenity";

/// What the window knows beside the view.
pub struct Now<'a> {
    /// In quarter notes per minute.
    pub tempo: f64,
    /// Whether the host rolls.
    pub rolling: bool,
    /// The host.
    pub host: &'a str,
}

/// Draws the line.
pub fn show(ui: &mut Ui, at: Rect, view: &View, exporter: &Exporter, now: &Now) {
    let progress = exporter.progress();
    let saved = if let Progress::Saved(path) = &progress { Some(path) } else { None };
    let (color, words) = words(view, &progress);
    let painter = ui.painter().clone();
    painter.circle_filled(pos2(at.left() + 5.0, at.center().y), 4.0, color);
    let facts = painter.layout_no_wrap(facts(view, now), theme::plain(11.0), theme::MUTED);
    let room = at.width() - 18.0 - if saved.is_some() { 120.0 } else { 0.0 };
    let beside = room - 18.0 - facts.size().x;
    let needed = painter.layout_no_wrap(words.clone(), theme::plain(12.0), theme::TEXT).size().x;
    // A long message is worth more than the facts.
    let width = if needed <= beside {
        let right = pos2(at.right() - facts.size().x, at.center().y - facts.size().y / 2.0);
        painter.galley(right, facts, theme::MUTED);
        beside
    } else {
        room
    };
    let left = pos2(at.left() + 18.0, at.center().y);
    let color = if color == theme::ERROR { theme::ERROR } else { theme::TEXT };
    text::elided(&painter, left, &words, theme::plain(12.0), color, width);
    let drawn = Rect::from_min_size(pos2(left.x, at.top()), vec2(needed.min(width), at.height()));
    ui.interact(drawn, ui.scope_id().with("status"), egui::Sense::hover()).on_hover_text(&words);
    if let Some(path) = saved {
        let button = Rect::from_min_size(pos2(drawn.right() + 12.0, at.center().y - 11.0), vec2(108.0, 22.0));
        let tip = "Show the clip in the file manager, to drag it into a project.";
        if button::plain(ui, button, "Show in folder", true, tip) {
            exporter.reveal(path.clone());
        }
    }
}

/// The state in a colour and words.
fn words(view: &View, progress: &Progress) -> (Color32, String) {
    match (progress, &view.error) {
        (Progress::Failed(error), _) => (theme::ERROR, format!("Not saved: {error}")),
        (_, Some(error)) => (theme::ERROR, error.clone()),
        (Progress::Saved(path), _) => {
            (theme::GOOD, format!("Saved {}", path.file_name().unwrap_or_default().to_string_lossy()))
        }
        (Progress::Unchosen, _) => (theme::FAINT, UNCHOSEN.to_owned()),
        (Progress::Busy, _) => (theme::ACCENT, "Saving the clip".to_owned()),
        (_, None) if view.warning.is_some() => (theme::ACCENT, view.warning.clone().unwrap_or_default()),
        _ if view.composing => (theme::ACCENT, "Composing".to_owned()),
        _ => match &view.take {
            Some(take) => (
                theme::GOOD,
                format!("Ready: {} notes, seed {}", take.music().performance.notes.len(), take.music().seed),
            ),
            None => (theme::FAINT, "The pianist is silent yet".to_owned()),
        },
    }
}

/// What may be of interest besides.
fn facts(view: &View, now: &Now) -> String {
    let pace = Some(view.steps_per_second).filter(|pace| *pace > 0.0);
    let pace = pace.map(|pace| format!("{} steps/s", thousands(pace as u64)));
    let device = Some(view.device.clone()).filter(|device| !device.is_empty());
    let tempo = Some(format!("{} bpm", (now.tempo * 10.0).round() / 10.0));
    let rolling = Some(if now.rolling { "playing" } else { "stopped" }.to_owned());
    let host = Some(now.host.to_owned()).filter(|host| !host.is_empty());
    let facts: Vec<String> = [pace, device, tempo, rolling, host].into_iter().flatten().collect();
    facts.join("   ·   ")
}

fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let ends_group = |i: usize| i > 0 && (digits.len() - i).is_multiple_of(3);
    let grouped = digits.chars().enumerate().map(|(i, digit)| match ends_group(i) {
        true => format!(",{digit}"),
        false => digit.to_string(),
    });
    grouped.collect()
}

#[cfg(test)]
mod tests {
    use egui::{Context, RawInput, Shape};

    use super::*;

    #[test]
    fn a_device_that_failed_is_named_unless_something_worse_happened() {
        let warning = "GPU: it was unplugged; the processor went on".to_owned();
        let warned = View { warning: Some(warning.clone()), composing: true, ..View::default() };
        assert_eq!(words(&warned, &Progress::Idle), (theme::ACCENT, warning));
        let failed = View { error: Some("a bad file".to_owned()), ..warned };
        assert_eq!(words(&failed, &Progress::Idle), (theme::ERROR, "a bad file".to_owned()));
        let (color, text) = words(&failed, &Progress::Failed("no file dialog here".to_owned()));
        assert_eq!((color, text.as_str()), (theme::ERROR, "Not saved: no file dialog here"));
    }

    #[test]
    fn an_error_is_read_to_its_end_in_the_smallest_window() {
        let error = "/home/somebody/.local/share/etude/pianists/waltzes.safetensors: it is no complete safetensors \
                     file (its values have another length); copy or download it again";
        let view = View { error: Some(error.to_owned()), ..View::default() };
        let context = Context::default();
        theme::apply(&context);
        let at = Rect::from_min_size(pos2(12.0, 0.0), vec2(956.0, 32.0));
        let input = RawInput { screen_rect: Some(at.expand(12.0)), ..RawInput::default() };
        let (exporter, now) = (Exporter::new(|| {}), Now { tempo: 120.0, rolling: true, host: "Ardour" });
        let output = context.run_ui(input, |ui| show(ui, at, &view, &exporter, &now));
        let said = output.shapes.iter().filter_map(|shape| match &shape.shape {
            Shape::Text(text) if !text.galley.elided => Some(text.galley.text().to_owned()),
            _ => None,
        });
        let said: Vec<String> = said.collect();
        output.drop_without_applying_deltas();
        assert_eq!(said, [error]);
    }

    #[test]
    fn a_clip_without_a_place_is_no_fault_but_says_what_dialogs_need() {
        let (color, text) = words(&View::default(), &Progress::Unchosen);
        assert!(color != theme::ERROR && text.contains("zenity"), "{text}");
    }

    #[test]
    fn big_numbers_are_grouped() {
        assert_eq!(
            [7, 999, 1000, 20_345, 1_234_567].map(thousands),
            ["7", "999", "1,000", "20,345", "1,234,567"]
        );
    }
}
