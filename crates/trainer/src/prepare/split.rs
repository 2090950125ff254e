//! Setting pieces apart for validation.

use super::pieces::Phrase;
use super::reading::Music;
use crate::corpus::Split;

/// The part of all notes that is set apart, at most: enough to measure by, little enough not to be missed.
const VALID: f64 = 0.05;
/// Pieces that are set apart at least, if there is a choice: one that everybody plays must not decide the measure.
const PIECES: usize = 20;

/// Marks whole pieces for validation, about one note in twenty, or one piece if there are few. Which ones depends
/// on what they sound like, not on names or order. A single piece stays in training.
pub fn split(music: &mut [Music], pieces: &[u32]) {
    let mut candidates = candidates(music, pieces);
    candidates.sort_by_key(|candidate| (candidate.lot, candidate.piece));
    let total: usize = candidates.iter().map(|candidate| candidate.notes).sum();
    let room = (total as f64 * VALID) as usize;
    let mut chosen = vec![false; candidates.len()];
    let mut taken = 0;
    for largest in [room / PIECES, room] {
        for candidate in candidates.iter().filter(|candidate| candidate.notes <= largest) {
            if !chosen[candidate.piece] && taken + candidate.notes <= room {
                taken += candidate.notes;
                chosen[candidate.piece] = true;
            }
        }
    }
    if taken == 0 && candidates.len() > 1 {
        let smallest = candidates.iter().min_by_key(|candidate| candidate.notes);
        smallest.into_iter().for_each(|candidate| chosen[candidate.piece] = true);
    }
    for (music, &piece) in music.iter_mut().zip(pieces) {
        music.split = if chosen[piece as usize] { Split::Valid } else { Split::Train };
    }
}

/// A piece that may be set apart.
struct Candidate {
    piece: usize,
    notes: usize,
    /// What decides the order in which pieces are chosen: as good as chance, but always the same.
    lot: u64,
}

/// All pieces, in the order of their numbers.
fn candidates(music: &[Music], pieces: &[u32]) -> Vec<Candidate> {
    let mut candidates: Vec<Candidate> = Vec::new();
    for (music, &piece) in music.iter().zip(pieces) {
        let piece = piece as usize;
        if piece == candidates.len() {
            candidates.push(Candidate { piece, notes: 0, lot: u64::MAX });
        }
        candidates[piece].notes += music.packed.note_count();
        candidates[piece].lot = candidates[piece].lot.min(lot(music));
    }
    candidates
}

/// Drawn from how the performance begins.
fn lot(music: &Music) -> u64 {
    let mix = |lot: u64, &phrase: &Phrase| {
        (lot ^ u64::from(phrase)).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29)
    };
    music.phrases.iter().take(100).fold(0, mix)
}
