//! The window, from top to bottom.
//!
//! It draws what the session shows and sends commands to it; nothing here waits for anything. It is drawn anew when
//! there is input, while the host rolls or the pianist composes, and otherwise not at all.

mod button;
mod capture;
mod choice;
mod device;
mod dial;
mod drag;
mod focus;
mod help;
mod icon;
mod knobs;
mod layout;
mod pianist;
mod roll;
mod status;
mod takes;
mod text;
mod theme;
mod wishes;

use std::sync::{Arc, PoisonError};
use std::time::Duration;

use egui::{Align2, Key, Rect, Ui, Vec2, pos2, vec2};
use etude_pianist::midi::Clip;
use nice_plug::context::gui::GuiContext;
use nice_plug::editor::SizeConstraints;
use nice_plug::editor::dpi::LogicalSize;
use nice_plug::prelude::{AsyncExecutor, PluginApi, ResizeHint};
use nice_plug_egui::{
    EguiEditor, EguiEditorState, EguiNiceSettings, Frame, NiceEguiApp, RepaintNotifier, baseview,
    create_egui_editor,
};

use crate::Etude;
use crate::export::{self, Exporter, Named};
use crate::params::{EtudeParams, Mode};
use crate::session::{Host, View};
use crate::take::Take;
use crate::ticks;
use layout::{LEAST, Layout};
use roll::{Roll, Score};

/// Between two pictures while something moves.
const FRAME: Duration = Duration::from_millis(33);
/// Biggest window that is restored.
const MOST: [f32; 2] = [3840.0, 2400.0];
/// How many takes Ideas composes.
const IDEAS: u32 = 8;

/// The editor of an instance.
pub fn create(
    params: Arc<EtudeParams>,
    notifier: RepaintNotifier,
    executor: AsyncExecutor<Etude>,
) -> Option<EguiEditor<Window>> {
    let least = LogicalSize::new(LEAST[0], LEAST[1]);
    let settings = EguiNiceSettings::new()
        .with_tile("Etude")
        .with_repaint_poll_interval(FRAME)
        .with_resize_hint(ResizeHint {
            can_resize: true,
            can_resize_horizontally: true,
            can_resize_vertically: true,
            size_constraints: SizeConstraints::Logical { min_size: Some(least), max_size: None },
            ..ResizeHint::default()
        });
    let saved = saved_size(&params);
    let state = EguiEditorState::from_size(LogicalSize::new(saved.x, saved.y), 1.0);
    let waker = notifier.clone();
    let window = Window {
        exporter: Exporter::new(move || waker.request_repaint()),
        gui: None,
        helping: false,
        take: None,
        host: String::new(),
        wanted: None,
        origin: None,
        executor,
        params,
    };
    create_egui_editor(state, notifier, settings, window)
}

/// What the window remembers from one picture to the next.
pub struct Window {
    params: Arc<EtudeParams>,
    gui: Option<GuiContext>,
    exporter: Exporter,
    helping: bool,
    /// The take that was drawn last.
    take: Option<u64>,
    /// The host's name.
    host: String,
    /// The size that the project was saved with, until the window has it.
    wanted: Option<Vec2>,
    /// Where clips are dragged from, while the window is open.
    origin: Option<drag::Origin>,
    executor: AsyncExecutor<Etude>,
}

impl NiceEguiApp for Window {
    fn build(
        &mut self,
        context: egui::Context,
        gui: GuiContext,
        frame: &mut Frame,
    ) -> Result<(), baseview::HandlerError> {
        theme::apply(&context);
        frame.set_clear_color(theme::GROUND.into());
        self.host = match gui.plugin_api() {
            PluginApi::Standalone => "standalone".to_owned(),
            _ => self.params.session.host.name(),
        };
        self.gui = Some(gui);
        let (executor, window) = (self.executor.clone(), frame.baseview_window().platform_handle());
        self.origin = Some(drag::Origin { executor, window });
        self.wanted = Some(saved_size(&self.params));
        Ok(())
    }

    fn ui(&mut self, ui: &mut Ui, frame: &mut Frame) {
        frame.set_key_capture(capture::keys(ui, self.helping));
        // The project may have been loaded after the editor was made.
        if let Some(wanted) = self.wanted.take().filter(|wanted| *wanted != ui.ctx().content_rect().size()) {
            ui.ctx().send_viewport_cmd(egui::ViewportCommand::InnerSize(wanted));
        }
        let view = self.params.session.view();
        let take = view.take.as_ref().map(|take| take.id());
        if self.take != take {
            self.take = take;
            self.exporter.forget();
        }
        self.keys(ui, &view);
        self.parts(ui, &view);
        if self.helping {
            self.helping = help::show(ui, &self.host);
        }
    }

    fn resized(&mut self, size: baseview::WindowSize) {
        let (width, height) = (size.logical.width as f32, size.logical.height as f32);
        if self.wanted.is_none() {
            let mut saved = self.params.window.write().unwrap_or_else(PoisonError::into_inner);
            (saved.width, saved.height) = (width, height);
        }
    }

