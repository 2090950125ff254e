//! `cargo xtask bench inference`: how fast a pianist plays beside other programs, and how long takes take.
//!
//! The speeds are those of a network of Performance RNN's size on one thread. Each program does the same at a step:
//! embed a symbol, run three LSTM layers of 512 units and a hidden layer, draw the next symbol from a softmax of 388.

use std::path::Path;
use std::process::Command;

use super::{BenchError, build, median, script, trainer};
use crate::step::{self, project};

const THREADS: &str = "1";
/// All take turns this often.
const ROUNDS: usize = 5;
/// Measured in each turn, after one to warm up.
const TURNS: &str = "3";
/// Sequences side by side, and how many steps of each in a turn.
const BATCHES: [(usize, &str); 2] = [(1, "1000"), (16, "200")];
/// The same for a graphics processor.
const GPU_BATCHES: [(usize, &str); 3] = [(1, "200"), (16, "100"), (64, "50")];
const FEATURES: &str = "candle";

/// A row of the table: one program, precision and batch.
struct Player {
    name: &'static str,
    /// The trainer's arguments, or those of the script.
    arguments: &'static [&'static str],
    is_ours: bool,
    /// Steps per second of every turn.
    speeds: Vec<f64>,
    /// Share of what memory would allow.
    share: Option<f64>,
    /// What computed, of ours.
    device: Option<String>,
    output: Option<String>,
}

/// Measures and prints tables.
pub fn run(python: &Path) -> Result<(), BenchError> {
    build(FEATURES)?;
    for (streams, steps) in BATCHES {
        let mut players = players();
        for round in 1..=ROUNDS {
            println!("Batch of {streams}, round {round} of {ROUNDS}");
            for player in &mut players {
                player.measure(python, streams, steps)?;
            }
        }
        print!("{}", table(&players, streams));
    }
    println!(
        "Memory's limit is the speed at which all weights could be read once for each step. More than that is possible\n\
         because every other step multiplies a layer's past twice in a row, the second time with weights from the cache.\n"
    );
    graphics_processor()?;
    takes()
}

