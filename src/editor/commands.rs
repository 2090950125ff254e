//! What the buttons of the header and keys command.

use egui::{Align2, Key, Rect, Ui, pos2};
use etude_pianist::midi::Clip;

use crate::export::{self, Named};
use crate::params::Mode;
use crate::session::{Session, View};

use super::{Window, button, drag, score, theme};

/// How many takes Ideas composes.
const IDEAS: u32 = 8;

/// What the session can be told: by a button, and by a key.
struct Command {
    name: &'static str,
    /// Width of the button.
    width: f32,
    key: Key,
    tip: &'static str,
    enabled: bool,
    give: fn(&Session),
}

impl Window {
    /// The commands, in the order of their buttons.
    fn commands(&self, view: &View) -> [Command; 5] {
        let command = |name, width, key, tip, enabled, give| Command { name, width, key, tip, enabled, give };
        let has_take = view.take.is_some();
        // Only takes that end can be compared.
        let can_choose = self.params.mode.value() == Mode::Loop;
        let generate = "Composes a new take.  G";
        let vary = "Keeps the locked bars and remakes the rest.  V";
        let extend = "Adds bars at the end of the take.  C";
        let ideas = match can_choose {
            true => "Composes eight takes at once and lists them, the best first.  I",
            false => "There is no choosing among takes that never end: set Mode to Loop.",
        };
        let undo = "Back to the take that was played before.  Z";
        [
            command("Generate", 104.0, Key::G, generate, true, Session::generate),
            command("Variation", 88.0, Key::V, vary, has_take, Session::vary),
            command("Continue", 88.0, Key::C, extend, has_take, Session::extend),
            command("Ideas", 64.0, Key::I, ideas, can_choose, |session| session.ideas(IDEAS)),
            command("Undo", 62.0, Key::Z, undo, view.can_undo, Session::undo),
        ]
    }

    /// Draws the header. The first command is the one that the musician came for.
    pub(super) fn header(&mut self, ui: &mut Ui, at: Rect, view: &View) {
        let (left, y) = (at.left(), at.center().y);
        let (name, font) = (pos2(left + 4.0, y), theme::strong(21.0));
        ui.painter().text(name, Align2::LEFT_CENTER, "Etude", font, theme::TEXT);
        let mut row = button::Row::new(left + 92.0, y);
        for (number, Command { name, width, tip, enabled, give, .. }) in
            self.commands(view).into_iter().enumerate()
        {
            let at = row.next(width);
            let clicked = match number {
                0 => button::main(ui, at, name, tip),
                _ => button::plain(ui, at, name, enabled, tip),
            };
            if clicked {
                give(&self.params.session);
            }
        }
        self.exports(ui, at, view);
    }

    /// What gets clips out, and the way to help, at the right of the header.
    fn exports(&mut self, ui: &mut Ui, at: Rect, view: &View) {
        let has_clip = view.take.as_ref().is_some_and(|take| take.has_clip());
        let mut row = button::Row::new(at.right() - 32.0 - 8.0 - 88.0 - 8.0 - 96.0, at.center().y);
        let tip = "Saves what you hear as a MIDI file in your music folder.  E";
        let tip = if drag::POSSIBLE { format!("{tip}\n\nOr drag it into your project.") } else { tip.into() };
        let save = button::source(ui, row.next(96.0), "Save clip", has_clip, &tip);
        if has_clip && save.clicked() {
            self.save(view);
        }
        if has_clip && drag::POSSIBLE && save.drag_started() {
            // The system takes the mouse over, and keeps the button's release to itself.
            ui.ctx().stop_dragging();
            self.drag(view);
        }
        let tip = "Saves what you hear as a MIDI file where you choose.  S";
        if button::plain(ui, row.next(88.0), "Save as...", has_clip, tip) {
            self.save_as(view);
        }
        let tip = "How to hear Etude in this host, and all keys.  H";
        if button::plain(ui, row.next(32.0), "?", true, tip) {
            self.helping = true;
        }
    }

    /// Keys do what buttons do, and lock the bar at the playhead.
    pub(super) fn keys(&mut self, ui: &Ui, view: &View) {
        if self.helping {
            return;
        }
        let session = &self.params.session;
        for command in self.commands(view) {
            if command.enabled && button::pressed(ui, command.key) {
                (command.give)(session);
            }
        }
        let has_clip = view.take.as_ref().is_some_and(|take| take.has_clip());
        if has_clip && button::pressed(ui, Key::E) {
            self.save(view);
        }
        if has_clip && button::pressed(ui, Key::S) {
            self.save_as(view);
        }
        if let Some(bar) = score::bar_at_playhead(view, &session.host).filter(|_| button::pressed(ui, Key::L))
        {
            session.lock_bar(bar, !view.locks.contains(&bar));
        }
        if button::pressed(ui, Key::H) {
            self.helping = true;
        }
    }

    fn save(&self, view: &View) {
        if let Some((clip, name)) = self.clip(view) {
            self.exporter.save(clip, name);
        }
    }

    fn save_as(&self, view: &View) {
        if let Some((clip, name)) = self.clip(view) {
            self.exporter.save_as(clip, name);
        }
    }

    fn drag(&self, view: &View) {
        if let (Some((clip, name)), Some(origin)) = (self.clip(view), self.origin.clone()) {
            self.exporter.save_and(clip, name, |file, failed| origin.drag(file, failed));
        }
    }

    /// What is heard, and a name for it.
    fn clip(&self, view: &View) -> Option<(Clip, String)> {
        let take = view.take.as_ref()?;
        let performance = take.clip()?;
        let host = &self.params.session.host;
        let tempo = host.tempo();
        let key = export::key_of(take.played());
        let entry = view.history.iter().find(|entry| entry.take.id() == take.id());
        let pianist = entry.map_or(&view.pianist.name, |entry| &entry.pianist).clone();
        let name = export::file_name(&Named { pianist, seed: take.music().seed, key, tempo });
        let title = name.trim_end_matches(".mid").to_owned();
        let (time_signature, quarters) = (host.time_signature(), take.clip_quarters());
        Some((Clip { name: title, tempo, time_signature, quarters, performance }, name))
    }
}
