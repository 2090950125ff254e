//! A host of VST3 plugins.
//!
//! The plugin is loaded once and stays: nothing of it is freed before the process ends.

#![allow(clippy::unnecessary_cast, reason = "constants have other types on Windows")]

mod com;
mod events;
mod module;

use std::path::Path;
use std::time::Duration;

use vst3::ComPtr;
use vst3::Steinberg::Vst::*;
use vst3::Steinberg::*;

use crate::plugin::{Block, Event, HostError, Knob, Plugin, Setup};
use com::Stream;
use module::Module;

/// An instance of a VST3 plugin whose parts are one object, as nice-plug makes them.
pub(crate) struct Vst3Plugin {
    component: ComPtr<IComponent>,
    processor: ComPtr<IAudioProcessor>,
    controller: ComPtr<IEditController>,
    active: Option<Setup>,
}

impl Vst3Plugin {
    /// Makes an instance of the first plugin in a file.
    pub(crate) fn open(path: &Path) -> Result<Vst3Plugin, HostError> {
        let module = Module::load(path)?;
        let component = module.component()?;
        let incomplete = || HostError::Refused("its interfaces");
        let processor = component.cast().ok_or_else(incomplete)?;
        let controller = component.cast().ok_or_else(incomplete)?;
        // SAFETY: the context outlives the plugin, as the module does.
        let initialised = unsafe { component.initialize(module.context()) };
        succeed(initialised, "to be initialised")?;
        Ok(Vst3Plugin { component, processor, controller, active: None })
    }
}

impl Drop for Vst3Plugin {
    fn drop(&mut self) {
        self.deactivate();
        // SAFETY: it was initialised, and nobody else has the component.
        unsafe { self.component.terminate() };
    }
}

impl Plugin for Vst3Plugin {
    fn knobs(&mut self) -> Vec<Knob> {
        // SAFETY: the controller lives; the plugin writes only to `info`, for which zeros are a value.
        let count = unsafe { self.controller.getParameterCount() };
        let knob = |index| {
            // SAFETY: as above.
            let mut info: ParameterInfo = unsafe { std::mem::zeroed() };
            // SAFETY: as above.
            let result = unsafe { self.controller.getParameterInfo(index, &mut info) };
            (result == kResultOk).then(|| Knob {
                id: info.id,
                name: com::text(&info.title),
                range: 0.0..1.0,
                default: info.defaultNormalizedValue,
                steps: (info.stepCount > 0).then_some(info.stepCount as u32),
                bypass: info.flags as u32 & ParameterInfo_::ParameterFlags_::kIsBypass as u32 != 0,
            })
        };
        (0..count).filter_map(knob).collect()
    }

    fn value(&mut self, knob: u32) -> Option<f64> {
        // SAFETY: the controller lives.
        Some(unsafe { self.controller.getParamNormalized(knob) })
    }

    fn turn(&mut self, knob: u32, value: f64) {
        // SAFETY: the controller lives.
        unsafe { self.controller.setParamNormalized(knob, value) };
    }

    fn text(&mut self, knob: u32, value: f64) -> Option<String> {
        let mut text: String128 = [0; 128];
        // SAFETY: the controller lives, and writes no more than this array.
        let result = unsafe { self.controller.getParamStringByValue(knob, value, &mut text) };
        (result == kResultOk).then(|| com::text(&text))
    }

    fn parse(&mut self, knob: u32, text: &str) -> Option<f64> {
        let mut text: Vec<TChar> = text.encode_utf16().chain([0]).collect();
        let mut value = 0.0;
        // SAFETY: the controller lives; the text ends with a zero.
        let result = unsafe { self.controller.getParamValueByString(knob, text.as_mut_ptr(), &mut value) };
        (result == kResultOk).then_some(value)
    }

    fn save(&mut self) -> Result<Vec<u8>, HostError> {
        let stream = Stream::default().into_com();
        // SAFETY: the component and the stream live.
        let result = unsafe { self.component.getState(stream.pointer()) };
        succeed(result, "to save").map(|()| stream.bytes())
    }

    fn load(&mut self, state: &[u8]) -> Result<(), HostError> {
        let stream = Stream::of(state).into_com();
        // SAFETY: the component and the stream live.
        let result = unsafe { self.component.setState(stream.pointer()) };
        succeed(result, "a state")
    }

    fn activate(&mut self, setup: &Setup) -> Result<(), HostError> {
        self.deactivate();
        let mode = if setup.offline { ProcessModes_::kOffline } else { ProcessModes_::kRealtime };
        let mut wanted = ProcessSetup {
            processMode: mode as i32,
            symbolicSampleSize: SymbolicSampleSizes_::kSample32 as i32,
            maxSamplesPerBlock: setup.longest_block as i32,
            sampleRate: setup.sample_rate,
        };
        // SAFETY: component and processor live; the plugin has one audio output and one event bus each way.
        unsafe {
            succeed(self.processor.setupProcessing(&mut wanted), "a sample rate")?;
            let (audio, event) = (MediaTypes_::kAudio as i32, MediaTypes_::kEvent as i32);
            let (input, output) = (BusDirections_::kInput as i32, BusDirections_::kOutput as i32);
            for (media, direction) in [(audio, output), (event, output), (event, input)] {
                succeed(self.component.activateBus(media, direction, 0, 1), "a bus")?;
            }
            succeed(self.component.setActive(1), "to be activated")?;
        }
        self.active = Some(*setup);
        Ok(())
    }

    fn play_timed(&mut self, blocks: &[Block], times: &mut Vec<Duration>) -> Result<Vec<Event>, HostError> {
        let setup = self.active.ok_or(HostError::Refused("to play while inactive"))?;
        let processor = &self.processor;
        let audio_thread = || {
            // SAFETY: the processor lives, is active, and nobody else processes.
            unsafe { processor.setProcessing(1) };
            let events = events::play(processor, blocks, &setup, times);
            // SAFETY: as above.
            unsafe { processor.setProcessing(0) };
            events
        };
        std::thread::scope(|scope| scope.spawn(audio_thread).join())
            .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    }

    fn reset(&mut self) {
        if self.active.is_some() {
            // SAFETY: the processor lives and is active. This is how VST3 hosts reset.
            unsafe {
                self.processor.setProcessing(0);
                self.processor.setProcessing(1);
            }
        }
    }

    fn deactivate(&mut self) {
        if self.active.take().is_some() {
            // SAFETY: the component lives and is active.
            unsafe { self.component.setActive(0) };
        }
    }
}

fn succeed(result: tresult, request: &'static str) -> Result<(), HostError> {
    if result == kResultOk { Ok(()) } else { Err(HostError::Refused(request)) }
}
