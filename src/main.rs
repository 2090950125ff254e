//! The standalone program.

use std::process::ExitCode;

fn main() -> ExitCode {
    if nice_plug::prelude::nice_export_standalone::<etude::Etude>() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
