//! What a musician may want to know: how to hear Etude in this host, and what keys and mouse do.

use egui::{Modal, RichText, ScrollArea, Ui};

use super::theme;

/// How notes get from Etude to an instrument.
struct Routing {
    /// Parts of the names of its programs, in small letters.
    host: &'static [&'static str],
    /// The host's usual name.
    name: &'static str,
    steps: &'static [&'static str],
}

const ROUTINGS: &[Routing] = &[
    Routing {
        host: &["ableton"],
        name: "Ableton Live",
        steps: &[
            "Put Etude (VST3) on a MIDI track.",
            "Add a second MIDI track with a piano.",
            "On the piano's track choose MIDI From: Etude's track, and below it: Etude.",
            "Set Monitor to In, and play.",
        ],
    },
    Routing {
        host: &["bitwig"],
        name: "Bitwig Studio",
        steps: &[
            "Put Etude (CLAP) on an instrument track.",
            "Add a piano after it in the same chain, and play.",
        ],
    },
    Routing {
        host: &["reaper"],
        name: "REAPER",
        steps: &[
            "Put Etude (CLAP) into a track's FX chain.",
            "Add a piano below it in the same chain, and play.",
        ],
    },
    Routing {
        host: &["cubase"],
        name: "Cubase",
        steps: &[
            "Load Etude (VST3) as an instrument track.",
            "Add a second instrument track with a piano.",
            "As its MIDI input choose Etude's output, and switch its monitor on.",
        ],
    },
    Routing {
        host: &["fl studio", "fl64"],
        name: "FL Studio",
        steps: &[
            "Add Etude as a channel and open its wrapper settings (the gear).",
            "Set its MIDI output port to a free number.",
            "Add a piano and set its MIDI input port to the same number.",
        ],
    },
    Routing {
        host: &["ardour"],
        name: "Ardour",
        steps: &[
            "Insert Etude (VST3) on a MIDI track, before its instrument.",
            "The piano after it in the same strip plays what it composes.",
        ],
    },
    Routing {
        host: &["studio one"],
        name: "Studio One",
        steps: &[
            "Load Etude (VST3) as an instrument.",
            "Add a second instrument track with a piano.",
            "As its input choose Etude, switch its monitor on, and play.",
        ],
    },
    Routing {
        host: &["standalone"],
        name: "the standalone program",
        steps: &[
            "Start it with --midi-output \"\" to see the MIDI ports, then with your piano's.",
            "It has no stop button: it always rolls, at 120 bpm or what --tempo says.",
            "With JACK, connect it to your piano in a patchbay; there it rolls when JACK does.",
        ],
    },
];

const ANYWHERE: &[&str] = &[
    "Put Etude on a track.",
    "Send its MIDI output to a track with a piano, or put the piano after it in the same chain.",
    "Let that track listen to it (monitor), and play.",
];

const KEYS: &[(&str, &str)] = &[
    ("G", "Generate a new take"),
    ("V", "Variation: keep locked bars, remake the rest"),
    ("C", "Continue: add bars at the end"),
    ("I", "Ideas: eight takes, the best first"),
    ("L", "Lock the bar at the playhead, or let it go"),
    ("Z", "Undo"),
    ("E", "Save the clip"),
    ("S", "Save the clip as..."),
    ("H", "This page"),
    ("+   -   0", "Zoom in, zoom out, show everything"),
    ("Wheel, drag", "Scroll; with Ctrl zoom in time, with Alt zoom the keys"),
    ("Click a bar's number", "Lock the bar"),
    ("Shift + drag", "Turn a knob finely; double-click resets it, click its value to type one"),
    ("Tab, arrows", "Go from knob to knob, turn it; Enter types a value"),
];

