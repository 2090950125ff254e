//! Where a run begins: with random weights, at its own last checkpoint, or with what an earlier run learned.

use std::path::{Path, PathBuf};

use etude_pianist::alphabet::Alphabet;
use etude_pianist::kernel::Kernel;
use etude_pianist::model_file::Pianist;
use etude_pianist::network::Layout;
use etude_pianist::time::TimeBase;

use super::checkpoint::{self, Progress};
use super::growth::widened;
use super::{TrainArgs, TrainError};
use crate::corpus::Corpus;
use crate::optimizer::AdamW;
use crate::weights::initial_parameters;

/// Everything that learning goes on from.
pub(super) struct Start {
    pub(super) progress: Progress,
    pub(super) parameters: Vec<f32>,
    pub(super) optimizer: AdamW,
}

/// What a network must be to be gone on with.
type Kind = (Alphabet, TimeBase, usize, usize);

impl Start {
    /// The start that `args` ask for.
    pub(super) fn new(args: &TrainArgs, corpus: &Corpus, kernel: Kernel) -> Result<Start, TrainError> {
        let own = checkpoint_path(args);
        if args.resume && own.exists() {
            let mut start =
                Start::saved(&own, wanted(args, corpus), kernel).map_err(|error| match error {
                    TrainError::Checkpoint(source) if args.output.exists() => {
                        TrainError::Unresumable { pianist: args.output.clone(), source }
                    }
                    other => other,
                })?;
            // A pianist that is gone can't be kept.
            start.progress.best = start.progress.best.filter(|_| args.output.exists());
            return Ok(start);
        }
        match &args.from {
            None => Ok(Start::random(args, corpus, kernel)),
            Some(path) if path.extension().is_some_and(|extension| extension == "safetensors") => {
                Start::pianist(path, wanted(args, corpus), kernel, args.seed)
            }
            Some(path) => {
                let mut start = Start::saved(path, wanted(args, corpus), kernel)?;
                start.progress.earlier_seconds += std::mem::take(&mut start.progress.seconds);
                start.progress.best = None;
                Ok(start)
            }
        }
    }

    fn random(args: &TrainArgs, corpus: &Corpus, kernel: Kernel) -> Start {
        let progress = nothing_learned(wanted(args, corpus));
        let blueprint = progress.alphabet.blueprint(progress.layers, progress.units);
        let optimizer = AdamW::new(&Layout::new(&blueprint), kernel);
        Start { progress, parameters: initial_parameters(&blueprint, args.seed), optimizer }
    }

    fn saved(path: &Path, wanted: Kind, kernel: Kernel) -> Result<Start, TrainError> {
        let saved = checkpoint::read(path)?;
        let Progress { alphabet, time_base, layers, units, updates, .. } = saved.progress;
        let kind = (alphabet, time_base, layers, units);
        if kind != wanted {
            return Err(other_network(path, kind));
        }
        let mut optimizer = AdamW::new(&Layout::new(&alphabet.blueprint(layers, units)), kernel);
        (optimizer.means, optimizer.squares) = (saved.means, saved.squares);
        optimizer.updates = updates;
        Ok(Start { progress: saved.progress, parameters: saved.parameters, optimizer })
    }

    /// A pianist's weights, in a wider network if one is wanted, with an optimiser that has yet to get to know them.
    fn pianist(path: &Path, wanted: Kind, kernel: Kernel, seed: u64) -> Result<Start, TrainError> {
        let pianist = Pianist::read_file(path)?;
        let (alphabet, time_base, layers, units) = wanted;
        let kind = (pianist.alphabet, pianist.time_base, pianist.blueprint.layers, pianist.blueprint.units);
        if kind.3 > units || kind != (alphabet, time_base, layers, kind.3) {
            return Err(other_network(path, kind));
        }
        let training = &pianist.card.training;
        let progress = Progress {
            earlier_seconds: training.minutes * 60.0,
            steps: training.steps,
            notes: training.notes,
            ..nothing_learned(wanted)
        };
        let blueprint = alphabet.blueprint(layers, units);
        let parameters = widened(&pianist.blueprint, &pianist.weights(), &blueprint, seed);
        let optimizer = AdamW::new(&Layout::new(&blueprint), kernel);
        Ok(Start { progress, parameters, optimizer })
    }
}

fn other_network(path: &Path, (alphabet, time_base, layers, hidden): Kind) -> TrainError {
    TrainError::OtherNetwork { path: path.to_owned(), layers, hidden, alphabet, time_base }
}

fn wanted(args: &TrainArgs, corpus: &Corpus) -> Kind {
    (args.alphabet.unwrap_or(corpus.alphabet()), corpus.time_base(), args.layers, args.hidden)
}

fn nothing_learned((alphabet, time_base, layers, units): Kind) -> Progress {
    Progress {
        alphabet,
        time_base,
        layers,
        units,
        seconds: 0.0,
        earlier_seconds: 0.0,
        updates: 0,
        steps: 0,
        notes: 0,
        best: None,
    }
}

/// Where the checkpoints of a run are.
pub(super) fn checkpoint_path(args: &TrainArgs) -> PathBuf {
    args.output.with_extension("checkpoint")
}
