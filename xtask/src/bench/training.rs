//! `cargo xtask bench training`: how fast the trainer learns beside PyTorch.

use std::path::Path;
use std::process::Command;

use super::{BenchError, build, median, script, trainer};
use crate::step;

/// The setting: threads, sequences side by side, steps of each.
const THREADS: &str = "2";
const STREAMS: &str = "64";
const WINDOW: &str = "256";
/// Both sides take turns this often, so that a machine that slows down slows both.
const ROUNDS: usize = 3;
/// Measured updates in each turn, after one to warm up.
const UPDATES: &str = "3";

/// One row of the table.
struct Runner {
    name: &'static str,
    precision: &'static str,
    is_ours: bool,
    /// Steps per second of every update.
    speeds: Vec<f64>,
}

/// Measures and prints a table.
pub fn run(python: &Path) -> Result<(), BenchError> {
    build("")?;
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
            runner.measure(python)?;
        }
    }
    print!("{}", table(&runners));
    Ok(())
}

impl Runner {
    fn measure(&mut self, python: &Path) -> Result<(), BenchError> {
        let setting = ["--threads", THREADS, "--streams", STREAMS, "--window", WINDOW, "--updates", UPDATES];
        let mut command = if self.is_ours { trainer(THREADS, "") } else { Command::new(python) };
        command.arg(if self.is_ours { "training".into() } else { script("training.py") });
        command.args(["--precision", self.precision]).args(setting);
        let printed = step::output(self.name, &mut command)?;
        let speeds: Result<Vec<f64>, _> = printed.lines().map(str::parse).collect();
        match speeds {
            Ok(speeds) if !speeds.is_empty() => self.speeds.extend(speeds),
            _ => return Err(BenchError::NoNumbers(self.name.to_owned())),
        }
        Ok(())
    }
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
        let median = median(&runner.speeds);
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
