//! The loss of a network on passages that it does not learn from.

use etude_pianist::kernel::Kernel;
use etude_pianist::network::Blueprint;
use rayon::prelude::*;

use crate::batch::Batch;
use crate::forward::Tape;
use crate::loss::Loss;
use crate::passage::Passage;
use crate::streams::Streams;
use crate::weights::Network;

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
