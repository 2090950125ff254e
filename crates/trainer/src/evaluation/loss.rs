//! How surprised a pianist is by music.

use etude_pianist::alphabet::Pedal;
use etude_pianist::engine::{CpuEngine, Precision};
use etude_pianist::kernel::{self, Kernel};
use etude_pianist::model_file::Pianist;

use super::music::Piece;
use super::played;
use crate::loss::Loss;
use crate::measuring;
use crate::passage::Passage;
use crate::say;
use crate::weights::Network;

/// Pieces that each thread hears before there is progress to show.
const PIECES_PER_THREAD: usize = 32;

/// Lets the pianist hear each piece from beginning to end, from a state of zeros: in f32 with the network that trains,
/// which hears whole windows at once, else with the engine that plays.
pub fn measure(pianist: &Pianist, precision: Precision, pieces: &[Piece], pedal: Pedal) -> Loss {
    let threads = rayon::current_num_threads();
    let kernel = Kernel::best(kernel::Precision::F32);
    let network = Network::new(&pianist.blueprint, pianist.weights(), kernel);
    let engine = (precision != Precision::F32).then(|| CpuEngine::new(pianist.clone(), precision));
    let progress = say::bar(notes(pieces.iter()), "Listening {bar:40} {pos}/{len} notes, {eta} left");
    // Pieces of about the same length side by side, so that none waits long for the others to end.
    let mut by_length: Vec<&Piece> = pieces.iter().collect();
    by_length.sort_by_key(|piece| std::cmp::Reverse(piece.performance.notes.len()));
    let mut loss = Loss::default();
    for group in by_length.chunks(PIECES_PER_THREAD * threads) {
        let dealt = (0..threads).flat_map(|thread| group.iter().skip(thread).step_by(threads));
        let passages = dealt.map(|piece| {
            Passage::new(pianist.alphabet, pianist.time_base, &piece.performance, &piece.bars, pedal)
        });
        let passages = passages.collect();
        loss.add(&match &engine {
            Some(engine) => played::measure(engine, passages),
            None => measuring::measure(&pianist.blueprint, &network, kernel, threads, passages),
        });
        progress.inc(notes(group.iter().copied()));
    }
    progress.finish_and_clear();
    loss
}

fn notes<'a>(pieces: impl Iterator<Item = &'a Piece>) -> u64 {
    pieces.map(|piece| piece.performance.notes.len() as u64).sum()
}
