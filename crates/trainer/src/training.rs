//! `train`: from a corpus to a pianist.

pub mod augmentation;
mod check;
pub mod checkpoint;
mod curve;
mod draft;
mod growth;
mod run;
mod schedule;
mod start;

use std::path::PathBuf;

use etude_pianist::alphabet::Alphabet;
use etude_pianist::kernel::Precision;
use etude_pianist::model_file::{LARGEST_MIB, PianistFileError};
use etude_pianist::time::TimeBase;

use crate::args;
use crate::backend::{Device, DeviceError};
use crate::card::CardError;
use crate::corpus::CorpusError;

pub use run::run;

use augmentation::Pedals;
use checkpoint::CheckpointError;

/// Train a pianist on a corpus.
///
/// Runs for the given number of minutes, and slows its learning down towards the end of them, so choose the time
/// first: a long run that is stopped halfway is worth less than a run of half the length. Every few minutes it
/// measures the loss on validation pieces, writes a checkpoint, and writes the pianist if it is the best so far. Ctrl-C
/// saves and stops, and --resume goes on, also after a crash.
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = "\
Example:
  etude-trainer train --corpus ragtime.corpus --layers 2 --hidden 256 --minutes 30 --output ragtime.safetensors

How large? A small network (1 x 256) learns fast and suits small collections; a larger one needs hours and some
hundred performances before it is better. Beside the pianist you get NAME.csv and NAME.png, the loss over time, and
NAME.md, a draft of its model card to complete. Lower is better; when `valid` rises while `train` falls, the network
learns by heart: the best so far is kept, so stop, make it smaller, or add --dropout 0.2.")]
pub struct TrainArgs {
    /// The corpus, made by `etude-trainer prepare`
    #[arg(long, value_name = "FILE")]
    pub corpus: PathBuf,
    /// LSTM layers
    #[arg(long, value_name = "N", default_value_t = 2)]
    pub layers: usize,
    /// Units in each layer
    #[arg(long, value_name = "N", default_value_t = 256)]
    pub hidden: usize,
    /// How long to train, in minutes of learning; with --resume, counted from the first start, so give more to go on
    #[arg(long, value_name = "M", default_value_t = 60.0)]
    pub minutes: f64,
    /// The pianist to write
    #[arg(long, value_name = "FILE")]
    pub output: PathBuf,
    /// Go on from the last checkpoint of --output, or begin if nothing is there yet
    #[arg(long)]
    pub resume: bool,
    /// Begin with the weights of this pianist, which may have fewer units, or with this checkpoint of the same size: to
    /// train it further or on other music
    #[arg(long, value_name = "FILE", conflicts_with = "resume")]
    pub from: Option<PathBuf>,
    /// How to spell the sustain pedal: as steps of its own, in note lengths, or either at random
    #[arg(long, value_enum, default_value_t = Pedals::Both)]
    pub pedal: Pedals,
    /// Another alphabet than the corpus names
    #[arg(long, value_name = "notes|events")]
    pub alphabet: Option<Alphabet>,
    /// Share of values dropped between layers
    #[arg(long, value_name = "0..0.9", default_value_t = 0.0)]
    pub dropout: f32,
    /// Peak learning rate
    #[arg(long, value_name = "RATE", default_value_t = 0.002)]
    pub learning_rate: f32,
    /// Sequences side by side in one update; few make many small updates, which pays in runs of minutes or hours
    #[arg(long, value_name = "N", default_value_t = 32)]
    pub streams: usize,
    /// Steps of each sequence in one update
    #[arg(long, value_name = "N", default_value_t = 48)]
    pub window: usize,
    /// Threads; all of the machine's if not given
    #[arg(long, value_name = "N")]
    pub threads: Option<usize>,
    /// Where to train; a GPU needs a program built with `--features cuda` or `--features metal`
    #[arg(long, value_enum, default_value_t = Device::Cpu)]
    pub device: Device,
    /// How exact products are: bf16 is twice as fast where the processor has it
    #[arg(long, value_parser = args::precision, default_value = "bf16")]
    pub precision: Precision,
    /// Seed of the first weights and the order of the music
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub seed: u64,
}

