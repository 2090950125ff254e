//! `cargo xtask bundle`: the plugin as files that hosts load, in target/bundled.

use std::env;

use crate::step::{self, StepError, cargo, project, target};

/// Why there is no bundle.
#[derive(Debug, thiserror::Error)]
pub enum BundleError {
    /// It could not be built.
    #[error(transparent)]
    Step(#[from] StepError),
    /// It could not be put together.
    #[error("bundling failed: {0}")]
    Bundle(String),
}

/// Builds `package` and bundles what it makes under the name that bundler.toml gives it.
pub fn run(package: &str, release: bool) -> Result<(), BundleError> {
    let profile = if release { "--profile=release" } else { "--profile=dev" };
    step::run("Build", &mut cargo(&["build", "--locked", "--package", package, profile]))?;
    let failed = |error: &dyn std::fmt::Display| BundleError::Bundle(error.to_string());
    // The bundler reads bundler.toml from the current folder.
    env::set_current_dir(project()).map_err(|error| failed(&error))?;
    let arguments: &[String] = if release { &["--release".to_owned()] } else { &[] };
    nice_plug_xtask::bundle(&target(), package, arguments, false)
        .map_err(|error| BundleError::Bundle(format!("{error:#}")))
}
