//! A host of CLAP plugins.

mod events;
mod handlers;

use std::ffi::CString;
use std::path::Path;
use std::time::Duration;

use clack_extensions::params::{ParamInfoBuffer, ParamInfoFlags};
use clack_extensions::render::RenderMode;
use clack_host::prelude::*;
use clack_host::utils::ClapId;

use crate::plugin::{Block, Event, HostError, Knob, Plugin, Setup};
use handlers::{Extensions, Handlers, MainThread, Shared};

/// An instance of a CLAP plugin.
pub(crate) struct ClapPlugin {
    audio: Option<(StoppedPluginAudioProcessor<Handlers>, Setup)>,
    extensions: Extensions,
    instance: PluginInstance<Handlers>,
}

impl ClapPlugin {
    /// Makes an instance of the first plugin in a file.
    pub(crate) fn open(path: &Path) -> Result<ClapPlugin, HostError> {
        let not_loaded = |reason: String| HostError::NotLoaded { path: path.to_owned(), reason };
        // SAFETY: it is our own plugin, whose entry keeps to CLAP's rules of initialisation.
        let entry = unsafe { PluginEntry::load(path) }.map_err(|error| not_loaded(error.to_string()))?;
        let factory = entry.get_plugin_factory().ok_or_else(|| not_loaded("it makes no plugins".into()))?;
        let descriptor = factory.plugin_descriptors().next();
        let id = descriptor.as_ref().and_then(|descriptor| descriptor.id());
        let id = CString::from(id.ok_or_else(|| not_loaded("it has no plugin".into()))?);
        let info = HostInfo::new("Etude rehearsal", "Etude", "", env!("CARGO_PKG_VERSION"))
            .map_err(|error| not_loaded(error.to_string()))?;
        let mut instance = PluginInstance::new(|()| Shared::default(), |_| MainThread, &entry, &id, &info)
            .map_err(|error| not_loaded(error.to_string()))?;
        let extensions = Extensions::of(&instance.plugin_handle())
            .ok_or_else(|| not_loaded("it has no knobs or no state".into()))?;
        Ok(ClapPlugin { audio: None, extensions, instance })
    }

    /// Does what the plugin asked the main thread for.
    fn answer(&mut self) {
        if self.instance.access_shared_handler(Shared::take_request) {
            self.instance.call_on_main_thread_callback();
        }
    }
}

impl Plugin for ClapPlugin {
    fn knobs(&mut self) -> Vec<Knob> {
        let params = self.extensions.params;
        let handle = self.instance.plugin_handle();
        let mut buffer = ParamInfoBuffer::new();
        let knob = |index| {
            let info = params.get_info(&handle, index, &mut buffer)?;
            let stepped = info.flags.contains(ParamInfoFlags::IS_STEPPED);
            Some(Knob {
                id: info.id.get(),
                name: String::from_utf8_lossy(info.name).into_owned(),
                range: info.min_value..info.max_value,
                default: info.default_value,
                steps: stepped.then_some((info.max_value - info.min_value) as u32),
                bypass: info.flags.contains(ParamInfoFlags::IS_BYPASS),
            })
        };
        (0..params.count(&handle)).filter_map(knob).collect()
    }

    fn value(&mut self, knob: u32) -> Option<f64> {
        self.extensions.params.get_value(&self.instance.plugin_handle(), ClapId::from_raw(knob)?)
    }

    fn turn(&mut self, knob: u32, value: f64) {
        let block = Block { turned: vec![(knob, value)], ..Block::default() };
        let (input, mut output) = (events::input(&block), EventBuffer::new());
        if let Some(mut handle) = self.instance.inactive_plugin_handle() {
            self.extensions.params.flush(&mut handle, &input.as_input(), &mut output.as_output());
        }
        self.answer();
    }

    fn text(&mut self, knob: u32, value: f64) -> Option<String> {
        let mut buffer = [0; 256];
        let handle = self.instance.plugin_handle();
        let params = self.extensions.params;
        let text = params.value_to_text(&handle, ClapId::from_raw(knob)?, value, &mut buffer).ok()?;
        String::from_utf8(text.to_vec()).ok()
    }

    fn parse(&mut self, knob: u32, text: &str) -> Option<f64> {
        let text = CString::new(text).ok()?;
        let handle = self.instance.plugin_handle();
        self.extensions.params.text_to_value(&handle, ClapId::from_raw(knob)?, &text)
    }

    fn save(&mut self) -> Result<Vec<u8>, HostError> {
        self.answer();
        let mut state = Vec::new();
        let saved = self.extensions.state.save(&self.instance.plugin_handle(), &mut state);
        saved.map(|()| state).map_err(|_| HostError::Refused("to save"))
    }

    fn load(&mut self, mut state: &[u8]) -> Result<(), HostError> {
        let loaded = self.extensions.state.load(&self.instance.plugin_handle(), &mut state);
        self.answer();
        loaded.map_err(|_| HostError::Refused("a state"))
    }

    fn activate(&mut self, setup: &Setup) -> Result<(), HostError> {
        self.deactivate();
        if let Some(render) = self.extensions.render {
            let mode = if setup.offline { RenderMode::Offline } else { RenderMode::Realtime };
            let handle = self.instance.plugin_handle();
            render.set(&handle, mode).map_err(|_| HostError::Refused("a rendering mode"))?;
        }
        let configuration = PluginAudioConfiguration {
            sample_rate: setup.sample_rate,
            min_frames_count: 1,
            max_frames_count: setup.longest_block,
        };
        let audio = self.instance.activate(|_, _| (), configuration);
        self.audio = Some((audio.map_err(|_| HostError::Refused("to be activated"))?, *setup));
        Ok(())
    }

    fn play_timed(&mut self, blocks: &[Block], times: &mut Vec<Duration>) -> Result<Vec<Event>, HostError> {
        let (stopped, setup) = self.audio.take().ok_or(HostError::Refused("to play while inactive"))?;
        let audio_thread = || {
            let mut started = match stopped.start_processing() {
                Ok(started) => started,
                Err(error) => return (error.into_stopped_processor(), Err(HostError::Refused("to start"))),
            };
            let events = events::play(&mut started, blocks, &setup, times);
            (started.stop_processing(), events)
        };
        let (stopped, events) = std::thread::scope(|scope| scope.spawn(audio_thread).join())
            .unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        self.audio = Some((stopped, setup));
        self.answer();
        events
    }

    fn reset(&mut self) {
        if let Some((audio, _)) = &mut self.audio {
            audio.reset();
        }
    }

    fn deactivate(&mut self) {
        if let Some((audio, _)) = self.audio.take() {
            self.instance.deactivate(audio);
        }
        self.answer();
    }
}
