//! An instance of the plugin without a host.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use etude::generator::Generator;
use etude::handover::PlayerEnd;
use etude::params::EtudeParams;
use etude::session::{self, View};
use nice_plug::params::InternalParamMut;
use nice_plug::prelude::Params;

use crate::block::quarter;

/// Far longer than anything here takes, even on a busy machine.
const LONG: Duration = Duration::from_secs(120);

/// An instance as a host has it, but for the audio.
pub struct Instance {
    pub params: Arc<EtudeParams>,
    _generator: Generator,
    player: PlayerEnd,
}

impl Instance {
    pub fn with(params: Arc<EtudeParams>) -> Instance {
        let bell = params.session.bell();
        let (generator, player) = Generator::start_attended(bell, session::attend(params.clone())).unwrap();
        Instance { params, _generator: generator, player }
    }

    pub fn new() -> Instance {
        Instance::with(Arc::new(EtudeParams::default()))
    }

    /// One whose takes take their time: it is at work on the first.
    pub fn slow() -> Instance {
        let params = Arc::new(EtudeParams::default());
        turn(&params.bars, 64);
        let instance = Instance::with(params);
        instance.wait_for_work();
        instance
    }

    /// Waits until something is composed.
    pub fn wait_for_work(&self) {
        self.wait_in_any_case(|view| view.composing);
    }

    /// Lets the host roll through a quarter note.
    pub fn roll(&mut self, position: f64) {
        self.player.take(&quarter(position));
    }

    /// Waits until all is composed and `done`.
    pub fn wait(&self, done: impl Fn(&View) -> bool) -> Arc<View> {
        self.wait_in_any_case(|view| !view.composing && done(view))
    }

    /// Waits until `done`, also while something is composed.
    pub fn wait_in_any_case(&self, done: impl Fn(&View) -> bool) -> Arc<View> {
        let start = Instant::now();
        loop {
            let view = self.params.session.view();
            if done(&view) {
                return view;
            }
            assert!(start.elapsed() < LONG, "nothing comes of it: {:?}", view.error);
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    pub fn takes(&self, count: usize) -> Arc<View> {
        self.wait(|view| view.history.len() == count)
    }

    pub fn saved(&self) -> BTreeMap<String, String> {
        self.params.serialize_fields()
    }
}

/// Turns a knob as a host does.
pub fn turn<P: InternalParamMut>(knob: &P, value: P::Plain) {
    // SAFETY: it stores an atomic value and calls the knob's callback; the framework's wrappers do the same.
    unsafe { knob._internal_set_plain_value(value) };
}
