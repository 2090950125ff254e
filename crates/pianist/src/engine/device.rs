//! Which device plays a pianist.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use thiserror::Error;

use super::{CpuEngine, DeviceError, Engine, Precision};
use crate::model_file::Pianist;

/// The device that a user asks for: `auto`, `cpu`, `gpu`, or `gpu:` and a part of an adapter's name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Device {
    /// The fastest for the batch at hand.
    #[default]
    Auto,
    /// The processor.
    Cpu,
    /// A graphics processor: the one whose name contains this, or the best.
    Gpu(Option<String>),
}

impl Device {
    /// An engine on this device for batches of up to `streams` streams; `precision` is that of the processor.
    ///
    /// # Errors
    /// If there is no such device, or it has no room for the pianist.
    pub fn engine(
        &self,
        pianist: &Pianist,
        precision: Precision,
        streams: usize,
    ) -> Result<Arc<dyn Engine>, DeviceError> {
        let _ = streams;
        match self {
            Device::Auto | Device::Cpu => Ok(Arc::new(CpuEngine::new(pianist, precision))),
            Device::Gpu(_) => Err(DeviceError {
                device: self.to_string(),
                reason: "this build can't compute on graphics processors; use `cpu`".to_owned(),
            }),
        }
    }
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
#[error("`{0}` is no device: write `auto`, `cpu`, `gpu`, or `gpu:` and a part of an adapter's name")]
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
        for word in ["auto", "cpu", "gpu", "gpu:Radeon 780M"] {
            assert_eq!(word.parse::<Device>().unwrap().to_string(), word);
        }
        for word in ["", "GPU", "gpu:", "tpu"] {
            assert!(word.parse::<Device>().unwrap_err().to_string().contains("is no device"), "{word}");
        }
    }
}