/// Shows the panel; gives `false` when it is closed.
pub fn show(ui: &Ui, host: &str) -> bool {
    let frame = egui::Frame::new()
        .fill(theme::PANEL)
        .stroke(egui::Stroke::new(1.0, theme::LIFTED))
        .corner_radius(theme::ROUND)
        .inner_margin(24.0);
    let size = ui.ctx().content_rect().size();
    let modal = Modal::new(egui::Id::unique("help")).frame(frame).show(ui.ctx(), |ui| {
        ui.set_width(560.0f32.min(size.x - 80.0));
        ScrollArea::vertical().max_height(size.y - 150.0).show(ui, |ui| {
            how_to_hear(ui, host);
            ui.add_space(18.0);
            keys_and_mouse(ui);
        });
        ui.add_space(14.0);
        // A layout in a row would be as high as the panel was in a larger window.
        let close =
            ui.with_layout(egui::Layout::top_down(egui::Align::Max), |ui| ui.button("Close").clicked());
        !close.inner
    });
    modal.inner && !modal.should_close()
}

fn how_to_hear(ui: &mut Ui, host: &str) {
    let (name, steps) = routing(host);
    title(ui, &format!("Hear Etude in {name}"));
    let intro = "Etude plays notes; a piano of your choice gives them a sound.";
    ui.label(RichText::new(intro).color(theme::MUTED));
    ui.add_space(4.0);
    for (number, step) in (1..).zip(steps) {
        ui.horizontal(|ui| {
            ui.label(RichText::new(format!("{number}")).font(theme::strong(13.0)).color(theme::ACCENT));
            ui.add(egui::Label::new(*step).wrap());
        });
    }
}

fn keys_and_mouse(ui: &mut Ui) {
    title(ui, "Keys and mouse");
    egui::Grid::new("keys").num_columns(2).spacing([18.0, 7.0]).show(ui, |ui| {
        for (key, what) in KEYS {
            ui.label(RichText::new(*key).font(theme::strong(12.0)));
            ui.label(RichText::new(*what).color(theme::MUTED));
            ui.end_row();
        }
    });
}

fn title(ui: &mut Ui, text: &str) {
    ui.label(RichText::new(text).font(theme::strong(17.0)).color(theme::TEXT));
    ui.add_space(4.0);
}

/// What to call the host, and what to do there.
fn routing(host: &str) -> (&str, &'static [&'static str]) {
    // On macOS, Ableton's program has half its name.
    let small = if host == "Live" { "ableton".to_owned() } else { host.to_lowercase() };
    match ROUTINGS.iter().find(|routing| routing.host.iter().any(|part| small.contains(part))) {
        Some(routing) => (routing.name, routing.steps),
        None if host.is_empty() => ("your host", ANYWHERE),
        None => (host, ANYWHERE),
    }
}

#[cfg(test)]
mod tests {
    use egui::{Context, Id, RawInput, Rect, pos2};

    use super::*;
    use crate::editor::layout::LEAST;

    #[test]
    fn the_panel_fits_into_the_window_also_when_that_becomes_smaller() {
        let context = Context::default();
        theme::apply(&context);
        let mut panel = Rect::NOTHING;
        for (time, size) in [[1600.0, 1000.0], LEAST].into_iter().flat_map(|size| [size; 5]).enumerate() {
            let window = Rect::from_min_size(pos2(0.0, 0.0), size.into());
            let (screen_rect, time) = (Some(window), Some(time as f64));
            let output = context.run_ui(RawInput { screen_rect, time, ..RawInput::default() }, |ui| {
                assert!(show(ui, "standalone"));
            });
            output.drop_without_applying_deltas();
            panel = context.memory(|memory| memory.area_rect(Id::unique("help"))).expect("it is shown");
        }
        assert!(panel.top() >= 0.0 && panel.bottom() <= LEAST[1], "{panel:?}");
    }

    #[test]
    fn each_host_is_known_by_the_name_that_it_gives_itself() {
        let known = [
            ("Ableton Live 12 Suite", "Ableton Live"),
            ("Live", "Ableton Live"),
            ("VST Live", "VST Live"),
            ("LiveProfessor", "LiveProfessor"),
            ("Studio One", "Studio One"),
            ("REAPER", "REAPER"),
            ("ardour-7.3.0", "Ardour"),
            ("FL64", "FL Studio"),
        ];
        for (host, name) in known {
            assert_eq!(routing(host).0, name);
        }
        assert_eq!(routing("Zrythm"), ("Zrythm", ANYWHERE));
        assert_eq!(routing("").0, "your host");
    }
}
