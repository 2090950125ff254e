//! The packages of Debian and Ubuntu that the project needs: one list, installed when something on it is missing.

use std::env;
use std::io::{self, IsTerminal};
use std::process::Command;

use crate::step::{self, StepError};

/// To build: audio and MIDI of the standalone program. All that draws is loaded at run time.
const BUILD: [&str; 3] = ["pkg-config", "libasound2-dev", "libjack-jackd2-dev"];

/// To open the editor without a screen: an X server in memory, and what draws on it without a graphics card.
const SCREEN: [&str; 5] = ["xvfb", "libgl1-mesa-dri", "libx11-xcb1", "libxcursor1", "libxkbcommon-x11-0"];

/// To compose as on a graphics card, without one.
const GRAPHICS: [&str; 1] = ["mesa-vulkan-drivers"];

/// A whole DAW, which the tests use where there is one.
const DAW: [&str; 1] = ["ardour"];

/// Why packages are missing.
#[derive(Debug, thiserror::Error)]
pub enum PackageError {
    /// They can't be installed.
    #[error("{source}; install them yourself: `sudo apt-get install {packages}`")]
    NotInstalled {
        /// Which ones, with spaces between them.
        packages: String,
        /// What went wrong.
        source: StepError,
    },
}

/// Installs what the plugin and its host need to be built.
pub fn for_build() -> Result<(), PackageError> {
    install(&BUILD)
}

/// Installs what the demo needs.
pub fn for_demo() -> Result<(), PackageError> {
    install(&[&BUILD[..], &SCREEN].concat())
}

/// Installs what the tests need; on a build server (`CI` is set) a DAW too.
pub fn for_tests() -> Result<(), PackageError> {
    let daw = if env::var_os("CI").is_some() { &DAW[..] } else { &[] };
    install(&[&BUILD[..], &SCREEN, &GRAPHICS, daw].concat())
}

fn install(packages: &[&str]) -> Result<(), PackageError> {
    if !cfg!(target_os = "linux") {
        return Ok(());
    }
    let Ok(list) =
        Command::new("dpkg-query").args(["--show", "--showformat=${Package} ${Status}\n"]).output()
    else {
        println!("This is not Debian or Ubuntu. If something is missing, install what corresponds to:");
        println!("  {}", packages.join(" "));
        return Ok(());
    };
    let missing = missing(packages, &String::from_utf8_lossy(&list.stdout));
    if missing.is_empty() {
        return Ok(());
    }
    let apt = |headline: &str, arguments: &[&str]| step::run(headline, as_root("apt-get").args(arguments));
    let installed = apt("Package lists", &["update", "--quiet"]).and_then(|()| {
        let options = ["install", "--yes", "--quiet", "--no-install-recommends"];
        apt("Packages", &[&options[..], &missing].concat())
    });
    installed.map_err(|source| PackageError::NotInstalled { packages: missing.join(" "), source })
}

/// A program that is run as root; where nobody can type a password, it does without one or fails.
fn as_root(program: &str) -> Command {
    let root = Command::new("id").arg("--user").output().is_ok_and(|user| user.stdout.trim_ascii() == b"0");
    if root {
        let mut command = Command::new(program);
        command.env("DEBIAN_FRONTEND", "noninteractive");
        return command;
    }
    let mut command = Command::new("sudo");
    if !io::stdin().is_terminal() {
        command.arg("--non-interactive");
    }
    command.args(["DEBIAN_FRONTEND=noninteractive", program]);
    command
}

/// Which packages are not installed, given what dpkg knows: lines of a name and a status.
fn missing<'a>(packages: &[&'a str], known: &str) -> Vec<&'a str> {
    let installed: Vec<&str> =
        known.lines().filter_map(|line| line.strip_suffix(" install ok installed")).collect();
    packages.iter().filter(|package| !installed.contains(package)).copied().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packages_that_are_unknown_or_removed_are_missing() {
        let known = "xvfb install ok installed\nardour deinstall ok config-files\n";
        assert_eq!(missing(&["xvfb", "ardour", "pkg-config"], known), ["ardour", "pkg-config"]);
    }
}
