//! `cargo xtask test`: everything that must hold before a change is merged.

use crate::step::{self, StepError, cargo};

/// Checks one thing after another; stops at the first that fails.
pub fn run() -> Result<(), StepError> {
    step::run("Format", &mut cargo(&["fmt", "--all", "--check"]))?;
    // Tests switch the trainer's candle path on, so all targets together see that path only.
    let lints = ["clippy", "--workspace", "--locked", "--all-targets", "--", "-D", "warnings"];
    step::run("Lints", &mut cargo(&lints))?;
    let lints = ["clippy", "--workspace", "--locked", "--", "-D", "warnings"];
    step::run("Lints as shipped", &mut cargo(&lints))?;
    let pages = ["doc", "--workspace", "--locked", "--no-deps", "--features", "etude-trainer/candle"];
    step::run("Documentation", cargo(&pages).env("RUSTDOCFLAGS", "-D warnings"))?;
    step::run("Tests", &mut cargo(&["test", "--workspace", "--locked"]))?;
    println!("\nAll is well.");
    Ok(())
}
