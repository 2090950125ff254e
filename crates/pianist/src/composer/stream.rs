//! One take in the making, from the network's side: hear, then choose, step after step.

use std::vec;

use super::primer::Primer;
use super::rules::{self, Rules};
use super::take::{Grid, Take};
use super::{Knobs, Request};
use crate::alphabet::{Alphabet, Conditions, Context, InputRow, Metre, Step};
use crate::engine::Engine;
use crate::sampler::{Freedom, Sampler};
use crate::time::{Ticks, TimeBase};

pub(super) struct Stream {
    alphabet: Alphabet,
    context: Box<dyn Context>,
    rules: Box<dyn Rules>,
    conditions: Conditions,
    sampler: Sampler,
    freedom: Freedom,
    grid: Grid,
    /// What the primer has left.
    primer: vec::IntoIter<Step>,
    /// Tick of the context's time at which the take begins.
    origin: Ticks,
    /// Ticks from the primer's last step to there.
    gap: Ticks,
    /// The take's own steps.
    steps: Vec<Step>,
    /// Which symbols the head at work may choose.
    allowed: Vec<bool>,
}

impl Stream {
    pub(super) fn new(engine: &Engine, request: &Request) -> Stream {
        let (alphabet, base) = (engine.alphabet(), engine.time_base());
        let grid = Grid::new(base, request);
        let primer = Primer::new(request, alphabet, &grid);
        let Knobs { freedom, density, pedal, locks, .. } = &request.knobs;
        let conditions = Conditions {
            pedal: Some(*pedal),
            density: *density,
            pitch_classes: request.knobs.pitch_class_shares(),
            metre: (base == TimeBase::Beats).then(|| Metre::regular(grid.bar_ticks())),
        };
        let mut stream = Stream {
            alphabet,
            context: alphabet.context(),
            rules: rules::of(alphabet, *locks, *pedal),
            conditions,
            sampler: Sampler::new(request.seed),
            freedom: *freedom,
            grid,
            primer: primer.steps.into_iter(),
            origin: primer.origin,
            gap: 0,
            steps: Vec::new(),
            allowed: Vec::new(),
        };
        stream.enter();
        stream
    }

    /// Up to where the take is decided, in quarter notes.
    pub(super) fn decided(&self) -> f64 {
        let quarters = self.grid.quarters(self.context.now().saturating_sub(self.origin));
        quarters.min(self.grid.length())
    }

    pub(super) fn is_complete(&self) -> bool {
        self.decided() >= self.grid.length()
    }

    /// Whether another step is needed to decide the take up to `quarters`.
    pub(super) fn wants_step(&self, quarters: f64) -> bool {
        !self.is_complete() && self.decided() < quarters
    }

    pub(super) fn listen(&self, row: InputRow) {
        self.context.listen(&self.conditions, row);
    }

    /// Chooses what the primer says, if it has more to say.
    pub(super) fn recite(&mut self) {
        if let Some(step) = self.primer.as_slice().first() {
            while let Some(head) = self.context.asks() {
                self.context.choose(step.get(head).expect("encoded steps are complete"));
            }
        }
    }

    pub(super) fn asks(&self) -> Option<usize> {
        self.context.asks()
    }

    pub(super) fn read(&self, row: InputRow) {
        self.context.read(&self.conditions, row);
    }

    pub(super) fn choose(&mut self, head: usize, logits: &[f32]) {
        self.allowed.clear();
        self.allowed.resize(logits.len(), false);
        self.rules.mark(head, &self.context.step(), &mut self.allowed);
        let symbol = self.sampler.choose(logits, &self.allowed, self.rules.kinds(head), &self.freedom);
        self.context.choose(symbol);
    }

    pub(super) fn end_step(&mut self) {
        let step = self.context.step();
        self.rules.follow(&step);
        self.context.begin();
        match self.primer.next() {
            Some(_) => self.enter(),
            None => self.steps.push(step),
        }
    }

    pub(super) fn take(&self) -> Take {
        let performance = self.alphabet.decode(&self.steps);
        self.grid.take(performance, self.gap, &self.rules.locks())
    }

    /// Begins the take, if the primer is over.
    fn enter(&mut self) {
        if self.primer.as_slice().is_empty() {
            self.gap = self.origin.saturating_sub(self.context.now());
            self.rules.enter(self.gap);
        }
    }
}
