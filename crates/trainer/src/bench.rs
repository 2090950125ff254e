//! `bench`, hidden: speed of training and of composing, for `cargo xtask bench` to compare with other programs.
//!
//! The counterparts are in `benches/peers`.

mod inference;
mod memory;
mod takes;
mod training;

use etude_pianist::composer::RequestError;
use etude_pianist::engine;
use etude_pianist::model_file::PianistFileError;

use crate::backend;

/// Measure speed on random music.
#[derive(Debug, Clone, clap::Args)]
pub struct BenchArgs {
    #[command(subcommand)]
    benchmark: Benchmark,
}

#[derive(Debug, Clone, clap::Subcommand)]
enum Benchmark {
    Training(training::TrainingArgs),
    Inference(inference::InferenceArgs),
    Takes(takes::TakesArgs),
}

/// Why there is no measurement.
#[derive(Debug, thiserror::Error)]
pub enum BenchError {
    /// The device that trains fails.
    #[error(transparent)]
    Training(#[from] backend::DeviceError),
    /// The device that composes fails.
    #[error(transparent)]
    Engine(#[from] engine::DeviceError),
    /// The pianist can't be read.
    #[error(transparent)]
    Pianist(#[from] PianistFileError),
    /// Takes can't be composed.
    #[error(transparent)]
    Compose(#[from] RequestError),
}

/// Runs the command.
pub fn run(args: &BenchArgs) -> Result<(), BenchError> {
    match &args.benchmark {
        Benchmark::Training(args) => Ok(training::run(args)?),
        Benchmark::Inference(args) => Ok(inference::run(args)?),
        Benchmark::Takes(args) => takes::run(args),
    }
}

/// A hash of what was computed (FNV-1a), so that speed can't change the music unseen.
struct Fingerprint(u64);

impl Fingerprint {
    fn new() -> Fingerprint {
        Fingerprint(0xcbf2_9ce4_8422_2325)
    }

    fn add(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|&byte| self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    }
}
