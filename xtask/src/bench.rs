//! `cargo xtask bench training`: how fast the trainer learns beside PyTorch, measured in one run.
//!
//! PyTorch, pinned in benches/peers/requirements.txt, is installed in target/peers at the first run.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::step::{self, StepError, cargo, project};

/// The setting: threads, sequences side by side, steps of each.
const THREADS: &str = "2";
const STREAMS: &str = "64";
const WINDOW: &str = "256";
/// Both sides take turns this often, so that a machine that slows down slows both.
const ROUNDS: usize = 3;
/// Measured updates in each turn, after one to warm up.
const UPDATES: &str = "3";

/// What can be measured.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
pub enum Benchmark {
    /// Steps per second of training beside PyTorch's
    Training,
}

/// Why there is no measurement.
#[derive(Debug, thiserror::Error)]
pub enum BenchError {
    /// A program failed.
    #[error(transparent)]
    Step(#[from] StepError),
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

/// One row of the table.
struct Runner {
    name: &'static str,
    precision: &'static str,
    is_ours: bool,
    /// Steps per second of every update.
    speeds: Vec<f64>,
}

/// Runs a benchmark.
pub fn run(benchmark: Benchmark) -> Result<(), BenchError> {
    match benchmark {
        Benchmark::Training => training(),
    }
}

fn training() -> Result<(), BenchError> {
    let python = install_peers(&project().join("target/peers"))?;
    step::run("Build", &mut cargo(&["build", "--release", "--locked", "--package", "etude-trainer"]))?;
    let runner = |name, precision, is_ours| Runner { name, precision, is_ours, speeds: Vec::new() };
    let mut runners = [
        runner("PyTorch, f32", "f32", false),
        runner("Etude, f32", "f32", true),
        runner("PyTorch, bf16 autocast", "bf16", false),
        runner("Etude, bf16", "bf16", true),
    ];
    for round in 1..=ROUNDS {
        for runner in &mut runners {
            println!("Round {round} of {ROUNDS}: {}", runner.name);
            runner.measure(&python)?;
        }
    }
    print!("{}", table(&runners));
    Ok(())
}

impl Runner {
    fn measure(&mut self, python: &Path) -> Result<(), BenchError> {
        let setting = ["--threads", THREADS, "--streams", STREAMS, "--window", WINDOW, "--updates", UPDATES];
        let mut command = if self.is_ours { trainer() } else { Command::new(python) };
        command.arg(if self.is_ours { "bench".into() } else { project().join("benches/peers/training.py") });
        command.args(["--precision", self.precision]).args(setting);
        let printed = step::output(self.name, &mut command)?;
        let speeds: Result<Vec<f64>, _> = printed.lines().map(str::parse).collect();
        match speeds {
            Ok(speeds) if !speeds.is_empty() => self.speeds.extend(speeds),
            _ => return Err(BenchError::NoNumbers(self.name.to_owned())),
        }
        Ok(())
    }

    fn median(&self) -> f64 {
        let mut speeds = self.speeds.clone();
        speeds.sort_by(f64::total_cmp);
        speeds.get(speeds.len() / 2).copied().unwrap_or(f64::NAN)
    }
}

fn trainer() -> Command {
    let mut command = cargo(&["run", "--release", "--locked", "--quiet", "--package", "etude-trainer", "--"]);
    command.env("RAYON_NUM_THREADS", THREADS);
    command
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
    step::run("PyTorch", &mut pip)?;
    fs::write(&installed, wanted).map_err(|source| BenchError::File { path: installed, source })?;
    Ok(python)
}

/// The medians, each of ours compared with the peer before it.
fn table(runners: &[Runner]) -> String {
    let mut table = format!(
        "\nTraining 3 x 512, {STREAMS} x {WINDOW} steps per update, {THREADS} threads, median of {} updates\n\n\
         | | steps/s | against PyTorch |\n| --- | ---: | ---: |\n",
        runners.first().map_or(0, |runner| runner.speeds.len())
    );
    let mut peer = f64::NAN;
    for runner in runners {
        let median = runner.median();
        let ratio = if runner.is_ours { format!("{:.2} x", median / peer) } else { String::new() };
        table.push_str(&format!("| {} | {median:.0} | {ratio} |\n", runner.name));
        if !runner.is_ours {
            peer = median;
        }
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_compares_medians_with_the_peer_before() {
        let runner = |name, is_ours, speeds: &[f64]| Runner {
            name,
            precision: "f32",
            is_ours,
            speeds: speeds.to_vec(),
        };
        let table =
            table(&[runner("PyTorch", false, &[1.0, 100.0, 90.0]), runner("Etude", true, &[135.0; 3])]);
        assert!(table.contains("| PyTorch | 90 |  |\n| Etude | 135 | 1.50 x |\n"), "{table}");
    }
}
