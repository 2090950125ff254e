//! Everything that a training run needs to go on: parameters, the optimiser's state, and how far it has come.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use etude_pianist::alphabet::Alphabet;
use etude_pianist::atomic;
use etude_pianist::network::Layout;
use etude_pianist::time::TimeBase;
use safetensors::tensor::{Dtype, SafeTensors, TensorView};
use serde::{Deserialize, Serialize};

use crate::optimizer::AdamW;

/// The metadata entry that holds [`Progress`] as JSON.
const PROGRESS: &str = "progress";

/// What a run trains, and how far it has come.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Progress {
    /// The pianist's alphabet.
    pub alphabet: Alphabet,
    /// The pianist's time base.
    pub time_base: TimeBase,
    /// LSTM layers.
    pub layers: usize,
    /// Units of each.
    pub units: usize,
    /// Seconds spent learning in this run.
    pub seconds: f64,
    /// The same in the runs that it goes on from.
    #[serde(default)]
    pub earlier_seconds: f64,
    /// Updates of the parameters.
    pub updates: u64,
    /// Steps learned from, counting repetitions.
    pub steps: u64,
    /// Notes in them.
    pub notes: u64,
    /// The lowest loss measured in this run, in nats per note: that of the pianist that it has written.
    #[serde(default)]
    pub best: Option<f64>,
}

/// A run's parameters and optimiser at some point.
pub struct Checkpoint {
    /// How far the run has come.
    pub progress: Progress,
    /// The network's parameters.
    pub parameters: Vec<f32>,
    /// Mean of the gradients.
    pub means: Vec<f32>,
    /// Mean of their squares.
    pub squares: Vec<f32>,
}

/// Why a checkpoint can't be read or written.
#[derive(Debug, thiserror::Error)]
pub enum CheckpointError {
    /// The operating system refused.
    #[error("can't {action} the checkpoint {}", path.display())]
    Io {
        /// Which file.
        path: PathBuf,
        /// What was tried: a verb.
        action: &'static str,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// The file is no checkpoint, or a damaged one.
    #[error("{} is not a usable checkpoint: {reason}", path.display())]
    Damaged {
        /// Which file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
}

/// Writes a checkpoint beside `path` and renames it there, so that a killed run leaves the one before.
pub fn write(
    path: &Path,
    progress: &Progress,
    parameters: &[f32],
    optimizer: &AdamW,
) -> Result<(), CheckpointError> {
    let tensors = [("parameters", parameters), ("means", &optimizer.means), ("squares", &optimizer.squares)];
    let bytes: Vec<Vec<u8>> =
        tensors.iter().map(|(_, values)| values.iter().flat_map(|x| x.to_le_bytes()).collect()).collect();
    let damaged = |reason: String| CheckpointError::Damaged { path: path.to_owned(), reason };
    let views: Result<Vec<_>, _> = tensors
        .iter()
        .zip(&bytes)
        .map(|((name, values), bytes)| Ok((*name, TensorView::new(Dtype::F32, vec![values.len()], bytes)?)))
        .collect();
    let views = views.map_err(|error: safetensors::SafeTensorError| damaged(error.to_string()))?;
    let progress = serde_json::to_string(progress).map_err(|error| damaged(error.to_string()))?;
    let metadata = HashMap::from([(PROGRESS.to_owned(), progress)]);
    let file = safetensors::serialize(views, Some(metadata)).map_err(|error| damaged(error.to_string()))?;
    atomic::write(path, &file).map_err(|source| CheckpointError::Io {
        path: path.to_owned(),
        action: "write",
        source,
    })
}

/// Reads a checkpoint.
pub fn read(path: &Path) -> Result<Checkpoint, CheckpointError> {
    let bytes = std::fs::read(path).map_err(|source| CheckpointError::Io {
        path: path.to_owned(),
        action: "read",
        source,
    })?;
    parse(&bytes).map_err(|reason| CheckpointError::Damaged { path: path.to_owned(), reason })
}

fn parse(bytes: &[u8]) -> Result<Checkpoint, String> {
    let (_, header) = SafeTensors::read_metadata(bytes).map_err(|error| error.to_string())?;
    let progress = header.metadata().as_ref().and_then(|entries| entries.get(PROGRESS));
    let progress = progress.ok_or("it has no progress entry")?;
    let progress: Progress = serde_json::from_str(progress).map_err(|error| error.to_string())?;
    let tensors = SafeTensors::deserialize(bytes).map_err(|error| error.to_string())?;
    let values = |name: &str| -> Result<Vec<f32>, String> {
        let tensor = tensors.tensor(name).map_err(|error| error.to_string())?;
        let values: Vec<f32> =
            tensor.data().as_chunks().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect();
        let finite = tensor.dtype() == Dtype::F32 && values.iter().all(|value| value.is_finite());
        if finite { Ok(values) } else { Err(format!("`{name}` holds something else than finite numbers")) }
    };
    let (parameters, means, squares) = (values("parameters")?, values("means")?, values("squares")?);
    let sane = (1..=etude_pianist::model_file::MAX_LAYERS).contains(&progress.layers)
        && (1..=etude_pianist::model_file::MAX_UNITS).contains(&progress.units);
    let wanted =
        sane.then(|| Layout::new(&progress.alphabet.blueprint(progress.layers, progress.units)).len());
    if [&parameters, &means, &squares].iter().any(|values| Some(values.len()) != wanted) {
        return Err("its tensors do not fit the network that it names".to_owned());
    }
    Ok(Checkpoint { progress, parameters, means, squares })
}