/// Why training can't begin or go on.
#[derive(Debug, thiserror::Error)]
pub enum TrainError {
    /// An argument is out of range.
    #[error("--{argument} must be {expected}")]
    Argument {
        /// Which.
        argument: &'static str,
        /// What it may be.
        expected: &'static str,
    },
    /// The pianist would have a name by which nothing finds it.
    #[error("--output {} must end in .safetensors, as the names of pianists do", .0.display())]
    Name(PathBuf),
    /// The run would write over the music that it learns from.
    #[error("--corpus {} is a file that --output would overwrite; choose another --output", .0.display())]
    OverCorpus(PathBuf),
    /// An earlier run can be gone on with, and would be lost.
    #[error(
        "{} there from an earlier run: add --resume to go on with it, choose another --output, or delete what is there",
        named(.0)
    )]
    Resumable(Vec<PathBuf>),
    /// An earlier run's pianist would be lost, and can't be gone on with for want of a checkpoint.
    #[error(
        "{} is there without its checkpoint, so --resume can't go on with it: train it further with `--from {} --output \
         OTHER.safetensors`, choose another --output, or delete it",
        .0.display(),
        .0.display()
    )]
    NotResumable(PathBuf),
    /// The run's own checkpoint can't be gone on with, but the pianist can.
    #[error(
        "{source}; train the pianist further with `--from {} --output OTHER.safetensors`, or delete both to begin anew",
        pianist.display()
    )]
    Unresumable {
        /// The pianist beside the checkpoint.
        pianist: PathBuf,
        /// What is wrong with the checkpoint.
        source: CheckpointError,
    },
    /// Nothing could read the pianist.
    #[error(
        "{layers} x {hidden} would make a pianist of {mebibytes} MiB, and none of more than {LARGEST_MIB} can be read; \
         choose fewer --layers or a smaller --hidden"
    )]
    TooLarge {
        /// LSTM layers.
        layers: usize,
        /// Units of each.
        hidden: usize,
        /// The size of its file.
        mebibytes: u64,
    },
    /// The system gives no threads.
    #[error("can't start the threads; choose fewer --threads")]
    Threads(#[from] rayon::ThreadPoolBuildError),
    /// The device can't train.
    #[error(transparent)]
    Device(#[from] DeviceError),
    /// The corpus can't be read.
    #[error(transparent)]
    Corpus(#[from] CorpusError),
    /// The corpus has nothing to train on.
    #[error("{} has no performance to train on; prepare more files", .0.display())]
    Empty(PathBuf),
    /// A checkpoint can't be read or written.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// The checkpoint is of another network or alphabet than was asked for.
    #[error(
        "{} is of another network: it has --layers {layers} and --hidden {hidden}, and learned `{alphabet}` in {time_base}; \
         ask for the same",
        path.display()
    )]
    OtherNetwork {
        /// Which file.
        path: PathBuf,
        /// Its LSTM layers.
        layers: usize,
        /// Units of each.
        hidden: usize,
        /// How it spells music.
        alphabet: Alphabet,
        /// What it counts time in.
        time_base: TimeBase,
    },
    /// The pianist can't be written.
    #[error(transparent)]
    Pianist(#[from] PianistFileError),
    /// The model card can't be written.
    #[error(transparent)]
    Card(#[from] CardError),
    /// The loss curve can't be written.
    #[error("can't write {}", path.display())]
    Report {
        /// Which file.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
}

/// Files that are there, for the beginning of a sentence.
fn named(files: &[PathBuf]) -> String {
    let names: Vec<_> = files.iter().map(|file| file.display().to_string()).collect();
    format!("{} {}", names.join(" and "), if names.len() == 1 { "is" } else { "are" })
}
