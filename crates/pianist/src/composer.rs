//! Composing: a pianist and requests in, takes out.
//!
//! A [`Composer`] composes several takes at once, all by one pianist, each as it would be alone. It goes as far as it
//! is asked to, so that a player can have it compose ahead; the takes do not depend on where it stopped in between.

mod primer;
mod request;
mod rules;
mod stream;
mod take;

pub use request::{Knobs, MAX_QUARTERS, Request, RequestError};
pub use take::Take;

use std::sync::Arc;

use crate::engine::{Engine, Memory};
use stream::Stream;

/// Most takes that are composed at once.
pub const MAX_TAKES: usize = 64;

/// Takes in the making.
pub struct Composer {
    engine: Arc<Engine>,
    memory: Memory,
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
    pub fn new(engine: Arc<Engine>, requests: &[Request]) -> Result<Composer, RequestError> {
        if requests.len() > MAX_TAKES {
            return Err(RequestError::TooManyTakes(requests.len()));
        }
        requests.iter().try_for_each(Request::check)?;
        let streams = requests.iter().map(|request| Stream::new(&engine, request)).collect();
        let memory = engine.memory(requests.len());
        Ok(Composer { engine, memory, streams, active: Vec::new(), asking: Vec::new() })
    }

    /// Composes until everything that begins before `quarters` (quarter notes from the start) is decided in all takes,
    /// or they are complete. It comes to an end whatever the pianist's weights are.
    pub fn advance(&mut self, quarters: f64) {
        while self.step(quarters) {}
    }

    /// Takes every take that is not decided up to `quarters` one step further; `false` if there is none. This is
    /// [`advance`](Composer::advance) for those who may have to stop at any time.
    pub fn step(&mut self, quarters: f64) -> bool {
        let Composer { engine, memory, streams, active, asking } = self;
        active.clear();
        active.extend((0..streams.len()).filter(|&stream| streams[stream].wants_step(quarters)));
        if active.is_empty() {
            return false;
        }
        for (row, &stream) in active.iter().enumerate() {
            streams[stream].listen(memory.input_row(row));
        }
        engine.advance(memory, active);
        active.iter().for_each(|&stream| streams[stream].recite());
        for head in 0..engine.blueprint().heads.len() {
            asking.clear();
            asking.extend(active.iter().filter(|&&stream| streams[stream].asks() == Some(head)));
            if asking.is_empty() {
                continue;
            }
            for (row, &stream) in asking.iter().enumerate() {
                streams[stream].read(memory.head_row(head, row));
            }
            engine.head(memory, head, asking);
            for (row, &stream) in asking.iter().enumerate() {
                streams[stream].choose(head, memory.logits(row));
            }
        }
        active.iter().for_each(|&stream| streams[stream].end_step());
        true
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
    pub fn finish(mut self) -> Vec<Take> {
        self.advance(f64::INFINITY);
        self.takes()
    }
}
