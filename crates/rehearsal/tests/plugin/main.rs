//! The built plugin in the test host. They need `cargo xtask bundle etude`, which `cargo xtask test` does first.

mod common;
mod instances;
mod knobs;
mod state;
mod transport;
mod window;
