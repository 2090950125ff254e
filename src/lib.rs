//! The Etude plugin: constants and wiring.

pub mod generator;
pub mod handover;
pub mod params;
pub mod pianists;
pub mod player;
pub mod session;
pub mod take;
pub mod transport;

mod bell;
mod bounce;
mod ear;
mod editor;
mod export;
mod manner;
mod ticks;
mod worker;

use std::num::NonZeroU32;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use nice_plug::prelude::*;
use nice_plug_egui::{EguiEditor, RepaintNotifier};

use bounce::BounceClock;
use ear::Clock;
use generator::Generator;
use handover::{EditorEnd, PlayerEnd};
use params::EtudeParams;
use player::Player;

/// How long a VST3 waits for music in a bounce, all in all. The framework passes it the mode of the activation before, so
/// this may be live play after all, which no wait may stop for good; and the first bounce after live play does not wait
/// before the [clock](BounceClock) tells it.
const VST3_PATIENCE: Duration = Duration::from_secs(5);

/// How long an activation waits for the take of the project that was loaded before; a moment is enough, but the
/// machine may be busy loading the rest of the project.
const RESTORING: Duration = Duration::from_secs(2);

/// A pianist that lives on a DAW track.
#[derive(Default)]
pub struct Etude {
    params: Arc<EtudeParams>,
    /// From the first activation on: hosts make instances only to look at them, too.
    running: Option<Running>,
    player: Player,
    /// Wakes the editor.
    repaint: RepaintNotifier,
    sample_rate: f64,
    /// Whether this is a VST3.
    vst3: bool,
    /// Tells a VST3 that the host bounces.
    clock: BounceClock,
    /// Whether it told so in the last block.
    bounces: bool,
    /// When something is played in.
    ear_clock: Clock,
}

/// What an instance has once it is used.
struct Running {
    player_end: PlayerEnd,
    _generator: Generator,
}

impl Plugin for Etude {
    const NAME: &'static str = "Etude";
    const VENDOR: &'static str = "Etude";
    const URL: &'static str = "";
    const EMAIL: &'static str = "";
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");

    /// Silence in stereo: some hosts refuse plugins without audio.
    const AUDIO_IO_LAYOUTS: &'static [AudioIOLayout] =
        &[AudioIOLayout { main_output_channels: NonZeroU32::new(2), ..AudioIOLayout::const_default() }];
    /// More would add 2,080 parameters to the VST3.
    const MIDI_INPUT: MidiConfig = MidiConfig::Basic;
    const MIDI_OUTPUT: MidiConfig = MidiConfig::MidiCCs;

    type Editor = EguiEditor<editor::Window>;
    type SysExMessage = ();
    /// To drag clips out of the window; composing has a thread of its own.
    type BackgroundTask = worker::Task;

    fn params(&self) -> Arc<dyn Params> {
        self.params.clone()
    }

    fn editor(&mut self, executor: AsyncExecutor<Self>) -> Option<Self::Editor> {
        editor::create(self.params.clone(), self.repaint.clone(), executor)
    }

    fn task_executor(&mut self) -> TaskExecutor<Self> {
        Box::new(worker::Task::run)
    }

    fn activate(
        &mut self,
        _layout: &AudioIOLayout,
        config: &BufferConfig,
        context: &mut impl ActivateContext<Self>,
    ) -> bool {
        self.sample_rate = f64::from(config.sample_rate);
        self.vst3 = context.plugin_api() == PluginApi::Vst3;
        (self.clock, self.bounces) = (BounceClock::default(), false);
        if self.vst3 {
            worker::hold();
        }
        if self.running.is_none() {
            self.running = self.start();
        }
        let Some(Running { player_end, .. }) = &mut self.running else { return false };
        // So that it sounds from the first block on, also where a bounce follows at once.
        let deadline = Instant::now() + RESTORING;
        while (self.params.session.is_restoring() || player_end.is_unmet()) && Instant::now() < deadline {
            thread::sleep(Duration::from_millis(1));
        }
        player_end.wait_at_most(match config.process_mode {
            ProcessMode::Offline if self.vst3 => VST3_PATIENCE,
            ProcessMode::Offline => Duration::MAX,
            ProcessMode::Realtime | ProcessMode::Buffered => Duration::ZERO,
        });
        true
    }

    fn reset(&mut self) {
        self.player.reset();
    }

    fn process(
        &mut self,
        buffer: &mut Buffer,
        _aux: &mut AuxiliaryBuffers,
        context: &mut impl ProcessContext<Self>,
    ) -> ProcessStatus {
        buffer.as_slice().iter_mut().for_each(|channel| channel.fill(0.0));
        let news = self.params.session.host.hear(context.transport());
        let mut block = transport::block(context.transport(), self.sample_rate, buffer.samples());
        self.listen(&block, context);
        block.playing &= !self.params.bypass.value();
        let Some(Running { player_end, .. }) = &mut self.running else { return ProcessStatus::KeepAlive };
        if news.first {
            self.params.session.ring();
        }
        player_end.expect(self.params.session.rings());
        let bounces = self.vst3 && self.clock.begin(f64::from(block.samples) / self.sample_rate);
        if bounces || self.bounces {
            player_end.wait_at_most(if bounces { VST3_PATIENCE } else { Duration::ZERO });
        }
        self.bounces = bounces;
        if news.moved || context.transport().playing {
            self.repaint.request_repaint();
        }
        let take = player_end.take(&block);
        self.player.process(&block, take, |event| context.try_send_event(transport::event(event)).is_ok());
        self.clock.end();
        ProcessStatus::KeepAlive
    }
}

impl Etude {
    /// Starts the thread that composes; it wakes the editor, too: whatever changes beside the playhead, it changes there.
    fn start(&self) -> Option<Running> {
        let mut attend = session::attend(self.params.clone());
        let repaint = self.repaint.clone();
        let attend = Box::new(move |editor: &EditorEnd| {
            let patience = attend(editor);
            repaint.request_repaint();
            patience
        });
        match Generator::start_attended(self.params.session.bell(), attend) {
            Ok((generator, player_end)) => Some(Running { player_end, _generator: generator }),
            Err(error) => {
                nice_error!("Etude can't start its composing thread: {error}");
                None
            }
        }
    }

    /// Hears what is played in, if the user wants that.
    fn listen(&mut self, block: &player::Block, context: &mut impl ProcessContext<Self>) {
        self.ear_clock.begin(block);
        let mut heard_any = false;
        while let Some(event) = context.next_event() {
            if let Some(heard) = transport::heard(&event, &self.ear_clock) {
                self.params.session.ear.hear(heard);
                heard_any = true;
            }
        }
        if heard_any && self.params.listen.value() {
            self.params.session.ring();
        }
    }
}

impl ClapPlugin for Etude {
    const CLAP_ID: &'static str = "org.etude.etude";
    const CLAP_DESCRIPTION: Option<&'static str> = Some("A pianist that composes in the host's tempo");
    const CLAP_MANUAL_URL: Option<&'static str> = None;
    const CLAP_SUPPORT_URL: Option<&'static str> = None;
    const CLAP_FEATURES: &'static [ClapFeature] =
        &[ClapFeature::NoteEffect, ClapFeature::Instrument, ClapFeature::Utility];
}

impl Vst3Plugin for Etude {
    const VST3_CLASS_ID: [u8; 16] = *b"EtudeThePianist1";
    const VST3_SUBCATEGORIES: &'static [Vst3SubCategory] =
        &[Vst3SubCategory::Instrument, Vst3SubCategory::Tools];
}

nice_export_clap!(Etude);
nice_export_vst3!(Etude);
