//! One take in the making, from the network's side: hear, then choose, step after step.

use std::slice;

use super::form::Form;
use super::pace::Pace;
use super::primer::Primer;
use super::rules::{self, Rules};
use super::take::{Grid, Take};
use super::tonality::Tonality;
use super::{Knobs, Request};
use crate::alphabet::{Alphabet, Conditions, Context, InputRow, Metre, Step};
use crate::engine::Engine;
use crate::note::Key;
use crate::sampler::{Attribute, Sampler};
use crate::time::{Ticks, TimeBase};

pub(super) struct Stream {
    alphabet: Alphabet,
    knobs: Knobs,
    grid: Grid,
    hearing: Hearing,
    rules: Box<dyn Rules>,
    tonality: Tonality,
    form: Form,
    sampler: Sampler,
    primer: Vec<Step>,
    /// Tick of the context's time at which the take begins.
    origin: Ticks,
    /// Ticks from the primer's last step to there.
    gap: Ticks,
    /// All complete steps: the primer's, then the take's own.
    steps: Vec<Step>,
    /// Which symbols the head at work may choose.
    allowed: Vec<bool>,
    /// Its logits, less their penalties.
    logits: Vec<f32>,
}

impl Stream {
    pub(super) fn new(engine: &dyn Engine, request: &Request) -> Stream {
        let alphabet = engine.alphabet();
        let knobs = request.knobs.clone();
        let grid = Grid::new(engine.time_base(), request);
        let primer = Primer::new(request, alphabet, &grid);
        let mut stream = Stream {
            alphabet,
            hearing: Hearing::new(alphabet, &knobs, &grid),
            rules: rules::of(alphabet, knobs.locks, knobs.pedal),
            tonality: Tonality::new(grid.base, knobs.pitch_class_shares()),
            form: Form::new(&grid, request.seed),
            sampler: Sampler::new(request.seed),
            knobs,
            grid,
            primer: primer.steps,
            origin: primer.origin,
            gap: 0,
            steps: Vec::new(),
            allowed: Vec::new(),
            logits: Vec::new(),
        };
        if stream.primer.is_empty() {
            stream.enter();
        }
        stream
    }

    /// Up to where the take is decided, in quarter notes.
    pub(super) fn decided(&self) -> f64 {
        let quarters = self.grid.quarters(self.hearing.context.now().saturating_sub(self.origin));
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
        self.hearing.listen(row);
    }

    /// Chooses what the primer says, if it has more to say.
    pub(super) fn recite(&mut self) {
        if let Some(step) = self.primer.get(self.steps.len()) {
            self.hearing.recite(step);
        }
    }

    pub(super) fn asks(&self) -> Option<usize> {
        self.hearing.context.asks()
    }

    pub(super) fn read(&self, row: InputRow) {
        self.hearing.context.read(&self.hearing.conditions, row);
    }

    pub(super) fn choose(&mut self, head: usize, logits: &[f32]) {
        self.allowed.clear();
        self.allowed.resize(logits.len(), false);
        self.rules.mark(head, &self.hearing.context.step(), &mut self.allowed);
        self.logits.clear();
        self.logits.extend_from_slice(logits);
        let kinds = self.rules.kinds(head);
        self.steer_keys(head);
        if kinds.iter().any(|(attribute, _)| *attribute == Attribute::Time) {
            self.steer_waits(head);
        }
        let symbol = self.sampler.choose(&self.logits, &self.allowed, kinds, &self.knobs.freedom);
        self.hearing.context.choose(symbol);
    }

    /// Adds the form's bonuses to the logits and takes the tonality's penalties off them, if the head is about to choose
    /// the key.
    fn steer_keys(&mut self, head: usize) {
        let step = self.hearing.context.step();
        if self.alphabet.struck(step).is_some() {
            return;
        }
        let bonus = self.form.bonus_of_keys(self.hearing.context.now());
        for (symbol, logit) in self.logits.iter_mut().enumerate() {
            let mut next = step;
            next.0[head] = symbol as u16;
            if let Some(key) = self.alphabet.struck(next) {
                *logit += bonus(key) - self.tonality.penalty(key.pitch_class());
            }
        }
    }

