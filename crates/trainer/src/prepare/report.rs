//! What `prepare` tells at its end.

use std::collections::BTreeSet;
use std::fmt;

use etude_pianist::time::TimeBase;

use super::reading::{Reason, Skipped};
use crate::corpus::{Draft, Split};
use crate::say;

/// What was prepared and what was left out.
#[derive(Debug, Clone)]
pub struct Report {
    found: usize,
    time_base: TimeBase,
    /// Whether the user named folders to validate on.
    valid_named: bool,
    skipped: Vec<Skipped>,
    train: Count,
    valid: Count,
    /// Pieces that are in both splits, by the user's choice of folders.
    in_both: usize,
}

/// How much a split holds.
#[derive(Debug, Clone, Default)]
struct Count {
    performances: usize,
    pieces: BTreeSet<u32>,
    notes: usize,
    /// In seconds or quarter notes.
    duration: f64,
}

impl Report {
    /// A report on `found` files, of which nothing is known yet.
    pub(super) fn new(found: usize, time_base: TimeBase, valid_named: bool) -> Report {
        Report {
            found,
            time_base,
            valid_named,
            skipped: Vec::new(),
            train: Count::default(),
            valid: Count::default(),
            in_both: 0,
        }
    }

    pub(super) fn skip(&mut self, skipped: Vec<Skipped>) {
        self.skipped.extend(skipped);
    }

    pub(super) fn count(&mut self, drafts: &[Draft]) {
        for draft in drafts {
            let count = match draft.split {
                Split::Train => &mut self.train,
                Split::Valid => &mut self.valid,
            };
            count.performances += 1;
            count.pieces.insert(draft.piece);
            count.notes += draft.packed.note_count();
            count.duration += draft.packed.duration();
        }
        self.in_both = self.train.pieces.intersection(&self.valid.pieces).count();
    }

    /// Files that were found and left out, with the reason for each.
    pub fn skipped(&self) -> &[Skipped] {
        &self.skipped
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        writeln!(f, "Found {}.", say::count(self.found, "MIDI file"))?;
        self.write_skipped(f)?;
        self.write_count(f, "Train", &self.train)?;
        self.write_count(f, "Valid", &self.valid)?;
        // Only a single piece is left whole; where --valid has nothing, there is no corpus.
        if self.train.pieces.len() == 1 && self.valid.performances == 0 && !self.valid_named {
            writeln!(
                f,
                "All of it is one piece, so nothing is left to validate on: use --valid, or add other pieces."
            )?;
        }
        if self.in_both > 0 {
            writeln!(
                f,
                "{} {} in both, so the loss on --valid will look better than it is on unknown music.",
                say::count(self.in_both, "piece"),
                if self.in_both == 1 { "is" } else { "are" }
            )?;
        }
        Ok(())
    }
}

impl Report {
    fn write_skipped(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let reasons: BTreeSet<Reason> = self.skipped.iter().map(|skipped| skipped.reason).collect();
        for reason in reasons {
            let skipped: Vec<_> = self.skipped.iter().filter(|skipped| skipped.reason == reason).collect();
            writeln!(f, "Left out {}: {reason}", skipped.len())?;
            for Skipped { name, detail, .. } in skipped {
                writeln!(f, "  {name}: {detail}")?;
            }
        }
        Ok(())
    }

    fn write_count(&self, f: &mut fmt::Formatter, name: &str, count: &Count) -> fmt::Result {
        let duration = match self.time_base {
            TimeBase::Seconds => format!("{:.1} hours", count.duration / 3600.0),
            TimeBase::Beats => format!("{:.0} quarter notes", count.duration),
        };
        let performances = say::count(count.performances, "performance");
        let pieces = say::count(count.pieces.len(), "piece");
        let notes = say::count(count.notes, "note");
        writeln!(f, "{name}: {performances} of {pieces}, {notes}, {duration}")
    }
}
