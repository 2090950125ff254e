//! Which device plays a pianist.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use thiserror::Error;

use super::{CpuEngine, DeviceError, Engine, Precision};
#[cfg(feature = "gpu")]
use super::{Fastest, GpuEngine};
use crate::model_file::Pianist;

/// The device that a user asks for: `auto`, `cpu`, `gpu`, or `gpu:` and an adapter's place in the list of all or a part
/// of its name.
///
/// A seed gives the same take wherever the processor computes in int8. A graphics processor computes a little
/// differently, so its takes can be others: the same each time on one device, and never played by default.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Device {
    /// The fastest for the batch at hand: the processor, or the best graphics processor (not one in software).
    Auto,
    /// The processor.
    #[default]
    Cpu,
    /// A graphics processor: the one that this names, or the best.
    Gpu(Option<String>),
}

impl Device {
    /// An engine on this device; `precision` is that of the processor. A processor's engine touches no graphics driver.
    ///
    /// # Errors
    /// If there is no such device, or it has no room for the pianist.
    pub fn engine(&self, pianist: Pianist, precision: Precision) -> Result<Arc<dyn Engine>, DeviceError> {
        match self {
            Device::Auto => Ok(fastest(pianist, precision)),
            Device::Cpu => Ok(Arc::new(CpuEngine::new(pianist, precision))),
            #[cfg(feature = "gpu")]
            Device::Gpu(adapter) => Ok(Arc::new(GpuEngine::new(pianist, adapter.as_deref(), precision)?)),
            #[cfg(not(feature = "gpu"))]
            Device::Gpu(_) => Err(DeviceError {
                device: self.to_string(),
                reason: "this build can't compute on graphics processors; use `cpu`".to_owned(),
            }),
        }
    }
}

/// The engine that can be fastest. A graphics processor that can't do it is as good as none.
#[cfg(feature = "gpu")]
fn fastest(pianist: Pianist, precision: Precision) -> Arc<dyn Engine> {
    match GpuEngine::beside_cpu(pianist, precision) {
        (cpu, Some(gpu)) => Arc::new(Fastest::new(cpu, Arc::new(gpu))),
        (cpu, None) => cpu,
    }
}

/// The processor's engine: there is no other in this build.
#[cfg(not(feature = "gpu"))]
fn fastest(pianist: Pianist, precision: Precision) -> Arc<dyn Engine> {
    Arc::new(CpuEngine::new(pianist, precision))
}

impl fmt::Display for Device {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Device::Auto => f.write_str("auto"),
            Device::Cpu => f.write_str("cpu"),
            Device::Gpu(None) => f.write_str("gpu"),
            Device::Gpu(Some(adapter)) => write!(f, "gpu:{adapter}"),
        }
    }
}

/// A word that names no [`Device`].
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error(
    "`{0}` is no device: write `auto`, `cpu`, `gpu`, or `gpu:` and a number or a part of an adapter's name"
)]
pub struct DeviceNameError(String);

impl FromStr for Device {
    type Err = DeviceNameError;

    fn from_str(word: &str) -> Result<Device, DeviceNameError> {
        match (word, word.strip_prefix("gpu:")) {
            ("auto", _) => Ok(Device::Auto),
            ("cpu", _) => Ok(Device::Cpu),
            ("gpu", _) => Ok(Device::Gpu(None)),
            (_, Some(adapter)) if !adapter.is_empty() => Ok(Device::Gpu(Some(adapter.to_owned()))),
            _ => Err(DeviceNameError(word.to_owned())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_is_written_as_it_is_read() {
        for word in ["auto", "cpu", "gpu", "gpu:1", "gpu:Radeon 780M"] {
            assert_eq!(word.parse::<Device>().unwrap().to_string(), word);
        }
        for word in ["", "GPU", "gpu:", "tpu"] {
            assert!(word.parse::<Device>().unwrap_err().to_string().contains("is no device"), "{word}");
        }
    }
}
