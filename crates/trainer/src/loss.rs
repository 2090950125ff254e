//! What a network lost on some music.

use std::iter::Sum;

use etude_pianist::network::Head;

use crate::forward::Nats;

/// Nats by head, and the music that they were lost on.
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
