//! From bytes to a pianist. Nothing is allocated before the bytes are known to hold it.

use std::{fs::File, io::Read, path::Path};

use half::f16;
use safetensors::{Dtype, SafeTensors};

use super::{
    HEADER_KEY, Header, LARGEST_MIB, MAX_LAYERS, MAX_UNITS, Pianist, PianistError, PianistFileError, VERSION,
};
use crate::network::{Layout, Parameter};

/// The largest safetensors header that is parsed; ours have some 10 KiB, and parsing takes several times the memory.
const LARGEST_HEADER: u64 = 1 << 20;

impl Pianist {
    /// Reads a pianist. Everything is checked: names, shapes, sizes, that all values are finite, and their
    /// hash.
    pub fn read(bytes: &[u8]) -> Result<Pianist, PianistError> {
        let damaged = |error: safetensors::SafeTensorError| PianistError::Damaged(error.to_string());
        let header_length = bytes.first_chunk().map_or(0, |length| u64::from_le_bytes(*length));
        if header_length > LARGEST_HEADER {
            return Err(PianistError::Damaged("its header is too long".to_owned()));
        }
        let (_, metadata) = SafeTensors::read_metadata(bytes).map_err(damaged)?;
        let entry = metadata.metadata().as_ref().and_then(|entries| entries.get(HEADER_KEY));
        let header = read_header(entry.ok_or(PianistError::NotAPianist)?)?;

        let blueprint = header.alphabet.blueprint(header.layers, header.units);
        let layout = Layout::new(&blueprint);
        let tensors = SafeTensors::deserialize(bytes).map_err(damaged)?;
        let views = layout
            .parameters
            .iter()
            .map(|parameter| find(&tensors, parameter))
            .collect::<Result<Vec<_>, _>>()?;
        if tensors.len() > views.len() {
            return Err(PianistError::TooMany(tensors.len() - views.len()));
        }
        let mut parameters = Vec::with_capacity(layout.len());
        for (parameter, bytes) in layout.parameters.iter().zip(views) {
            parameters.extend(bytes.as_chunks::<2>().0.iter().map(|pair| f16::from_le_bytes(*pair)));
            if !parameters[parameter.range.clone()].iter().all(|value| value.is_finite()) {
                return Err(PianistError::NotFinite(parameter.name.clone()));
            }
        }
        let Header { alphabet, time_base, card, hash, .. } = header;
        if hash.is_some_and(|hash| hash != super::hash(&parameters)) {
            return Err(PianistError::Hash);
        }
        Ok(Pianist { alphabet, time_base, blueprint, layout, parameters, card })
    }

    /// Reads a pianist from a file of at most 256 MiB.
    pub fn read_file(path: impl AsRef<Path>) -> Result<Pianist, PianistFileError> {
        let path = path.as_ref();
        Pianist::read(&bytes_of(path)?)
            .map_err(|source| PianistFileError::Invalid { path: path.to_owned(), source })
    }
}

fn read_header(text: &str) -> Result<Header, PianistError> {
    /// The part of a header that every version has.
    #[derive(serde::Deserialize)]
    struct Version {
        version: u32,
    }
    let Version { version } = serde_json::from_str(text).map_err(PianistError::Description)?;
    if version != VERSION {
        return Err(PianistError::Version(version));
    }
    let header: Header = serde_json::from_str(text).map_err(PianistError::Description)?;
    let Header { layers, units, .. } = header;
    if (1..=MAX_LAYERS).contains(&layers) && (1..=MAX_UNITS).contains(&units) {
        Ok(header)
    } else {
        Err(PianistError::Size { layers, units })
    }
}

/// The bytes of a parameter, two for each value.
fn find<'a>(tensors: &SafeTensors<'a>, parameter: &Parameter) -> Result<&'a [u8], PianistError> {
    let view = tensors.tensor(&parameter.name).ok();
    view.filter(|view| view.dtype() == Dtype::F16 && view.shape() == parameter.stored_shape())
        .map(|view| view.data())
        .ok_or_else(|| PianistError::Parameter {
            name: parameter.name.clone(),
            rows: parameter.shape[0],
            columns: parameter.shape[1],
        })
}

fn bytes_of(path: &Path) -> Result<Vec<u8>, PianistFileError> {
    let unreadable = |source| PianistFileError::Unreadable { path: path.to_owned(), source };
    // Asked before opening: opening a pipe would wait for a writer.
    let metadata = path.metadata().map_err(unreadable)?;
    if !metadata.is_file() {
        return Err(PianistFileError::NotAFile { path: path.to_owned() });
    }
    let limit = LARGEST_MIB << 20;
    if metadata.len() > limit {
        return Err(PianistFileError::TooLarge { path: path.to_owned() });
    }
    let mut bytes = Vec::with_capacity(metadata.len() as usize);
    File::open(path).and_then(|file| file.take(limit).read_to_end(&mut bytes)).map_err(unreadable)?;
    Ok(bytes)
}
