//! What takes have in common with the training corpus, and human music beside them.

mod automaton;
mod search;

use std::fmt;

use etude_pianist::note::{Note, Performance};
use serde::Serialize;

use crate::corpus::Corpus;
use search::{Passage, longest_copy};

/// The longest passages that are also in the training corpus.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Copies {
    /// Of the takes.
    pub generated: Option<Copied>,
    /// Of the beginnings of human pieces, each as long as a take.
    pub human: Option<Copied>,
    /// How many of these there were: as many as takes, or as there are pieces that long.
    pub human_excerpts: usize,
}

/// A passage that is also in the training corpus, in any transposition, rhythm and dynamics. Scales and repeated
/// notes count as well, so that human music of other pieces has some too.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Copied {
    /// How many notes.
    pub notes: usize,
    /// Name of the training performance.
    pub source: String,
    /// Where it begins there, in seconds or quarter notes.
    pub source_onset: f64,
    /// Index of the take or excerpt.
    pub clip: usize,
    /// Where it begins there.
    pub clip_onset: f64,
    /// Half steps up from the training performance.
    pub transposition: i32,
}

impl Copies {
    /// Looks for takes and human excerpts in the training performances of `corpus`.
    pub(super) fn new(takes: &[Performance<f64>], excerpts: Vec<&[Note<f64>]>, corpus: &Corpus) -> Copies {
        let takes = takes.iter().map(|take| take.notes.as_slice());
        Copies {
            generated: longest_copy(takes, corpus).map(Copied::from),
            human_excerpts: excerpts.len(),
            human: longest_copy(excerpts, corpus).map(Copied::from),
        }
    }

    /// Writes them as lines of a report, each after a line break; times are in `unit`s.
    pub(super) fn write(&self, f: &mut fmt::Formatter, unit: &str) -> fmt::Result {
        write_longest(f, "the takes", "take", self.generated.as_ref(), unit)?;
        match self.human_excerpts {
            0 => write!(f, "\nNo human piece is as long as a take, so there is none to compare that with."),
            _ => write_longest(f, "as much human music", "piece", self.human.as_ref(), unit),
        }
    }
}

fn write_longest(
    f: &mut fmt::Formatter,
    clips: &str,
    clip: &str,
    copied: Option<&Copied>,
    unit: &str,
) -> fmt::Result {
    let Some(Copied { notes, source, source_onset, clip: index, clip_onset, transposition }) = copied else {
        return write!(f, "\nNo passage of {clips} is in the training corpus.");
    };
    write!(
        f,
        "\nLongest passage of {clips} that is in the training corpus: {notes} notes ({clip} {} from {unit} \
         {clip_onset:.1}; {source} from {unit} {source_onset:.1}, {transposition:+} half steps).",
        index + 1
    )
}

impl From<Passage> for Copied {
    fn from(Passage { source, found }: Passage) -> Copied {
        Copied {
            notes: found.notes,
            source,
            source_onset: found.source_onset,
            clip: found.clip,
            clip_onset: found.clip_onset,
            transposition: found.transposition,
        }
    }
}
