//! A performance on its way into the network: spelled, and read step by step.

use etude_pianist::alphabet::{Alphabet, Conditions, Context, InputRow, Metre, Pedal, Step};
use etude_pianist::network::Blueprint;
use etude_pianist::note::Performance;
use etude_pianist::time::{Bar, Ticks, TimeBase};

use crate::batch::Batch;

/// A performance being read step by step.
pub struct Passage {
    alphabet: Alphabet,
    steps: Vec<Step>,
    at: usize,
    context: Box<dyn Context>,
    /// What the network is told from here on.
    pub conditions: Conditions,
    /// Onset and pitch class of every note, for measuring density and harmony ahead.
    notes: Vec<(Ticks, usize)>,
    base: TimeBase,
}

impl Passage {
    /// Spells a performance, the pedal as `pedal` says; of all conditions the pedal's spelling and the bars are on.
    pub fn new(
        alphabet: Alphabet,
        base: TimeBase,
        performance: &Performance<f64>,
        bars: &[Bar],
        pedal: Pedal,
    ) -> Passage {
        let quantised = quantised(performance, base, pedal);
        let conditions = Conditions { pedal: Some(pedal), metre: metre(bars), ..Conditions::default() };
        Passage {
            alphabet,
            steps: alphabet.encode(&quantised),
            at: 0,
            context: alphabet.context(),
            conditions,
            notes: quantised.notes.iter().map(|note| (note.onset, note.key.pitch_class())).collect(),
            base,
        }
    }

    /// How many steps are left.
    pub fn remaining(&self) -> usize {
        self.steps.len() - self.at
    }

    /// Reads on by `steps` without the network.
    pub fn skip(&mut self, steps: usize) {
        for step in &self.steps[self.at..(self.at + steps).min(self.steps.len())] {
            self.context.begin();
            while let Some(head) = self.context.asks() {
                self.context.choose(step.0[head]);
            }
        }
        self.at = (self.at + steps).min(self.steps.len());
    }

    /// Begins the next step; what follows is about it.
    ///
    /// # Panics
    /// If none is left.
    pub fn begin_step(&mut self) {
        assert!(self.remaining() > 0, "the passage is over");
        self.context.begin();
        self.at += 1;
    }

    /// Fills in what the network reads before the step.
    pub fn listen(&self, row: InputRow) {
        self.context.listen(&self.conditions, row);
    }

    /// The head that chooses next, or `None` once the step is complete.
    pub fn asks(&self) -> Option<usize> {
        self.context.asks()
    }

    /// Fills in what the head that chooses next reads.
    pub fn read(&self, row: InputRow) {
        self.context.read(&self.conditions, row);
    }

    /// Chooses what the passage says for `head`, which chooses next, and gives it.
    pub fn choose(&mut self, head: usize) -> u16 {
        let symbol = self.steps[self.at - 1].0[head];
        self.context.choose(symbol);
        symbol
    }

    /// Whether the step strikes a note.
    pub fn strikes(&self) -> bool {
        self.alphabet.struck(self.steps[self.at - 1]).is_some()
    }

    /// Notes per unit of time and share of each pitch class over the next few seconds or bars; `None` in silence.
    pub fn look_ahead(&self) -> Option<(f32, [f32; 12])> {
        /// Seconds or quarter notes: about the span of Performance RNN's density (3 s) and histogram (5 s).
        const SPAN: f64 = 5.0;
        let from = self.context.now();
        let until = from + (SPAN * self.base.ticks_per_unit()) as Ticks;
        let first = self.notes.partition_point(|note| note.0 < from);
        let ahead = &self.notes[first..self.notes.partition_point(|note| note.0 < until)];
        let mut shares = [0.0; 12];
        ahead.iter().for_each(|note| shares[note.1] += 1.0 / ahead.len() as f32);
        (!ahead.is_empty()).then_some((ahead.len() as f32 / SPAN as f32, shares))
    }

    /// Adds the next step to `batch`, or an empty row at the end. Returns whether the step strikes a note.
    pub(crate) fn write(&mut self, blueprint: &Blueprint, batch: &mut Batch) -> bool {
        let Some(&step) = self.steps.get(self.at) else {
            batch.add(blueprint, None);
            return false;
        };
        self.at += 1;
        batch.add(blueprint, Some((self.context.as_mut(), &self.conditions, step)));
        self.alphabet.struck(step).is_some()
    }
}

/// A performance on the tick grid, the pedal as `pedal` says.
pub(crate) fn quantised(performance: &Performance<f64>, base: TimeBase, pedal: Pedal) -> Performance<Ticks> {
    match pedal {
        Pedal::Keep => performance.quantise(base),
        Pedal::Fold => performance.fold_pedal().quantise(base),
    }
}

/// Bars as the network's conditions want them: one section for each run of equal bars.
fn metre(bars: &[Bar]) -> Option<Metre> {
    let ticks = |quarters: f64| (quarters * TimeBase::Beats.ticks_per_unit()).round().max(0.0) as Ticks;
    let mut sections: Vec<(Ticks, Ticks)> = Vec::new();
    for bar in bars {
        let (start, length) = (ticks(bar.start), ticks(bar.quarters()).max(1));
        let goes_on = sections.last().is_some_and(|&(first, same)| {
            length == same && start >= first && (start - first).is_multiple_of(length)
        });
        if !goes_on && sections.last().is_none_or(|last| last.0 <= start) {
            sections.push((start, length));
        }
    }
    (!sections.is_empty()).then(|| Metre::new(sections))
}
