//! One update after another, the streams shared out among backends.

use std::iter::Sum;

use etude_pianist::kernel::Kernel;
use etude_pianist::network::{Blueprint, Head, Layout};
use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64Mcg;
use rayon::prelude::*;

use crate::backend::{Backend, DeviceError};
use crate::batch::Batch;
use crate::forward::{Nats, Tape};
use crate::optimizer::AdamW;
use crate::passage::{Passage, Streams};
use crate::weights::Network;

/// What a network lost on some music.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Loss {
    /// Cross-entropy by head, in nats.
    pub nats: Nats,
    /// Steps.
    pub steps: usize,
    /// Notes.
    pub notes: usize,
}

impl Loss {
    /// Adds what was lost on more music.
    pub fn add(&mut self, other: &Loss) {
        self.nats.resize(other.nats.len(), 0.0);
        self.nats.iter_mut().zip(&other.nats).for_each(|(sum, nats)| *sum += nats);
        self.steps += other.steps;
        self.notes += other.notes;
    }

    /// By attribute, per note: that of a head, or of the coarse and the fine head of a time together.
    pub fn by_attribute(&self, heads: &[Head]) -> Vec<(String, f64)> {
        let mut attributes: Vec<(String, f64)> = Vec::new();
        for (head, nats) in heads.iter().zip(&self.nats) {
            let name = head.name.trim_end_matches("_fine");
            let nats_per_note = nats / self.notes as f64;
            match attributes.last_mut().filter(|last| last.0 == name) {
                Some(coarse) => coarse.1 += nats_per_note,
                None => attributes.push((name.to_owned(), nats_per_note)),
            }
        }
        attributes
    }

    /// All heads together, per note.
    pub fn nats_per_note(&self) -> f64 {
        self.nats.iter().sum::<f64>() / self.notes.max(1) as f64
    }
}

impl Sum for Loss {
    fn sum<I: Iterator<Item = Loss>>(losses: I) -> Loss {
        let mut sum = Loss::default();
        losses.for_each(|loss| sum.add(&loss));
        sum
    }
}

/// How much goes into one update.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Size {
    /// Sequences side by side, over all threads.
    pub streams: usize,
    /// Steps of each.
    pub steps: usize,
    /// Threads.
    pub threads: usize,
    /// Share of values dropped between LSTM layers.
    pub dropout: f32,
}

/// A network that learns.
pub struct Learner {
    blueprint: Blueprint,
    network: Network,
    optimizer: AdamW,
    workers: Vec<Worker>,
}

/// A share of the streams, and what computes on it.
struct Worker {
    streams: Streams,
    batch: Batch,
    backend: Box<dyn Backend>,
}

impl Learner {
    /// Goes on with `parameters` and the optimiser's state; the streams are shared out among `backends`.
    ///
    /// # Panics
    /// If there is no backend.
    pub fn new(
        blueprint: &Blueprint,
        parameters: Vec<f32>,
        optimizer: AdamW,
        kernel: Kernel,
        size: Size,
        backends: Vec<Box<dyn Backend>>,
    ) -> Learner {
        let (network, count) = (Network::new(blueprint, parameters, kernel), backends.len());
        assert!(count > 0, "no backend to learn with");
        let workers = backends.into_iter().enumerate().map(|(i, backend)| {
            let streams = (i + 1) * size.streams / count - i * size.streams / count;
            let batch = Batch::new(size.steps, streams, blueprint.heads.len());
            Worker { streams: Streams::new(streams), batch, backend }
        });
        Learner { blueprint: blueprint.clone(), workers: workers.collect(), network, optimizer }
    }

    /// The network as it is now.
    pub fn network(&self) -> &Network {
        &self.network
    }

    /// The optimiser's state as it is now.
    pub fn optimizer(&self) -> &AdamW {
        &self.optimizer
    }

