//! `evaluate`: how well a pianist knows music that it never heard, and what its own is like.

mod comparison;
mod copies;
mod loss;
mod music;
mod played;
mod report;
mod takes;

use std::path::PathBuf;

use clap::ArgGroup;
use etude_pianist::alphabet::Pedal;
use etude_pianist::composer::{MAX_TAKES, RequestError};
use etude_pianist::engine::Precision;
use etude_pianist::model_file::{Pianist, PianistFileError};
use etude_pianist::time::TimeBase;

pub use self::comparison::{Comparison, Pair, Spread};
pub use self::copies::{Copied, Copies};
pub use self::report::{Attribute, Report};
use crate::args;
use crate::corpus::CorpusError;
use crate::prepare::{PrepareError, Skipped};
use crate::say;

/// Measure a pianist on music that it never heard.
///
/// Tells how many nats (1.44 bits) each step, note and second of the music costs the pianist: how surprised it is by
/// what comes next, on average. Then it composes a few takes, compares them with the music in numbers, and looks for
/// the longest passage that they have in common with the training corpus.
#[derive(Debug, Clone, clap::Args)]
#[command(group(ArgGroup::new("music").args(["data", "corpus"]).required(true)))]
#[command(after_help = "\
Example:
  etude-trainer evaluate --model ragtime.safetensors --corpus ragtime.corpus

Every piece is heard from beginning to end. Of the inputs that steer a pianist only the spelling of the pedal is on and,
for a pianist in beats, the metre. Losses of different pianists compare in nats per note (or per second) with the same
music and the same --pedal.")]
pub struct EvaluateArgs {
    /// The pianist
    #[arg(long, value_name = "FILE")]
    pub model: PathBuf,
    /// Folders of MIDI files to measure on
    #[arg(long, value_name = "DIR", num_args = 1..)]
    pub data: Vec<PathBuf>,
    /// Measure on the validation pieces of this corpus instead
    #[arg(long, value_name = "FILE")]
    pub corpus: Option<PathBuf>,
    /// Whether the pedal has steps of its own (keep) or lengthens the notes (fold)
    #[arg(long, default_value = "keep", value_parser = args::pedal())]
    pub pedal: Pedal,
    /// Measure the loss with weights in f32 (as trained), bf16 or int8 (as it composes)
    #[arg(long, value_name = "f32|bf16|int8", default_value_t = Precision::F32)]
    pub precision: Precision,
    /// How many takes of 64 bars to compose and compare, at most 64; 0 for none
    #[arg(long, value_name = "TAKES", default_value_t = 8)]
    pub compare: usize,
    /// The corpus that the pianist was trained on, to look for copied passages in [default: --corpus]
    #[arg(long, value_name = "FILE")]
    pub training_corpus: Option<PathBuf>,
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
}

/// Why a pianist can't be measured.
#[derive(Debug, thiserror::Error)]
pub enum EvaluateError {
    /// The pianist can't be read.
    #[error(transparent)]
    Model(#[from] PianistFileError),
    /// The folders can't be searched.
    #[error(transparent)]
    Files(#[from] PrepareError),
    /// A corpus can't be read.
    #[error(transparent)]
    Corpus(#[from] CorpusError),
    /// The corpus counts time in another unit than the pianist.
    #[error(
        "{} counts time in other units than the pianist, which needs {needed}; prepare one with --time-base {needed}",
        path.display()
    )]
    TimeBase {
        /// Which corpus.
        path: PathBuf,
        /// What the pianist counts time in.
        needed: TimeBase,
    },
    /// Takes can't be composed.
    #[error(transparent)]
    Compose(#[from] RequestError),
    /// The report can't be printed.
    #[error("the report can't be written; free some space where it goes")]
    Unwritable(#[source] std::io::Error),
    /// There is no music to measure on.
    #[error("there is no music to measure on: give another --data or --corpus{}", named(.0))]
    Nothing(Vec<Skipped>),
}

/// Runs the command: evaluates and prints the report.
pub fn run(args: &EvaluateArgs) -> Result<(), EvaluateError> {
    let report = evaluate(args)?;
    let printed = if args.json {
        say::result(serde_json::to_string_pretty(&report).expect("a report is plain data"))
    } else {
        say::result(report)
    };
    printed.map_err(EvaluateError::Unwritable)
}

/// Measures the pianist. The same files give the same report on machines with as many processors.
pub fn evaluate(args: &EvaluateArgs) -> Result<Report, EvaluateError> {
    // Asked before the music is heard, which can take an hour.
    if args.compare > MAX_TAKES {
        return Err(RequestError::TooManyTakes(args.compare).into());
    }
    let pianist = Pianist::read_file(&args.model)?;
    let training = args.training_corpus.as_ref().or(args.corpus.as_ref()).filter(|_| args.compare > 0);
    let training = training.map(|path| music::open(path, pianist.time_base)).transpose()?;
    let (pieces, skipped) = music::read(args, pianist.time_base)?;
    if pieces.is_empty() {
        return Err(EvaluateError::Nothing(skipped));
    }
    let loss = loss::measure(&pianist, args.precision, &pieces, args.pedal);
    let human = music::spelled(&pieces, args.pedal, pianist.time_base);
    let seconds = music::seconds(&pieces, &human, pianist.time_base);
    let mut report = Report::new(args, &pianist, pieces.len(), &loss, seconds, skipped);
    if args.compare > 0 {
        let takes = takes::compose(&pianist, args.pedal, args.compare)?;
        report.comparison = Some(Comparison::new(&takes, &human, pianist.time_base));
        let excerpts = takes::excerpts(&human, pianist.time_base, args.compare);
        report.longest_copied_passage = training.map(|training| Copies::new(&takes, excerpts, &training));
    }
    Ok(report)
}

/// What was left out and why, to end a message with.
fn named(skipped: &[Skipped]) -> String {
    skipped.iter().map(|skipped| format!("\n  {}: {}", skipped.name, skipped.detail)).collect()
}
