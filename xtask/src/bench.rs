//! `cargo xtask bench`: how fast the plugin is, and Etude beside other programs, measured in one run.
//!
//! The others, pinned in benches/peers/requirements.txt, are installed in target/peers when they are first
//! needed. All take turns, so that a machine that slows down slows all of them.

mod inference;
mod plugin;
mod training;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::bundle::BundleError;
use crate::step::{self, StepError, cargo, project};

/// What can be measured.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
pub enum Benchmark {
    /// Steps per second of training beside PyTorch's
    Training,
    /// Steps per second of composing beside ONNX Runtime's, PyTorch's and candle's; how long takes take
    Inference,
    /// The built plugin in a host: time per block, until there is music, to come and go; memory
    Plugin,
}

/// Why there is no measurement.
#[derive(Debug, thiserror::Error)]
pub enum BenchError {
    /// A program failed.
    #[error(transparent)]
    Step(#[from] StepError),
    /// There is no plugin.
    #[error(transparent)]
    Bundle(#[from] BundleError),
    /// A program printed something else than numbers.
    #[error("{0} printed no steps per second")]
    NoNumbers(String),
    /// A file can't be read or written.
    #[error("can't use {}: {source}", path.display())]
    File {
        /// Which file.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
}

/// Runs a benchmark.
pub fn run(benchmark: Benchmark) -> Result<(), BenchError> {
    let peers = || install_peers(&project().join("target/peers"));
    match benchmark {
        Benchmark::Training => training::run(&peers()?),
        Benchmark::Inference => inference::run(&peers()?),
        Benchmark::Plugin => plugin::run(),
    }
}

/// The trainer's `bench`, built with `features`, on `threads` threads.
fn trainer(threads: &str, features: &str) -> Command {
    let mut command = cargo(&["run", "--release", "--locked", "--quiet", "--package", "etude-trainer"]);
    command.args(["--features", features, "--", "bench"]).env("RAYON_NUM_THREADS", threads);
    command
}

/// Builds what [`trainer`] runs.
fn build(features: &str) -> Result<(), StepError> {
    let mut command = cargo(&["build", "--release", "--locked", "--package", "etude-trainer"]);
    step::run("Build", command.args(["--features", features]))
}

/// The script of a peer.
fn script(name: &str) -> PathBuf {
    project().join("benches/peers").join(name)
}

fn median(values: &[f64]) -> f64 {
    let mut values = values.to_vec();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

/// Makes a virtual environment with the pinned packages, unless there is one already; gives its Python.
fn install_peers(folder: &Path) -> Result<PathBuf, BenchError> {
    let requirements = project().join("benches/peers/requirements.txt");
    let installed = folder.join("installed.txt");
    let programs = folder.join(if cfg!(windows) { "Scripts" } else { "bin" });
    let python = programs.join(if cfg!(windows) { "python.exe" } else { "python" });
    let read =
        |path: &Path| fs::read(path).map_err(|source| BenchError::File { path: path.to_owned(), source });
    let wanted = read(&requirements)?;
    if fs::read(&installed).is_ok_and(|installed| installed == wanted) {
        return Ok(python);
    }
    let base = if cfg!(windows) { "python" } else { "python3" };
    step::run("Virtual environment", Command::new(base).args(["-m", "venv", "--clear"]).arg(folder))?;
    let mut pip = Command::new(&python);
    pip.args(["-m", "pip", "install", "--quiet", "--no-deps", "--requirement"]).arg(&requirements);
    step::run("Peers", &mut pip)?;
    fs::write(&installed, wanted).map_err(|source| BenchError::File { path: installed, source })?;
    Ok(python)
}
