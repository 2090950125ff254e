//! The command line of the offline trainer.

mod memory;

use std::error::Error;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use etude_pianist::kernel::request_tiles;
use etude_trainer::bench::{self, BenchArgs};
use etude_trainer::card::{self, CardArgs};
use etude_trainer::evaluation::{self, EvaluateArgs};
use etude_trainer::generate::{self, GenerateArgs};
use etude_trainer::prepare::{self, PrepareArgs};
use etude_trainer::say;
use etude_trainer::training::{self, TrainArgs};
use memory::LargePages;

#[global_allocator]
static MEMORY: LargePages = LargePages;

/// Makes a pianist from a folder of MIDI files.
#[derive(Parser)]
#[command(version, arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Prepare(PrepareArgs),
    Train(TrainArgs),
    Evaluate(EvaluateArgs),
    Generate(GenerateArgs),
    #[command(hide = true)]
    Bench(BenchArgs),
    Card(CardArgs),
}

fn main() -> ExitCode {
    request_tiles();
    let result: Result<(), Box<dyn Error>> = match Cli::parse().command {
        Command::Prepare(args) => prepare::run(&args).map_err(Into::into),
        Command::Train(args) => training::run(&args).map_err(Into::into),
        Command::Evaluate(args) => evaluation::run(&args).map_err(Into::into),
        Command::Generate(args) => generate::run(&args).map_err(Into::into),
        Command::Bench(args) => bench::run(&args).map_err(Into::into),
        Command::Card(args) => card::run(&args).map_err(Into::into),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            print_with_causes(error.as_ref());
            ExitCode::FAILURE
        }
    }
}

fn print_with_causes(error: &dyn Error) {
    let mut said = error.to_string();
    say::aside(format_args!("error: {said}"));
    let mut cause = error.source();
    while let Some(error) = cause {
        let text = error.to_string();
        // Some errors quote their cause, because a window that shows them has one line only.
        if !said.contains(&text) {
            say::aside(format_args!("  because: {text}"));
        }
        said = text;
        cause = error.source();
    }
}