    /// Learns from the next window of every stream. `next(worker)` supplies passages, `prepare(worker, passage)` may
    /// change a passage's conditions before each window.
    pub fn learn(
        &mut self,
        learning_rate: f32,
        next: impl Fn(usize) -> Option<Passage> + Sync,
        prepare: impl Fn(usize, &mut Passage) + Sync,
    ) -> Result<Loss, DeviceError> {
        let rows = self.workers.iter().map(|worker| worker.batch.rows()).sum();
        let (network, blueprint) = (&self.network, &self.blueprint);
        let losses = self.workers.par_iter_mut().enumerate().map(|(i, worker)| {
            worker.streams.refill(&mut worker.batch, || next(i));
            worker.streams.passages().for_each(|passage| prepare(i, passage));
            let notes = worker.streams.read(blueprint, &mut worker.batch);
            let nats = worker.backend.learn(network, &worker.batch, rows)?;
            Ok(Loss { nats, steps: worker.batch.spelled_steps(), notes })
        });
        let losses: Vec<Loss> = losses.collect::<Result<_, DeviceError>>()?;
        let (first, others) = self.workers.split_first_mut().expect("there is at least one worker");
        let gradient = first.backend.gradient();
        for other in others {
            let sums = gradient.par_chunks_mut(1 << 16);
            let parts = other.backend.gradient().par_chunks(1 << 16);
            sums.zip(parts).for_each(|(sum, part)| sum.iter_mut().zip(part).for_each(|(a, b)| *a += b));
        }
        let optimizer = &mut self.optimizer;
        self.network.update(|parameters| optimizer.update(parameters, gradient, learning_rate));
        Ok(losses.into_iter().sum())
    }
}

/// Measures `network` on passages, each from a silent start with the state carried to its end, on `threads` threads.
pub fn measure(
    blueprint: &Blueprint,
    network: &Network,
    kernel: Kernel,
    threads: usize,
    passages: Vec<Passage>,
) -> Loss {
    let share = passages.len().div_ceil(threads.max(1)).max(1);
    let mut shares: Vec<Vec<Passage>> = Vec::new();
    let mut passages = passages.into_iter().peekable();
    while passages.peek().is_some() {
        shares.push(passages.by_ref().take(share).collect());
    }
    let measure = |passages| measure_on_one_thread(blueprint, network, kernel, passages);
    let losses: Vec<Loss> = shares.into_par_iter().map(measure).collect();
    losses.into_iter().sum()
}

fn measure_on_one_thread(
    blueprint: &Blueprint,
    network: &Network,
    kernel: Kernel,
    passages: Vec<Passage>,
) -> Loss {
    /// Steps per window, and passages side by side: enough for fast products, few enough for the cache.
    const WINDOW: (usize, usize) = (64, 32);
    let streams = WINDOW.1.min(passages.len());
    let mut passages = passages.into_iter();
    let mut side_by_side = Streams::new(streams);
    let mut batch = Batch::new(WINDOW.0, streams, blueprint.heads.len());
    let mut tape = Tape::new(blueprint, kernel, 0.0, 0);
    let mut loss = Loss::default();
    while side_by_side.refill(&mut batch, || passages.next()) {
        let notes = side_by_side.read(blueprint, &mut batch);
        let nats = tape.forward(network, &batch, 1);
        loss.add(&Loss { nats, steps: batch.spelled_steps(), notes });
    }
    loss
}

/// Random parameters to start from: PyTorch's uniform range for the LSTM with open forget gates, the same range by
/// fan-in for the heads, embeddings of variance 1/4.
pub fn initial_parameters(blueprint: &Blueprint, seed: u64) -> Vec<f32> {
    let layout = Layout::new(blueprint);
    let mut random = Pcg64Mcg::seed_from_u64(seed);
    let mut flat = vec![0.0; layout.len()];
    for (index, parameter) in layout.parameters.iter().enumerate() {
        let [_, columns] = parameter.shape;
        let range = match parameter {
            bias if bias.is_bias() => 0.0,
            table if table.name.contains("embedding") => 0.75f32.sqrt(),
            lstm if lstm.name.starts_with("lstm") => 1.0 / (blueprint.units as f32).sqrt(),
            _ => 1.0 / (columns as f32).sqrt(),
        };
        layout
            .of_mut(&mut flat, index)
            .iter_mut()
            .for_each(|x| *x = range * (2.0 * random.random::<f32>() - 1.0));
    }
    for layer in &layout.layers {
        let units = blueprint.units;
        layout.of_mut(&mut flat, layer.bias)[units..2 * units].fill(1.0);
    }
    flat
}
