//! One update after another, the streams shared out among backends.

use etude_pianist::kernel::Kernel;
use etude_pianist::network::Blueprint;
use rayon::prelude::*;

use crate::backend::{Backend, DeviceError};
use crate::batch::Batch;
use crate::loss::Loss;
use crate::optimizer::AdamW;
use crate::passage::Passage;
use crate::streams::Streams;
use crate::weights::Network;

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
