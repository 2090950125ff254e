//! A window of training data, ready for the network: what it reads and what it should have chosen.

use std::ops::Range;

use etude_pianist::alphabet::{Conditions, Context, InputRow, MAX_HEADS, Step};
use etude_pianist::network::{Blueprint, Inputs};

/// Rows that are taken through one part of a layer after another before the next ones: what is computed of them is
/// still in the cache when it is read.
const RUN: usize = 512;

/// Inputs of one block of the network, row after row.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Block {
    /// One symbol per category and row.
    pub categories: Vec<u16>,
    /// The dense values of each row.
    pub dense: Vec<f32>,
}

impl Block {
    fn clear(&mut self) {
        self.categories.clear();
        self.dense.clear();
    }

    /// Adds a row of zeros and lends it out to be filled in.
    fn add_row(&mut self, inputs: &Inputs) -> InputRow<'_> {
        let (categories, dense) = (self.categories.len(), self.dense.len());
        self.categories.resize(categories + inputs.categories.len(), 0);
        self.dense.resize(dense + inputs.dense, 0.0);
        InputRow { categories: &mut self.categories[categories..], dense: &mut self.dense[dense..] }
    }
}

/// The choices of one head in a window.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Choices {
    /// The row of the window that each choice belongs to, ascending.
    pub rows: Vec<u32>,
    /// The symbol that was chosen.
    pub targets: Vec<u16>,
    /// What the head reads for each choice.
    pub inputs: Block,
}

/// `steps` steps of `streams` sequences side by side; row `t * streams + b` is step `t` of stream `b`. A row beyond
/// the end of its stream's piece has no choices, and so no loss.
#[derive(Debug, Clone, PartialEq)]
pub struct Batch {
    /// Window length.
    pub steps: usize,
    /// Sequences side by side.
    pub streams: usize,
    /// Streams whose state is to be forgotten before the window: a new piece begins.
    pub fresh: Vec<bool>,
    /// What the network reads, a row per step and stream.
    pub inputs: Block,
    /// The choices of each head.
    pub heads: Vec<Choices>,
}

impl Batch {
    /// An empty window for a network with `heads` heads.
    pub fn new(steps: usize, streams: usize, heads: usize) -> Batch {
        let heads = vec![Choices::default(); heads];
        Batch { steps, streams, fresh: vec![true; streams], inputs: Block::default(), heads }
    }

    /// How many rows the window has.
    pub fn rows(&self) -> usize {
        self.steps * self.streams
    }

    /// The window's steps, in runs of as many as go through a layer together.
    pub(crate) fn runs(&self) -> impl DoubleEndedIterator<Item = Range<usize>> + use<> {
        let (steps, length) = (self.steps, (RUN / self.streams.max(1)).max(1));
        (0..steps.div_ceil(length)).map(move |run| run * length..steps.min((run + 1) * length))
    }

    /// The rows of a run of steps.
    pub(crate) fn rows_of(&self, run: &Range<usize>) -> Range<usize> {
        run.start * self.streams..run.end * self.streams
    }

    /// How many steps have a loss: every step chooses with the first head.
    pub fn spelled_steps(&self) -> usize {
        self.heads[0].rows.len()
    }

    /// Empties the window for new data.
    pub fn clear(&mut self) {
        self.inputs.clear();
        for head in &mut self.heads {
            head.rows.clear();
            head.targets.clear();
            head.inputs.clear();
        }
    }

    /// Adds the next row: `step` as the network should spell it in `context`, or `None` beyond the end of a piece.
    pub fn add(&mut self, blueprint: &Blueprint, step: Option<(&mut dyn Context, &Conditions, Step)>) {
        let row = self.inputs.dense.len() / blueprint.inputs.dense;
        let inputs = self.inputs.add_row(&blueprint.inputs);
        let Some((context, conditions, step)) = step else { return };
        context.begin();
        context.listen(conditions, inputs);
        for _ in 0..MAX_HEADS {
            let Some(head) = context.asks() else { break };
            let choices = &mut self.heads[head];
            context.read(conditions, choices.inputs.add_row(&blueprint.heads[head].inputs));
            choices.rows.push(row as u32);
            choices.targets.push(step.0[head]);
            context.choose(step.0[head]);
        }
    }
}
