//! `card`: completes a pianist's model card, in its file and on the page beside it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use clap::ArgGroup;
use etude_pianist::atomic;
use etude_pianist::card::Validation;
use etude_pianist::model_file::{Pianist, PianistFileError};
use etude_pianist::network::{Blueprint, Head};
use serde::Deserialize;

use crate::say;

/// Complete the model card of a pianist.
///
/// Says in the pianist's file, and on the page NAME.md beside it, what only you know: where its music comes from and
/// who may use it. What is not given stays as it is, and so do the weights.
#[derive(Debug, Clone, clap::Args)]
#[command(group(
    ArgGroup::new("said").args(["data", "licence", "split", "notes", "evaluation"]).required(true).multiple(true)
))]
#[command(after_help = "\
Example:
  etude-trainer evaluate --model mine.safetensors --corpus mine.corpus --json > mine.json
  etude-trainer card --model mine.safetensors --data \"My own improvisations, 2019 to 2026\" --licence \"CC BY 4.0\" \\
    --evaluation mine.json")]
pub struct CardArgs {
    /// The pianist
    #[arg(long, value_name = "FILE")]
    pub model: PathBuf,
    /// What it was trained on, and where that comes from
    #[arg(long, value_name = "TEXT")]
    pub data: Option<String>,
    /// Who may use the data, and so the pianist, for what
    #[arg(long, value_name = "TEXT")]
    pub licence: Option<String>,
    /// How the validation pieces were set aside
    #[arg(long, value_name = "TEXT")]
    pub split: Option<String>,
    /// Anything else worth knowing
    #[arg(long, value_name = "TEXT")]
    pub notes: Option<String>,
    /// What `evaluate --json` printed about it
    #[arg(long, value_name = "FILE")]
    pub evaluation: Option<PathBuf>,
}

/// Why a card can't be completed.
#[derive(Debug, thiserror::Error)]
pub enum CardError {
    /// The pianist can't be read or written.
    #[error(transparent)]
    Pianist(#[from] PianistFileError),
    /// The evaluation can't be read.
    #[error("can't read the evaluation {}", path.display())]
    Unreadable {
        /// Which file.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// The evaluation is not what `evaluate --json` prints.
    #[error("{} is no evaluation; make it with `etude-trainer evaluate --json`", path.display())]
    NoEvaluation {
        /// Which file.
        path: PathBuf,
        /// What is wrong with it.
        source: serde_json::Error,
    },
    /// The page can't be written.
    #[error("can't write {}", path.display())]
    Unwritable {
        /// Which file.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
}

/// The parts of `evaluate --json` that a card keeps.
#[derive(Deserialize)]
struct Evaluation {
    nats_per_step: f64,
    nats_per_note: f64,
    loss_by_attribute: BTreeMap<String, f64>,
    longest_copied_passage: Option<Copies>,
}

#[derive(Deserialize)]
struct Copies {
    generated: Option<Passage>,
    human: Option<Passage>,
    /// 0 where no human music was long enough to be looked for, and in evaluations of earlier days.
    #[serde(default)]
    human_excerpts: usize,
}

#[derive(Deserialize)]
struct Passage {
    notes: usize,
}

/// Runs the command.
pub fn run(args: &CardArgs) -> Result<(), CardError> {
    let mut pianist = Pianist::read_file(&args.model)?;
    let card = &mut pianist.card;
    let texts = [
        (&mut card.data, &args.data),
        (&mut card.licence, &args.licence),
        (&mut card.split, &args.split),
        (&mut card.notes, &args.notes),
    ];
    for (text, given) in texts {
        if let Some(given) = given {
            text.clone_from(given);
        }
    }
    if let Some(path) = &args.evaluation {
        let evaluation = read_evaluation(path)?;
        card.validation = Some(Validation {
            nats_per_step: evaluation.nats_per_step,
            nats_per_note: evaluation.nats_per_note,
            attributes: in_order(&pianist.blueprint, &evaluation.loss_by_attribute),
        });
        if let Some(copies) = evaluation.longest_copied_passage {
            card.copied = Some(copies.in_words());
        }
    }
    pianist.write_file(&args.model)?;
    let page = write_page(&pianist, &args.model)?;
    say::progress(format_args!("Completed {} and {}", args.model.display(), page.display()));
    Ok(())
}

/// Writes the card of the pianist at `model` as a page beside it, and returns the page's path.
pub fn write_page(pianist: &Pianist, model: &Path) -> Result<PathBuf, CardError> {
    let invalid = |source| PianistFileError::Invalid { path: model.to_owned(), source };
    let text = pianist.card_page().map_err(invalid)?;
    let path = model.with_extension("md");
    atomic::write(&path, text.as_bytes())
        .map_err(|source| CardError::Unwritable { path: path.clone(), source })?;
    Ok(path)
}

/// Attributes in the order in which they are chosen.
fn in_order(blueprint: &Blueprint, losses: &BTreeMap<String, f64>) -> Vec<(String, f64)> {
    let loss = |head: &Head| losses.get(head.name).map(|loss| (head.name.to_owned(), *loss));
    blueprint.heads.iter().filter_map(loss).collect()
}

fn read_evaluation(path: &Path) -> Result<Evaluation, CardError> {
    let text = std::fs::read_to_string(path)
        .map_err(|source| CardError::Unreadable { path: path.to_owned(), source })?;
    serde_json::from_str(&text).map_err(|source| CardError::NoEvaluation { path: path.to_owned(), source })
}

impl Copies {
    fn in_words(&self) -> String {
        let notes = |passage: &Option<Passage>| passage.as_ref().map_or(0, |passage| passage.notes);
        let own = format!(
            "the longest passage of its takes that is also in the training data, in any key and rhythm, has {} notes",
            notes(&self.generated)
        );
        if self.human.is_none() && self.human_excerpts == 0 {
            return own;
        }
        format!("{own}; as much unknown human music has one of {}", notes(&self.human))
    }
}
