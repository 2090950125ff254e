//! Steps of an engine whose inputs are like chance and yet the same each time.

use etude_pianist::alphabet::InputRow;
use etude_pianist::engine::{Batch, Engine};
use etude_pianist::model_file::Pianist;
use etude_pianist::network::Inputs;

/// Inputs that differ from step to step and from stream to stream.
pub fn fill(inputs: &Inputs, row: InputRow, step: usize, stream: usize) {
    let mix = |i: usize| (i * 7 + step * 13 + stream * 29) % 31;
    for (i, (symbol, category)) in row.categories.iter_mut().zip(&inputs.categories).enumerate() {
        *symbol = (mix(i) * category.symbols / 31) as u16;
    }
    row.dense.iter_mut().enumerate().for_each(|(i, value)| *value = mix(i) as f32 / 31.0 - 0.5);
}

/// Lets `streams` hear a step, and returns the logits of all heads for each of them.
pub fn step(pianist: &Pianist, batch: &mut dyn Batch, step: usize, streams: &[usize]) -> Vec<Vec<f32>> {
    for (row, &stream) in streams.iter().enumerate() {
        fill(&pianist.blueprint.inputs, batch.input_row(row), step, stream);
    }
    batch.advance(streams).unwrap();
    let mut logits = vec![Vec::new(); streams.len()];
    for (head, blueprint) in pianist.blueprint.heads.iter().enumerate() {
        for (row, &stream) in streams.iter().enumerate() {
            fill(&blueprint.inputs, batch.head_row(head, row), step, stream);
        }
        batch.head(head, streams).unwrap();
        for (row, logits) in logits.iter_mut().enumerate() {
            logits.extend_from_slice(batch.logits(row));
        }
    }
    logits
}

/// Lets a stream hear the same steps alone and in larger and smaller company.
pub fn assert_company_makes_no_difference(pianist: &Pianist, engine: &dyn Engine) {
    let (mut alone, mut shared) = (engine.batch(4).unwrap(), engine.batch(64).unwrap());
    for t in 0..6 {
        let expected = step(pianist, &mut *alone, t, &[3]).remove(0);
        let company: Vec<usize> =
            (0..64).filter(|stream| *stream == 3 || stream % (t * t + 1) == 0).collect();
        let row = company.iter().position(|stream| *stream == 3).unwrap();
        let got = step(pianist, &mut *shared, t, &company).remove(row);
        assert!(got == expected, "{}, step {t}", engine.device());
    }
}
