//! One take in the making, from the network's side: hear, then choose, step after step.

use std::slice;

use super::pace::Pace;
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
    /// Unless a density was asked for.
    pace: Option<Pace>,
    sampler: Sampler,
    freedom: Freedom,
    grid: Grid,
    primer: Vec<Step>,
    /// Tick of the context's time at which the take begins.
    origin: Ticks,
    /// Ticks from the primer's last step to there.
    gap: Ticks,
    /// All complete steps: the primer's, then the take's own.
    steps: Vec<Step>,
    /// Which symbols the head at work may choose.
    allowed: Vec<bool>,
}

impl Stream {
    pub(super) fn new(engine: &dyn Engine, request: &Request) -> Stream {
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
            pace: density.is_none().then(|| Pace::new(base)),
            sampler: Sampler::new(request.seed),
            freedom: *freedom,
            grid,
            primer: primer.steps,
            origin: primer.origin,
            gap: 0,
            steps: Vec::new(),
            allowed: Vec::new(),
        };
        if stream.primer.is_empty() {
            stream.enter();
        }
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
        if let Some(step) = self.primer.get(self.steps.len()) {
            recite(&mut *self.context, step);
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
        follow(&mut self.pace, &mut self.conditions, self.alphabet.strikes(step), self.context.now());
        self.context.begin();
        self.steps.push(step);
        if self.steps.len() == self.primer.len() {
            self.enter();
        }
    }

    /// All that the stream heard, and what it hears next if `hears_next`.
    pub(super) fn replay(&self, hears_next: bool) -> Replay<'_> {
        let pace = self.pace.as_ref().map(|_| Pace::new(self.grid.base));
        let density = self.conditions.density.filter(|_| pace.is_none());
        Replay {
            alphabet: self.alphabet,
            context: self.alphabet.context(),
            conditions: Conditions { density, ..self.conditions.clone() },
            pace,
            steps: self.steps.iter(),
            hears_next,
        }
    }

    pub(super) fn take(&self) -> Take {
        let performance = self.alphabet.decode(&self.steps[self.primer.len().min(self.steps.len())..]);
        self.grid.take(performance, self.gap, &self.rules.locks())
    }

    /// Begins the take.
    fn enter(&mut self) {
        self.gap = self.origin.saturating_sub(self.context.now());
        self.rules.enter(self.gap);
    }
}

/// What a stream heard, to be heard once more by another engine.
pub(super) struct Replay<'a> {
    alphabet: Alphabet,
    context: Box<dyn Context>,
    conditions: Conditions,
    pace: Option<Pace>,
    steps: slice::Iter<'a, Step>,
    hears_next: bool,
}

impl Replay<'_> {
    pub(super) fn is_over(&self) -> bool {
        self.steps.as_slice().is_empty() && !self.hears_next
    }

    pub(super) fn listen(&mut self, row: InputRow) {
        self.context.listen(&self.conditions, row);
        match self.steps.next() {
            Some(step) => {
                recite(&mut *self.context, step);
                let strikes = self.alphabet.strikes(*step);
                follow(&mut self.pace, &mut self.conditions, strikes, self.context.now());
                self.context.begin();
            }
            None => self.hears_next = false,
        }
    }
}

/// Follows a step taken at tick `now`, and wishes for what the pace asks.
fn follow(pace: &mut Option<Pace>, conditions: &mut Conditions, strikes: bool, now: Ticks) {
    if let Some(pace) = pace {
        pace.follow(now, strikes);
        conditions.density = pace.wish();
    }
}

fn recite(context: &mut dyn Context, step: &Step) {
    while let Some(head) = context.asks() {
        context.choose(step.get(head).expect("complete steps have a symbol for every head that chooses"));
    }
}
