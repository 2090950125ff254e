//! Plays the built plugin without a DAW.

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::{Parser, Subcommand};
use etude_pianist::composer::Take;
use etude_pianist::midi;
use etude_pianist::time::TimeSignature;
use etude_rehearsal::bundle::Format;
use etude_rehearsal::chance::session;
use etude_rehearsal::measure;
use etude_rehearsal::music::{Music, compare};
use etude_rehearsal::plugin::{Plugin, Setup};
use etude_rehearsal::recording::check_endings;
use etude_rehearsal::standalone;
use etude_trainer::picture::piano_roll;

/// Quarter notes in a bar of a new project.
const BAR: u32 = 4;

/// Plays the plugin that `cargo xtask bundle etude` built, without a DAW.
#[derive(Parser)]
#[command(arg_required_else_help = true)]
struct Cli {
    /// Which of the built plugins
    #[arg(long, global = true, default_value = "vst3")]
    format: Format,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Bounce the first bars of a new project, as a clip and its picture
    Play {
        /// How many bars
        #[arg(long, default_value_t = 16)]
        bars: u32,
        /// Quarter notes per minute
        #[arg(long, default_value_t = 120.0)]
        tempo: f64,
        /// Where to put the MIDI file
        #[arg(long)]
        output: PathBuf,
        /// Where to put its picture, a PNG file
        #[arg(long)]
        picture: Option<PathBuf>,
    },
    /// Play transports by chance, and check every note
    Soak {
        /// How long
        #[arg(long, default_value_t = 1)]
        minutes: u64,
        /// The first transport; each further one has the next number
        #[arg(long, default_value_t = 1)]
        seed: u64,
    },
    /// Photograph the window of the standalone program, on a screen in memory
    Window {
        /// Where to put the picture, a PNG file
        #[arg(long)]
        output: PathBuf,
    },
    /// Measure how fast and how big it is; prints lines of a name, a colon and a number with its unit
    Measure,
}

fn main() -> ExitCode {
    let Cli { format, command } = Cli::parse();
    let result = match command {
        Command::Play { bars, tempo, output, picture } => play(format, bars, tempo, output, picture),
        Command::Soak { minutes, seed } => soak(format, Duration::from_secs(60 * minutes), seed),
        Command::Window { output } => window(&output),
        Command::Measure => measure(format),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn play(
    format: Format,
    bars: u32,
    tempo: f64,
    output: PathBuf,
    picture: Option<PathBuf>,
) -> Result<(), Box<dyn Error>> {
    let mut plugin = format.open()?;
    plugin.type_in("Bars", &bars.to_string())?;
    let music = Music::listen(&mut *plugin, BAR * bars, tempo)?;
    let quarters = f64::from(BAR * bars);
    let time_signature = TimeSignature::COMMON;
    let take = Take { seed: 0, tempo, time_signature, quarters, performance: music.performance() };
    write(&output, &midi::write(&take.clip("Etude")))?;
    if let Some(picture) = picture {
        write(&picture, &piano_roll(&take, "Etude"))?;
    }
    println!("Wrote {}: {bars} bars, {} notes", output.display(), music.notes());
    Ok(())
}

fn measure(format: Format) -> Result<(), Box<dyn Error>> {
    for (name, value) in measure::all(format)? {
        println!("{name}: {value}");
    }
    Ok(())
}

fn write(path: &PathBuf, bytes: &[u8]) -> Result<(), String> {
    fs::write(path, bytes).map_err(|error| format!("can't write {}: {error}", path.display()))
}

fn soak(format: Format, time: Duration, first: u64) -> Result<(), Box<dyn Error>> {
    let started = Instant::now();
    let mut plugin = format.open()?;
    // Else each soak has another take, and no transport plays again as it was.
    plugin.type_in("Seed", "1")?;
    let music = Music::listen(&mut *plugin, 8 * BAR, 60.0)?;
    for seed in first.. {
        check(&mut *plugin, &music, seed)
            .map_err(|error| format!("{error}; --seed {seed} plays this again"))?;
        if started.elapsed() >= time {
            println!("Played transports {first} to {seed}; every note was right.");
            return Ok(());
        }
    }
    Ok(())
}

fn window(output: &Path) -> Result<(), Box<dyn Error>> {
    standalone::photograph(output)?;
    println!("Wrote {}: the window", output.display());
    Ok(())
}

/// Plays a minute of a transport.
fn check(plugin: &mut dyn Plugin, music: &Music, seed: u64) -> Result<(), Box<dyn Error>> {
    let (script, sizes) = session(seed, 60.0);
    let longest_block = sizes.iter().copied().max().unwrap_or(1);
    let setup = Setup { sample_rate: script.sample_rate, longest_block, offline: false };
    let events = plugin.perform(&setup, &script.blocks(&sizes))?;
    check_endings(&events)?;
    Ok(compare(&music.expected(&script), &events)?)
}
