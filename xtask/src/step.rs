//! Running other programs, one step after another.

use std::env;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};
use std::time::Instant;

/// Why a step failed.
#[derive(Debug, thiserror::Error)]
pub enum StepError {
    /// Its program can't be started.
    #[error("{headline}: can't start `{program}`: {source}")]
    NotStarted {
        /// The step.
        headline: String,
        /// The program.
        program: String,
        /// What the operating system said.
        source: io::Error,
    },
    /// Its program failed, and has said why.
    #[error("{headline} failed: `{command}` ended with {status}")]
    Failed {
        /// The step.
        headline: String,
        /// The program with its arguments.
        command: String,
        /// How it ended.
        status: ExitStatus,
    },
}

/// Runs a program under a headline, lets it print, and says how long it took.
pub fn run(headline: &str, command: &mut Command) -> Result<(), StepError> {
    println!("\n== {headline}: {}", line(command));
    let started = Instant::now();
    let status = command.status().map_err(|source| not_started(headline, command, source))?;
    if !status.success() {
        return Err(failed(headline, command, status));
    }
    println!("== {headline}: passed in {:.0} s", started.elapsed().as_secs_f64());
    Ok(())
}

/// Runs a program and returns what it printed; what it says on standard error is shown only if it fails.
pub fn output(headline: &str, command: &mut Command) -> Result<String, StepError> {
    let output = command.output().map_err(|source| not_started(headline, command, source))?;
    if !output.status.success() {
        eprint!("{}", String::from_utf8_lossy(&output.stderr));
        return Err(failed(headline, command, output.status));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

fn not_started(headline: &str, command: &Command, source: io::Error) -> StepError {
    let program = command.get_program().to_string_lossy().into_owned();
    StepError::NotStarted { headline: headline.to_owned(), program, source }
}

fn failed(headline: &str, command: &Command, status: ExitStatus) -> StepError {
    StepError::Failed { headline: headline.to_owned(), command: line(command), status }
}

/// The cargo that runs us, in the project's folder; it builds to [`target`].
pub fn cargo(arguments: &[&str]) -> Command {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(arguments).current_dir(project()).env("CARGO_TARGET_DIR", target());
    command
}

/// Where cargo builds to, whatever the user's own configuration says: what was built is looked for there.
pub fn target() -> PathBuf {
    env::var_os("CARGO_TARGET_DIR").map_or_else(|| project().join("target"), PathBuf::from)
}

/// The folder of the whole project.
pub fn project() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask is a folder of the project").to_owned()
}

/// A command as one would type it.
fn line(command: &Command) -> String {
    let program = Path::new(command.get_program()).file_name().unwrap_or_default();
    let words = std::iter::once(program).chain(command.get_args());
    words.map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Stdio;

    #[test]
    fn a_step_that_succeeds_passes() {
        run("Version", cargo(&["--version"]).stdout(Stdio::null())).expect("cargo knows its version");
    }

    #[test]
    fn a_step_that_fails_says_which_command_it_was() {
        let mut nonsense = cargo(&["no-such-command"]);
        let error = run("Nonsense", nonsense.stderr(Stdio::null())).expect_err("there is no such command");
        assert!(
            error.to_string().starts_with("Nonsense failed: `cargo no-such-command` ended with"),
            "{error}"
        );
    }

    #[test]
    fn a_missing_program_is_named() {
        let error = run("Nothing", &mut Command::new("no-such-program")).expect_err("it does not exist");
        assert!(error.to_string().contains("can't start `no-such-program`"), "{error}");
    }
}