    fn editor_closed(&mut self) {
        (self.gui, self.origin) = (None, None);
    }
}

impl Window {
    fn parts(&mut self, ui: &mut Ui, view: &View) {
        let window = ui.ctx().content_rect();
        ui.painter().rect_filled(window, 0.0, theme::GROUND);
        let Layout { header, roll, pianist, device, takes, knobs, status } = Layout::of(window);
        self.header(ui, header, view);
        self.score(ui, roll, view);
        pianist::show(ui, pianist, view, &self.params.session);
        device::show(ui, device, view, &self.params.session);
        takes::show(ui, takes, view, &self.params.session);
        if let Some(gui) = &self.gui {
            knobs::show(ui, knobs, &gui.param_setter(), &self.params);
        }
        let host = &self.params.session.host;
        let now = status::Now { tempo: host.tempo(), rolling: host.rolling(), host: &self.host };
        status::show(ui, status, view, &self.exporter, &now);
    }

    fn header(&mut self, ui: &mut Ui, at: Rect, view: &View) {
        let y = at.center().y;
        ui.painter().text(
            pos2(at.left() + 4.0, y),
            Align2::LEFT_CENTER,
            "Etude",
            theme::strong(21.0),
            theme::TEXT,
        );
        let mut row = button::Row::new(at.left() + 92.0, y);
        let has_take = view.take.is_some();
        if button::main(ui, row.next(104.0), "Generate", "Composes a new take.  G") {
            self.params.session.generate();
        }
        if button::plain(
            ui,
            row.next(88.0),
            "Variation",
            has_take,
            "Keeps the locked bars and remakes the rest.  V",
        ) {
            self.params.session.vary();
        }
        if button::plain(ui, row.next(88.0), "Continue", has_take, "Adds bars at the end of the take.  C") {
            self.params.session.extend();
        }
        let can_choose = self.can_choose();
        let ideas = match can_choose {
            true => "Composes eight takes at once and lists them, the best first.  I",
            false => "There is no choosing among takes that never end: set Mode to Loop.",
        };
        if button::plain(ui, row.next(64.0), "Ideas", can_choose, ideas) {
            self.params.session.ideas(IDEAS);
        }
        let undo = "Back to the take that was played before.  Z";
        if button::plain(ui, row.next(62.0), "Undo", view.can_undo, undo) {
            self.params.session.undo();
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
        if button::plain(
            ui,
            row.next(88.0),
            "Save as...",
            has_clip,
            "Saves what you hear as a MIDI file where you choose.  S",
        ) {
            self.save_as(view);
        }
        if button::plain(ui, row.next(32.0), "?", true, "How to hear Etude in this host, and all keys.  H") {
            self.helping = true;
        }
    }

    fn score(&mut self, ui: &mut Ui, at: Rect, view: &View) {
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
            playhead: playhead(take, &self.params.session.host),
        };
        let zoom = self.params.window.read().unwrap_or_else(PoisonError::into_inner).zoom;
        let mut roll = Roll { zoom };
        if let Some(bar) = roll.show(ui, at, &score) {
            self.params.session.lock_bar(bar, !view.locks.contains(&bar));
        }
        if roll.zoom != zoom {
            self.params.window.write().unwrap_or_else(PoisonError::into_inner).zoom = roll.zoom;
        }
    }

    /// Whether several takes can be composed to choose from: they have to end.
    fn can_choose(&self) -> bool {
        self.params.mode.value() == Mode::Loop
    }

    fn keys(&mut self, ui: &Ui, view: &View) {
        if self.helping {
            return;
        }
        let has_take = view.take.is_some();
        let session = &self.params.session;
        let commands: [(Key, bool, &dyn Fn()); 5] = [
            (Key::G, true, &|| session.generate()),
            (Key::V, has_take, &|| session.vary()),
            (Key::C, has_take, &|| session.extend()),
            (Key::I, self.can_choose(), &|| session.ideas(IDEAS)),
            (Key::Z, view.can_undo, &|| session.undo()),
        ];
        for (key, enabled, command) in commands {
            if enabled && button::pressed(ui, key) {
                command();
            }
        }
        let has_clip = view.take.as_ref().is_some_and(|take| take.has_clip());
        if has_clip && button::pressed(ui, Key::E) {
            self.save(view);
        }
        if has_clip && button::pressed(ui, Key::S) {
            self.save_as(view);
        }
        if let Some(bar) = bar_at_playhead(view, &session.host).filter(|_| button::pressed(ui, Key::L)) {
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

/// The size that the project was saved with, or the nearest that makes sense.
fn saved_size(params: &EtudeParams) -> Vec2 {
    let saved = *params.window.read().unwrap_or_else(PoisonError::into_inner);
    let within =
        |size: f32, least: f32, most: f32| if size.is_finite() { size.clamp(least, most) } else { least };
    vec2(within(saved.width, LEAST[0], MOST[0]), within(saved.height, LEAST[1], MOST[1]))
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
fn bar_at_playhead(view: &View, host: &Host) -> Option<u32> {
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
