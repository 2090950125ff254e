//! What `evaluate` tells.

use std::fmt;

use etude_pianist::alphabet::{Alphabet, Pedal};
use etude_pianist::model_file::Pianist;
use etude_pianist::time::TimeBase;
use serde::{Serialize, Serializer};

use super::comparison::{Comparison, Pair, STRETCH_BARS, Spread, TAKE_STRETCHES};
use super::copies::Copies;
use super::{EvaluateArgs, named};
use crate::loss::Loss;
use crate::prepare::Skipped;
use crate::say;

/// Everything that was measured; as JSON one object, whose keys are the fields and those of [`Comparison`].
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// Path of the pianist.
    pub model: String,
    /// How it spells performances.
    pub alphabet: Alphabet,
    /// What it counts time in.
    pub time_base: TimeBase,
    /// How the pedal was spelled.
    pub pedal: Pedal,
    /// How many performances were measured.
    pub files: usize,
    /// Files that were left out, and why.
    #[serde(serialize_with = "skipped_in_words")]
    pub skipped: Vec<Skipped>,
    /// Notes in them, quantised.
    pub notes: usize,
    /// How long they are: in seconds the quantised performances from the first note to the last event, in beats the
    /// recordings (`None` for a corpus, which doesn't know).
    pub seconds: Option<f64>,
    /// Steps that spell them.
    pub steps: usize,
    /// Cross-entropy of all choices, per step.
    pub nats_per_step: f64,
    /// The same per note.
    pub nats_per_note: f64,
    /// The same per second.
    pub nats_per_second: Option<f64>,
    /// What each attribute adds to `nats_per_note`.
    #[serde(serialize_with = "attributes_as_map")]
    pub loss_by_attribute: Vec<Attribute>,
    /// How takes compare with the music; `None` if none were composed.
    #[serde(flatten)]
    pub comparison: Option<Comparison>,
    /// What takes and human music have in common with the training corpus; `None` without one.
    pub longest_copied_passage: Option<Copies>,
}

/// The loss of one attribute: a head, or the coarse and the fine head of a time together.
#[derive(Debug, Clone, PartialEq)]
pub struct Attribute {
    /// What it is.
    pub name: String,
    /// Its nats, summed over the choices and divided by the notes.
    pub nats_per_note: f64,
}

impl Report {
    /// A report on the loss alone.
    pub(super) fn new(
        args: &EvaluateArgs,
        pianist: &Pianist,
        files: usize,
        loss: &Loss,
        seconds: Option<f64>,
        skipped: Vec<Skipped>,
    ) -> Report {
        let nats: f64 = loss.nats.iter().sum();
        Report {
            model: args.model.display().to_string(),
            alphabet: pianist.alphabet,
            time_base: pianist.time_base,
            pedal: args.pedal,
            files,
            skipped,
            notes: loss.notes,
            seconds,
            steps: loss.steps,
            nats_per_step: nats / loss.steps as f64,
            nats_per_note: nats / loss.notes as f64,
            nats_per_second: seconds.map(|seconds| nats / seconds),
            loss_by_attribute: loss
                .by_attribute(&pianist.blueprint.heads)
                .into_iter()
                .map(attribute)
                .collect(),
            comparison: None,
            longest_copied_passage: None,
        }
    }

    /// What times are in.
    fn unit(&self) -> &'static str {
        match self.time_base {
            TimeBase::Seconds => "second",
            TimeBase::Beats => "quarter note",
        }
    }
}

fn attribute((name, nats_per_note): (String, f64)) -> Attribute {
    Attribute { name, nats_per_note }
}

fn attributes_as_map<S: Serializer>(attributes: &[Attribute], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(attributes.iter().map(|attribute| (&attribute.name, attribute.nats_per_note)))
}

fn skipped_in_words<S: Serializer>(skipped: &[Skipped], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(skipped.iter().map(|skipped| format!("{}: {}", skipped.name, skipped.detail)))
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let Report { model, steps, skipped, .. } = self;
        writeln!(f, "{model} (alphabet {}, time base {})", self.alphabet, self.time_base)?;
        if !skipped.is_empty() {
            writeln!(f, "Left out {}:{}", skipped.len(), named(skipped))?;
        }
        let (files, notes) = (say::count(self.files, "file"), say::count(self.notes, "note"));
        write!(f, "Measured on {files}, {notes}, {steps} steps")?;
        self.seconds.map_or(Ok(()), |seconds| write!(f, ", {seconds:.0} seconds"))?;
        write!(f, "\nLoss in nats: {:.4} per step, {:.4} per note", self.nats_per_step, self.nats_per_note)?;
        self.nats_per_second.map_or(Ok(()), |nats| write!(f, ", {nats:.3} per second"))?;
        write!(f, "\nOf those per note:")?;
        for (i, Attribute { name, nats_per_note }) in self.loss_by_attribute.iter().enumerate() {
            write!(f, "{} {name} {nats_per_note:.4}", if i > 0 { "," } else { "" })?;
        }
        if let Some(comparison) = &self.comparison {
            self.write_comparison(f, comparison)?;
        }
        if let Some(copied) = &self.longest_copied_passage {
            copied.write(f, self.unit())?;
        }
        Ok(())
    }
}

impl Report {
    fn write_comparison(&self, f: &mut fmt::Formatter, comparison: &Comparison) -> fmt::Result {
        let (stretches, unit) = (comparison.stretches, self.unit());
        writeln!(
            f,
            "\n\n{} takes of {} bars beside the music, in stretches of {STRETCH_BARS} bars:",
            stretches.generated / TAKE_STRETCHES,
            STRETCH_BARS * TAKE_STRETCHES
        )?;
        writeln!(f, "{:28}{:>24}{:>24}", "", "composed", "played (98 in 100)")?;
        write_spread(f, "pitch-class entropy", &comparison.pitch_class_entropy)?;
        write_spread(f, "scale consistency", &comparison.scale_consistency)?;
        write_spread(f, "polyphony", &comparison.polyphony)?;
        write_spread(f, &format!("notes per {unit}"), &comparison.note_density)?;
        write_spread(f, &format!("longest rest ({unit}s)"), &comparison.longest_rest)?;
        let longest = comparison.longest_note;
        writeln!(
            f,
            "{:28}{:>24.2}{:>24.2}",
            format!("longest note ({unit}s)"),
            longest.generated,
            longest.human
        )?;
        if let Some(returning) = comparison.returning_bars {
            writeln!(f, "{:28}{:>24.2}{:>24.2}", "bars that return", returning.generated, returning.human)?;
        }
        writeln!(
            f,
            "{} of {} composed stretches are outside the human range of entropy or density.",
            comparison.stretches_outside_human_range, stretches.generated
        )?;
        write!(
            f,
            "Distributions overlap by {:.3} (velocities) and {:.3} (times between onsets).",
            comparison.velocity_overlap, comparison.inter_onset_overlap
        )
    }
}

fn write_spread(f: &mut fmt::Formatter, name: &str, pair: &Pair<Option<Spread>>) -> fmt::Result {
    let text = |spread: Option<Spread>| match spread {
        Some(Spread { mean, low, high }) => format!("{mean:.2} ({low:.2} to {high:.2})"),
        None => "too short".to_owned(),
    };
    writeln!(f, "{name:28}{:>24}{:>24}", text(pair.generated), text(pair.human))
}