fn player(name: &'static str, arguments: &'static [&'static str], is_ours: bool) -> Player {
    Player { name, arguments, is_ours, speeds: Vec::new(), share: None, device: None, output: None }
}

fn players() -> Vec<Player> {
    vec![
        player("PyTorch `lstm_cell`, f32", &["--peer", "torch", "--precision", "f32"], false),
        player("candle, f32", &["--device", "cpu", "--precision", "f32", "--candle"], true),
        player("ONNX Runtime, f32", &["--peer", "onnx", "--precision", "f32"], false),
        player("ONNX Runtime, dynamic int8", &["--peer", "onnx", "--precision", "int8"], false),
        player("Etude, f32", &["--device", "cpu", "--precision", "f32"], true),
        player("Etude, bf16", &["--device", "cpu", "--precision", "bf16"], true),
        player("Etude, int8", &["--device", "cpu", "--precision", "int8"], true),
    ]
}

impl Player {
    fn measure(&mut self, python: &Path, streams: usize, steps: &str) -> Result<(), BenchError> {
        let mut command = if self.is_ours { trainer(THREADS, FEATURES) } else { Command::new(python) };
        command.arg(if self.is_ours { "inference".into() } else { script("inference.py") });
        command.args(self.arguments).args([
            "--steps",
            steps,
            "--turns",
            TURNS,
            "--streams",
            &streams.to_string(),
        ]);
        let printed = step::output(self.name, &mut command)?;
        let before = self.speeds.len();
        for line in printed.lines() {
            match line.split_once(' ') {
                Some(("share", share)) => self.share = share.parse().ok(),
                Some(("device", device)) => self.device = Some(device.to_owned()),
                Some(("output", hash)) => self.output = Some(hash.to_owned()),
                _ => self.speeds.extend(line.parse::<f64>()),
            }
        }
        if self.speeds.len() == before {
            return Err(BenchError::NoNumbers(self.name.to_owned()));
        }
        Ok(())
    }
}

/// The medians, and each of ours as a multiple of the others.
fn table(players: &[Player], streams: usize) -> String {
    let peers = players.iter().filter(|player| !player.name.starts_with("Etude"));
    let peers: Vec<f64> = peers.map(|player| median(&player.speeds)).collect();
    let mut table = format!(
        "\n3 x 512 units, 388 symbols, batch of {streams}, {THREADS} thread, median of {} turns\n\n\
         | | steps/s | x PyTorch | x candle | x ONNX f32 | x ONNX int8 | of memory's limit | output |\n\
         | --- | ---: | ---: | ---: | ---: | ---: | ---: | --- |\n",
        players.first().map_or(0, |player| player.speeds.len())
    );
    for player in players {
        let speed = median(&player.speeds);
        let ratios: String = peers.iter().map(|peer| format!(" {:.2} |", speed / peer)).collect();
        let share = player.share.map(|share| format!("{:.0} %", 100.0 * share)).unwrap_or_default();
        let output = player.output.as_deref().unwrap_or_default();
        table.push_str(&format!("| {} | {speed:.0} |{ratios} {share} | {output} |\n", player.name));
    }
    table + "\n"
}

/// Prints the speed of the graphics processor, if there is one, each batch in one go.
fn graphics_processor() -> Result<(), BenchError> {
    for (streams, steps) in GPU_BATCHES {
        let mut player =
            player("Etude, graphics processor", &["--device", "gpu", "--precision", "int8"], true);
        match player.measure(Path::new(""), streams, steps) {
            Err(BenchError::NoNumbers(_)) => return Ok(()),
            measured => measured?,
        }
        let Player { speeds, device, output, .. } = player;
        let (device, output) = (device.unwrap_or_default(), output.unwrap_or_default());
        if streams == GPU_BATCHES[0].0 {
            println!("The same network on {device}\n\n| batch | steps/s | output |\n| ---: | ---: | --- |");
        }
        println!("| {streams} | {:.0} | {output} |", median(&speeds));
    }
    println!();
    Ok(())
}

/// What `bench takes` prints, by its names there.
const TIMES: [(&str, &str); 10] = [
    ("load", "load, ms"),
    ("weights", "weights, MiB"),
    ("peak", "memory while loading, x weights"),
    ("held", "afterwards, x weights"),
    ("first-note", "first note, ms"),
    ("take", "8 bars, ms"),
    ("notes/s", "notes/s"),
    ("takes", "16 x 8 bars, ms"),
    ("many-notes/s", "notes/s"),
    ("output", "output"),
];

/// Lets the shipped pianists compose in each precision.
fn takes() -> Result<(), BenchError> {
    let names: String = TIMES.iter().map(|(_, title)| format!(" {title} |")).collect();
    println!(
        "Takes of 8 bars at 120, {THREADS} thread\n\n| |{names}\n| --- |{}",
        " ---: |".repeat(TIMES.len())
    );
    for pianist in ["concert", "songbook"] {
        for precision in ["f32", "bf16", "int8"] {
            let mut command = trainer(THREADS, FEATURES);
            command.args(["takes", "--device", "cpu", "--precision", precision, "--model"]);
            command.arg(project().join("models").join(pianist).with_extension("safetensors"));
            let printed = step::output(pianist, &mut command)?;
            let value =
                |name: &str| printed.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
            let cell = |name: &str| {
                let value = value(name).unwrap_or_default();
                // A hash may look like a number.
                let number: Option<f64> = value.parse().ok().filter(|_| name != "output");
                number.map_or(format!(" {value} |"), |number| format!(" {number:.1} |"))
            };
            let cells: String = TIMES.iter().map(|(name, _)| cell(name)).collect();
            println!("| {pianist}, {precision} |{cells}");
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_compares_each_with_every_peer() {
        let mut players = players();
        let speeds = [100.0, 200.0, 400.0, 500.0, 600.0, 800.0, 1000.0];
        players.iter_mut().zip(speeds).for_each(|(player, speed)| player.speeds = vec![1.0, speed, 9999.0]);
        players[6].share = Some(0.876);
        let table = table(&players, 1);
        assert!(table.contains("| Etude, int8 | 1000 | 10.00 | 5.00 | 2.50 | 2.00 | 88 % |  |\n"), "{table}");
    }
}
