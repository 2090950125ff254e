//! Composing: a pianist and requests in, takes out.
//!
//! A [`Composer`] composes several takes at once, all by one pianist, each as it would be alone. It goes as far as it
//! is asked to, so that a player can have it compose ahead; the takes do not depend on where it stopped in between. Where
//! the engine's device fails, its fallback hears what there is so far and goes on: no note is lost.

mod form;
mod pace;
mod primer;
mod request;
mod rules;
mod stream;
mod take;
mod tonality;

pub use request::{Knobs, MAX_QUARTERS, Request, RequestError};
pub use take::Take;

use std::sync::Arc;

use crate::engine::{Batch, DeviceError, Engine};
use stream::{Replay, Stream};

/// Most takes that are composed at once.
pub const MAX_TAKES: usize = 64;

/// Takes in the making.
pub struct Composer {
    engine: Arc<dyn Engine>,
    batch: Box<dyn Batch>,
    failure: Option<DeviceError>,
    streams: Vec<Stream>,
    /// The streams that take part in the step at work.
    active: Vec<usize>,
    /// Those of them that a head chooses for.
    asking: Vec<usize>,
}

impl Composer {
    /// Begins a take for each request.
    ///
    /// # Errors
    /// If a request asks for something that can't be, see [`RequestError`].
    ///
    /// # Panics
    /// If the engine's device fails and the engine has no fallback, which [`Engine::fallback`] rules out.
    pub fn new(engine: Arc<dyn Engine>, requests: &[Request]) -> Result<Composer, RequestError> {
        if requests.len() > MAX_TAKES {
            return Err(RequestError::TooManyTakes(requests.len()));
        }
        requests.iter().try_for_each(Request::check)?;
        let engine = engine.fastest_for(requests.len()).unwrap_or(engine);
        let streams = requests.iter().map(|request| Stream::new(&*engine, request)).collect();
        let (engine, batch, failure) = match engine.batch(requests.len()) {
            Ok(batch) => (engine, batch, None),
            Err(error) => {
                let (engine, batch) = fall_back(&*engine, &error, requests.len());
                (engine, batch, Some(error))
            }
        };
        Ok(Composer { engine, batch, failure, streams, active: Vec::new(), asking: Vec::new() })
    }

    /// What computes, in a few words for a status line.
    pub fn device(&self) -> &str {
        self.engine.device()
    }

    /// Why composing went on on the engine's fallback, if it did: for a message.
    pub fn failure(&self) -> Option<&DeviceError> {
        self.failure.as_ref()
    }

    /// Composes until everything that begins before `quarters` (quarter notes from the start) is decided in all takes,
    /// or they are complete. It comes to an end whatever the pianist's weights are.
    ///
    /// # Panics
    /// As [`Composer::new`].
    pub fn advance(&mut self, quarters: f64) {
        while self.step(quarters) {}
    }

    /// Takes every take that is not decided up to `quarters` one step further; `false` if there is none. This is
    /// [`advance`](Composer::advance) for those who may have to stop at any time.
    ///
    /// # Panics
    /// As [`Composer::new`].
    pub fn step(&mut self, quarters: f64) -> bool {
        self.active.clear();
        let wants_step = |stream: &usize| self.streams[*stream].wants_step(quarters);
        self.active.extend((0..self.streams.len()).filter(wants_step));
        if self.active.is_empty() {
            return false;
        }
        self.listen();
        self.active.iter().for_each(|&stream| self.streams[stream].recite());
        for head in 0..self.engine.blueprint().heads.len() {
            self.choose(head);
        }
        self.active.iter().for_each(|&stream| self.streams[stream].end_step());
        true
    }

    /// Lets the active streams hear their next step.
    fn listen(&mut self) {
        for (row, &stream) in self.active.iter().enumerate() {
            self.streams[stream].listen(self.batch.input_row(row));
        }
        if let Err(error) = self.batch.advance(&self.active) {
            self.go_on_without(error);
        }
    }

    /// Lets `head` choose for the active streams that ask it.
    fn choose(&mut self, head: usize) {
        self.asking.clear();
        let asks = |stream: &&usize| self.streams[**stream].asks() == Some(head);
        self.asking.extend(self.active.iter().filter(asks));
        if self.asking.is_empty() {
            return;
        }
        if let Err(error) = self.ask(head) {
            self.go_on_without(error);
            self.ask(head).expect("a fallback does not fail");
        }
        for (row, &stream) in self.asking.iter().enumerate() {
            self.streams[stream].choose(head, self.batch.logits(row));
        }
    }

    fn ask(&mut self, head: usize) -> Result<(), DeviceError> {
        for (row, &stream) in self.asking.iter().enumerate() {
            self.streams[stream].read(self.batch.head_row(head, row));
        }
        self.batch.head(head, &self.asking)
    }

    /// Lets the fallback hear everything so far, and what the active streams hear now.
    fn go_on_without(&mut self, error: DeviceError) {
        let (engine, mut batch) = fall_back(&*self.engine, &error, self.streams.len());
        let streams = self.streams.iter().enumerate();
        let mut replays: Vec<Replay> =
            streams.map(|(i, stream)| stream.replay(self.active.contains(&i))).collect();
        loop {
            let hearing: Vec<usize> = (0..replays.len()).filter(|&i| !replays[i].is_over()).collect();
            if hearing.is_empty() {
                break;
            }
            for (row, &stream) in hearing.iter().enumerate() {
                replays[stream].listen(batch.input_row(row));
            }
            batch.advance(&hearing).expect("a fallback does not fail");
        }
        (self.engine, self.batch, self.failure) = (engine, batch, Some(error));
    }

    /// Up to where all takes are decided, in quarter notes: nothing more begins before that, and what sounds there
    /// may still get another end.
    pub fn decided(&self) -> f64 {
        self.streams.iter().map(Stream::decided).fold(f64::INFINITY, f64::min)
    }

    /// Whether all takes are complete.
    pub fn is_complete(&self) -> bool {
        self.streams.iter().all(Stream::is_complete)
    }

    /// The takes as far as they are composed, in the order of the requests.
    pub fn takes(&self) -> Vec<Take> {
        self.streams.iter().map(Stream::take).collect()
    }

    /// Composes to the end.
    ///
    /// # Panics
    /// As [`Composer::new`].
    pub fn finish(mut self) -> Vec<Take> {
        self.advance(f64::INFINITY);
        self.takes()
    }
}

/// The fallback of an engine that failed, and a batch of it.
fn fall_back(engine: &dyn Engine, error: &DeviceError, streams: usize) -> (Arc<dyn Engine>, Box<dyn Batch>) {
    let fallback = engine.fallback().unwrap_or_else(|| panic!("{error}, and its engine has no fallback"));
    let batch = fallback.batch(streams).expect("a fallback does not fail");
    (fallback, batch)
}