    /// Adds the form's bonuses to the logits of the head that is about to choose the time, and takes the pace's penalties
    /// off them.
    fn steer_waits(&mut self, head: usize) {
        let step = self.hearing.context.step();
        let bonus = self.form.bonus_of_waits();
        for (symbol, logit) in self.logits.iter_mut().enumerate() {
            let mut next = step;
            next.0[head] = symbol as u16;
            let wait = self.alphabet.waits(next);
            *logit += bonus(wait) - self.hearing.pace.penalty(wait);
        }
    }

    pub(super) fn end_step(&mut self) {
        let step = self.hearing.context.step();
        let (now, struck) = (self.hearing.context.now(), self.alphabet.struck(step));
        self.rules.follow(&step);
        self.tonality.follow(now, struck.map(Key::pitch_class));
        self.form.follow(now, struck);
        self.hearing.end_step();
        self.steps.push(step);
        if self.steps.len() == self.primer.len() {
            self.enter();
        }
    }

    /// All that the stream heard, and what it hears next if `hears_next`.
    pub(super) fn replay(&self, hears_next: bool) -> Replay<'_> {
        let hearing = Hearing::new(self.alphabet, &self.knobs, &self.grid);
        Replay { hearing, steps: self.steps.iter(), hears_next }
    }

    pub(super) fn take(&self) -> Take {
        let performance = self.alphabet.decode(&self.steps[self.primer.len().min(self.steps.len())..]);
        self.grid.take(performance, self.gap, &self.rules.locks())
    }

    /// Begins the take.
    fn enter(&mut self) {
        self.gap = self.origin.saturating_sub(self.hearing.context.now());
        self.rules.enter(self.gap);
    }
}

/// What a stream heard, to be heard once more by another engine.
pub(super) struct Replay<'a> {
    hearing: Hearing,
    steps: slice::Iter<'a, Step>,
    hears_next: bool,
}

impl Replay<'_> {
    pub(super) fn is_over(&self) -> bool {
        self.steps.as_slice().is_empty() && !self.hears_next
    }

    pub(super) fn listen(&mut self, row: InputRow) {
        self.hearing.listen(row);
        match self.steps.next() {
            Some(step) => {
                self.hearing.recite(step);
                self.hearing.end_step();
            }
            None => self.hears_next = false,
        }
    }
}

/// What the network hears of a take: all that it depends on beside the network itself.
struct Hearing {
    alphabet: Alphabet,
    context: Box<dyn Context>,
    conditions: Conditions,
    pace: Pace,
}

impl Hearing {
    fn new(alphabet: Alphabet, knobs: &Knobs, grid: &Grid) -> Hearing {
        let pace = Pace::new(grid.base, knobs);
        let conditions = Conditions {
            pedal: Some(knobs.pedal),
            density: pace.wish(),
            pitch_classes: knobs.pitch_class_shares(),
            metre: (grid.base == TimeBase::Beats).then(|| Metre::regular(grid.bar_ticks())),
        };
        Hearing { alphabet, context: alphabet.context(), conditions, pace }
    }

    fn listen(&self, row: InputRow) {
        self.context.listen(&self.conditions, row);
    }

    /// Chooses what a complete step says.
    fn recite(&mut self, step: &Step) {
        while let Some(head) = self.context.asks() {
            let symbol = step.get(head);
            self.context.choose(symbol.expect("complete steps have a symbol for every head that chooses"));
        }
    }

    fn end_step(&mut self) {
        self.pace.follow(self.context.now(), self.alphabet.struck(self.context.step()).is_some());
        self.conditions.density = self.pace.wish();
        self.context.begin();
    }
}
