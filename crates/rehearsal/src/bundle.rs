//! Where the built plugin is, and opening it.

use std::path::{Path, PathBuf};

use crate::clap::ClapPlugin;
use crate::plugin::{HostError, Plugin};
use crate::vst3::Vst3Plugin;

/// A kind of plugin that is built.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// Of the CLAP project.
    Clap,
    /// Of Steinberg.
    Vst3,
}

impl Format {
    /// Every kind.
    pub const ALL: [Format; 2] = [Format::Clap, Format::Vst3];

    /// Makes an instance of the plugin that `cargo xtask bundle etude` built last.
    ///
    /// # Errors
    /// If nothing is built, or it is no plugin.
    pub fn open(self) -> Result<Box<dyn Plugin>, HostError> {
        let path = self.path();
        if !path.exists() {
            return Err(HostError::NotBuilt { path });
        }
        Ok(match self {
            Format::Clap => Box::new(ClapPlugin::open(&path)?),
            Format::Vst3 => Box::new(Vst3Plugin::open(&path)?),
        })
    }

    /// The file with the plugin's code.
    fn path(self) -> PathBuf {
        let inner = match self {
            Format::Clap if cfg!(target_os = "macos") => "Etude.clap/Contents/MacOS/Etude".to_owned(),
            Format::Clap => "Etude.clap".to_owned(),
            Format::Vst3 => format!("Etude.vst3/Contents/{}", vst3_binary()),
        };
        bundles().join(inner)
    }
}

/// The folder of everything that is built for users.
pub fn bundles() -> PathBuf {
    let project = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| project.join("target"), PathBuf::from);
    target.join("bundled")
}

fn vst3_binary() -> String {
    if cfg!(target_os = "macos") {
        "MacOS/Etude".to_owned()
    } else if cfg!(windows) {
        format!("{}-win/Etude.vst3", std::env::consts::ARCH)
    } else {
        format!("{}-linux/Etude.so", std::env::consts::ARCH)
    }
}
