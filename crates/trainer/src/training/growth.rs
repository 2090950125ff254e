//! Networks that grow: more units, and at first the same music.

use etude_pianist::network::{Blueprint, Layout, Parameter};

use crate::weights::initial_parameters;

/// The parameters of a network of `wide` that computes what `narrow` computes with `parameters`: a run can go on from
/// there with more room to learn in (Chen, Goodfellow and Shlens, "Net2Net", 2016).
///
/// What was there comes first; new units get random inputs, and at first nothing listens to them.
///
/// # Panics
/// If there are not as many parameters as `narrow` has, or the blueprints differ in more than `wide` having more units.
pub(crate) fn widened(narrow: &Blueprint, parameters: &[f32], wide: &Blueprint, seed: u64) -> Vec<f32> {
    assert_eq!(&Blueprint { units: wide.units, ..narrow.clone() }, wide, "only units can be added");
    assert!(narrow.units <= wide.units, "units can't be taken away");
    let (old, new) = (Layout::new(narrow), Layout::new(wide));
    let mut grown = initial_parameters(wide, seed);
    for (index, (from, to)) in old.parameters.iter().zip(&new.parameters).enumerate() {
        let blocks = if from.shape[0] == to.shape[0] { 1 } else { GATES };
        place(old.of(parameters, index), from, new.of_mut(&mut grown, index), to, blocks);
    }
    grown
}

/// Blocks of rows of an LSTM's parameters, each of which grows at its end.
const GATES: usize = 4;

/// Puts `values` in the upper left of each of `blocks` blocks of rows, and zeros to the right of them.
fn place(values: &[f32], from: &Parameter, grown: &mut [f32], to: &Parameter, blocks: usize) {
    let [[height, width], [grown_height, grown_width]] = [from, to].map(|parameter| parameter.shape);
    let blocks_of_rows = values.chunks_exact(height / blocks * width);
    for (block, grown) in blocks_of_rows.zip(grown.chunks_exact_mut(grown_height / blocks * grown_width)) {
        for (row, grown) in block.chunks_exact(width).zip(grown.chunks_exact_mut(grown_width)) {
            let (kept, added) = grown.split_at_mut(width);
            kept.copy_from_slice(row);
            added.fill(0.0);
        }
    }
}
