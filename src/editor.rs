//! The window, from top to bottom.
//!
//! It draws what the session shows and sends commands to it; nothing here waits for anything. It is drawn anew when
//! there is input, while the host rolls or the pianist composes, and otherwise not at all.

mod button;
mod capture;
mod choice;
mod commands;
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
mod score;
mod status;
mod takes;
mod text;
mod theme;
mod wishes;

use std::sync::{Arc, PoisonError};
use std::time::Duration;

use egui::{Ui, Vec2, vec2};
use nice_plug::context::gui::GuiContext;
use nice_plug::editor::SizeConstraints;
use nice_plug::editor::dpi::LogicalSize;
use nice_plug::prelude::{AsyncExecutor, PluginApi, ResizeHint};
use nice_plug_egui::{
    EguiEditor, EguiEditorState, EguiNiceSettings, Frame, NiceEguiApp, RepaintNotifier, baseview,
    create_egui_editor,
};

use crate::Etude;
use crate::export::Exporter;
use crate::params::EtudeParams;
use crate::session::View;
use layout::{LEAST, Layout};

/// Between two pictures while something moves.
const FRAME: Duration = Duration::from_millis(33);
/// Biggest window that is restored.
const MOST: [f32; 2] = [3840.0, 2400.0];

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
        score::show(ui, roll, view, &self.params);
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
}

/// The size that the project was saved with, or the nearest that makes sense.
fn saved_size(params: &EtudeParams) -> Vec2 {
    let saved = *params.window.read().unwrap_or_else(PoisonError::into_inner);
    let within =
        |size: f32, least: f32, most: f32| if size.is_finite() { size.clamp(least, most) } else { least };
    vec2(within(saved.width, LEAST[0], MOST[0]), within(saved.height, LEAST[1], MOST[1]))
}
