//! The loss that a pianist has when it plays: step by step, in the precision in which it composes.

use etude_pianist::engine::{Batch, CpuEngine, Engine};
use rayon::prelude::*;

use crate::loss::Loss;
use crate::passage::Passage;

/// Passages that one thread hears side by side.
const STREAMS: usize = 16;

/// Lets the engine hear each passage from its beginning to its end.
pub fn measure(engine: &CpuEngine, mut passages: Vec<Passage>) -> Loss {
    let losses: Vec<Loss> = passages.par_chunks_mut(STREAMS).map(|passages| hear(engine, passages)).collect();
    losses.into_iter().sum()
}

fn hear(engine: &CpuEngine, passages: &mut [Passage]) -> Loss {
    let heads = engine.blueprint().heads.len();
    let mut loss = Loss { nats: vec![0.0; heads], ..Loss::default() };
    let mut batch = engine.batch(passages.len()).expect("the processor does not fail");
    loop {
        let active: Vec<usize> = (0..passages.len()).filter(|&i| passages[i].remaining() > 0).collect();
        if active.is_empty() {
            return loss;
        }
        for (row, &i) in active.iter().enumerate() {
            passages[i].begin_step();
            passages[i].listen(batch.input_row(row));
        }
        batch.advance(&active).expect("the processor does not fail");
        for head in 0..heads {
            loss.nats[head] += choose(&mut *batch, head, &active, passages);
        }
        loss.steps += active.len();
        loss.notes += active.iter().filter(|&&i| passages[i].strikes()).count();
    }
}

/// Lets those passages choose that ask `head`; gives what it lost on them.
fn choose(batch: &mut dyn Batch, head: usize, active: &[usize], passages: &mut [Passage]) -> f64 {
    let asking: Vec<usize> = active.iter().copied().filter(|&i| passages[i].asks() == Some(head)).collect();
    if asking.is_empty() {
        return 0.0;
    }
    for (row, &i) in asking.iter().enumerate() {
        passages[i].read(batch.head_row(head, row));
    }
    batch.head(head, &asking).expect("the processor does not fail");
    let nats = asking.iter().enumerate().map(|(row, &i)| {
        let symbol = passages[i].choose(head);
        cross_entropy(batch.logits(row), symbol)
    });
    nats.sum()
}

fn cross_entropy(logits: &[f32], symbol: u16) -> f64 {
    let highest = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let sum: f64 = logits.iter().map(|&logit| f64::from(logit - highest).exp()).sum();
    sum.ln() - f64::from(logits[usize::from(symbol)] - highest)
}
