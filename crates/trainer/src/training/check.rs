//! What is asked before anything is done: whether the arguments make sense, and whether a run would destroy something.

use etude_pianist::atomic;
use etude_pianist::model_file::{LARGEST_MIB, MAX_LAYERS, MAX_UNITS};
use etude_pianist::network::Layout;

use super::start::checkpoint_path;
use super::{TrainArgs, TrainError};
use crate::corpus::Corpus;

/// Room for what a pianist's file says before its values, in MiB.
const HEADER_MIB: u64 = 1;
/// Bytes of a value in a pianist's file.
const VALUE: u64 = 2;
/// The endings of the files that a run writes, all named after its pianist.
const WRITTEN: [&str; 5] = ["safetensors", "checkpoint", "csv", "png", "md"];

/// Checks what can be checked without the corpus.
pub(super) fn arguments(args: &TrainArgs) -> Result<(), TrainError> {
    ranges(args)?;
    if args.output.extension().is_none_or(|ending| ending != "safetensors") {
        return Err(TrainError::Name(args.output.clone()));
    }
    if WRITTEN.iter().any(|ending| atomic::is_same(&args.output.with_extension(ending), &args.corpus)) {
        return Err(TrainError::OverCorpus(args.corpus.clone()));
    }
    earlier_run(args)
}

/// Checks that the pianist will be one that can be read.
pub(super) fn size(args: &TrainArgs, corpus: &Corpus) -> Result<(), TrainError> {
    let alphabet = args.alphabet.unwrap_or(corpus.alphabet());
    let values = Layout::new(&alphabet.blueprint(args.layers, args.hidden)).len() as u64;
    let mebibytes = (values * VALUE).div_ceil(1 << 20) + HEADER_MIB;
    let (layers, hidden) = (args.layers, args.hidden);
    if mebibytes > LARGEST_MIB { Err(TrainError::TooLarge { layers, hidden, mebibytes }) } else { Ok(()) }
}

fn ranges(args: &TrainArgs) -> Result<(), TrainError> {
    let rules = [
        ((1..=MAX_LAYERS).contains(&args.layers), "layers", "1 to 8"),
        ((1..=MAX_UNITS).contains(&args.hidden), "hidden", "1 to 4096"),
        (args.minutes > 0.0 && args.minutes.is_finite(), "minutes", "more than 0"),
        ((0.0..=0.9).contains(&args.dropout), "dropout", "0 to 0.9"),
        ((1e-6..=1.0).contains(&args.learning_rate), "learning-rate", "0.000001 to 1"),
        ((1..=4096).contains(&args.streams), "streams", "1 to 4096"),
        ((1..=4096).contains(&args.window), "window", "1 to 4096"),
        (args.threads != Some(0), "threads", "at least 1"),
    ];
    match rules.into_iter().find(|rule| !rule.0) {
        Some((_, argument, expected)) => Err(TrainError::Argument { argument, expected }),
        None => Ok(()),
    }
}

/// Hours of training are not to be lost by a command that is typed twice. Where nothing is there yet, --resume begins,
/// so that one command can be started again and again until it is done.
fn earlier_run(args: &TrainArgs) -> Result<(), TrainError> {
    let (pianist, checkpoint) = (args.output.clone(), checkpoint_path(args));
    match (pianist.exists(), checkpoint.exists()) {
        (false, false) => Ok(()),
        (_, true) if args.resume => Ok(()),
        (true, false) => Err(TrainError::NotResumable(pianist)),
        (false, true) => Err(TrainError::Resumable(vec![checkpoint])),
        (true, true) => Err(TrainError::Resumable(vec![pianist, checkpoint])),
    }
}
