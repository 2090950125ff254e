//! Project commands: `cargo xtask demo` and the others.

mod bench;
mod bundle;
mod demo;
mod install;
mod packages;
mod step;
mod test;

use std::error::Error;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::bench::Benchmark;

/// Project commands.
#[derive(Parser)]
#[command(bin_name = "cargo xtask", arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Build the plugin as VST3, CLAP and standalone program, in target/bundled
    Bundle {
        /// The package
        #[arg(default_value = "etude")]
        package: String,
        /// With all optimisations: what to install
        #[arg(long)]
        release: bool,
    },
    /// Let every pianist under models/ compose 16 bars, as a clip and a picture in demo/
    Demo,
    /// Build the plugin and copy it to where this user's DAWs look
    Install,
    /// Measure speed: training and composing beside other programs, or the plugin in a host
    Bench {
        /// What to measure
        benchmark: Benchmark,
    },
    /// Check format, lints and documentation, and run all tests
    Test,
}

fn main() -> ExitCode {
    match run(Cli::parse().command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> Result<(), Box<dyn Error>> {
    match command {
        Command::Bench { benchmark } => {
            packages::for_build()?;
            bench::run(benchmark)?;
        }
        Command::Bundle { package, release } => {
            packages::for_build()?;
            bundle::run(&package, release)?;
        }
        Command::Install => {
            packages::for_build()?;
            install::run()?;
        }
        Command::Demo => {
            packages::for_demo()?;
            demo::run()?;
        }
        Command::Test => {
            packages::for_tests()?;
            bundle::run("etude", false)?;
            test::run()?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_project_command_in_the_readme_exists() {
        let commands =
            include_str!("../../README.md").lines().filter_map(|line| line.strip_prefix("cargo xtask "));
        let mut found = 0;
        for command in commands {
            let words = ["cargo xtask"].into_iter().chain(command.split_whitespace());
            assert!(Cli::try_parse_from(words).is_ok(), "there is no `cargo xtask {command}`");
            found += 1;
        }
        assert!(found >= 2, "README.md teaches `demo` and `test`");
    }
}
