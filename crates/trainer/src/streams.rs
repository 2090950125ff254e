//! Passages side by side, cut into windows.

use etude_pianist::network::Blueprint;

use crate::batch::Batch;
use crate::passage::Passage;

/// Passages side by side, one per stream of a batch.
pub struct Streams {
    slots: Vec<Option<Passage>>,
}

impl Streams {
    /// `count` streams, all waiting for a passage.
    pub fn new(count: usize) -> Streams {
        Streams { slots: (0..count).map(|_| None).collect() }
    }

    /// The passages that are being read, to change their conditions between windows.
    pub fn passages(&mut self) -> impl Iterator<Item = &mut Passage> {
        self.slots.iter_mut().flatten()
    }

    /// Gives every stream whose passage has ended the next one, while there is one. Returns whether any is being read.
    pub fn refill(&mut self, batch: &mut Batch, mut next: impl FnMut() -> Option<Passage>) -> bool {
        for (slot, fresh) in self.slots.iter_mut().zip(&mut batch.fresh) {
            *fresh = slot.as_ref().is_none_or(|passage| passage.remaining() == 0);
            if *fresh {
                *slot = next();
            }
        }
        self.slots.iter().any(Option::is_some)
    }

    /// Fills `batch` with the next window of every stream. Returns how many notes are struck in it.
    pub fn read(&mut self, blueprint: &Blueprint, batch: &mut Batch) -> usize {
        batch.clear();
        let mut notes = 0;
        for _ in 0..batch.steps {
            for slot in &mut self.slots {
                match slot {
                    Some(passage) => notes += usize::from(passage.write(blueprint, batch)),
                    None => batch.add(blueprint, None),
                }
            }
        }
        notes
    }
}
