//! Setting pieces apart for validation.

use super::reading::Music;
use crate::corpus::Split;

/// The part of all notes that is set apart, at most: enough to measure by, little enough not to be missed.
const VALID: f64 = 0.05;

/// Marks whole pieces for validation, about one note in twenty, or one piece if there are few. Which ones depends
/// on what they sound like, not on names or order. A single piece stays in training.
pub fn split(music: &mut [Music], pieces: &[u32]) {
    let mut candidates = candidates(music, pieces);
    let total: usize = candidates.iter().map(|candidate| candidate.notes).sum();
    candidates.sort_by_key(|candidate| (candidate.lot, candidate.piece));
    let mut room = (total as f64 * VALID) as usize;
    let mut chosen = vec![false; candidates.len()];
    for candidate in &candidates {
        if candidate.notes <= room {
            room -= candidate.notes;
            chosen[candidate.piece] = true;
        }
    }
    if !chosen.contains(&true) && candidates.len() > 1 {
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

fn candidates(music: &[Music], pieces: &[u32]) -> Vec<Candidate> {
    let mut candidates: Vec<Candidate> = Vec::new();
    for (music, &piece) in music.iter().zip(pieces) {
        let piece = piece as usize;
        if piece == candidates.len() {
            candidates.push(Candidate { piece, notes: 0, lot: u64::MAX });
        }
        candidates[piece].notes += music.notes;
        candidates[piece].lot = candidates[piece].lot.min(music.fingerprint);
    }
    candidates
}
