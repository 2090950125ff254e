//! From bytes to a pianist, one parameter at a time. Nothing is allocated before there are known to be as many bytes.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use half::f16;
use safetensors::Dtype;
use safetensors::tensor::Metadata;

use super::{
    HEADER_KEY, Header, LARGEST_HEADER, LARGEST_MIB, LENGTH_BYTES, MAX_LAYERS, MAX_UNITS, Pianist,
    PianistError, PianistFileError, VERSION,
};
use crate::card::Card;
use crate::network::{Layout, Parameter};

/// Most characters that a message takes over from an error that may quote the file.
const LONGEST_QUOTE: usize = 200;

impl Pianist {
    /// Reads a pianist. Everything is checked: names, shapes, sizes, that all values are finite, and their
    /// hash.
    pub fn read(bytes: &[u8]) -> Result<Pianist, PianistError> {
        read(bytes, bytes.len() as u64)
    }

    /// Reads a pianist from a file of at most 256 MiB.
    pub fn read_file(path: impl AsRef<Path>) -> Result<Pianist, PianistFileError> {
        let path = path.as_ref();
        let (file, length) = open(path)?;
        read(file, length).map_err(|source| PianistFileError::Invalid { path: path.to_owned(), source })
    }
}

impl Card {
    /// Reads the card of a pianist, and nothing of its parameters: they may be damaged.
    pub fn read(bytes: &[u8]) -> Result<Card, PianistError> {
        Ok(read_description(&mut &bytes[..], bytes.len() as u64)?.1.card)
    }

    /// Reads the card of a pianist in a file, and nothing of its parameters.
    pub fn read_file(path: impl AsRef<Path>) -> Result<Card, PianistFileError> {
        let path = path.as_ref();
        let (mut file, length) = open(path)?;
        let description = read_description(&mut file, length);
        description
            .map(|(_, header)| header.card)
            .map_err(|source| PianistFileError::Invalid { path: path.to_owned(), source })
    }
}

/// Opens a file to read, and says how long it is.
fn open(path: &Path) -> Result<(File, u64), PianistFileError> {
    let unreadable = |source| PianistFileError::Unreadable { path: path.to_owned(), source };
    // Asked before opening: opening a pipe would wait for a writer.
    let metadata = path.metadata().map_err(unreadable)?;
    if !metadata.is_file() {
        return Err(PianistFileError::NotAFile { path: path.to_owned() });
    }
    if metadata.len() > LARGEST_MIB << 20 {
        return Err(PianistFileError::TooLarge { path: path.to_owned() });
    }
    Ok((File::open(path).map_err(unreadable)?, metadata.len()))
}

/// Reads a pianist of `length` bytes.
fn read(mut source: impl Read, length: u64) -> Result<Pianist, PianistError> {
    let (metadata, header) = read_description(&mut source, length)?;
    let Header { alphabet, time_base, layers, units, card, hash, .. } = header;

    let blueprint = alphabet.blueprint(layers, units);
    let layout = Layout::new(&blueprint);
    let mut places = Vec::new();
    for (index, parameter) in layout.parameters.iter().enumerate() {
        places.push((place(&metadata, parameter)?, index));
    }
    let others = metadata.tensors().len() - places.len();
    if others > 0 {
        return Err(PianistError::TooMany(others));
    }
    places.sort_unstable();
    let mut parameters = vec![Vec::new(); places.len()];
    for (_, index) in places {
        let Parameter { name, shape: [rows, columns], .. } = &layout.parameters[index];
        parameters[index] = read_values(&mut source, rows * columns)?;
        if !parameters[index].iter().all(|value| value.is_finite()) {
            return Err(PianistError::NotFinite(name.clone()));
        }
    }
    if hash != super::hash(&parameters) {
        return Err(PianistError::Hash);
    }
    Ok(Pianist { alphabet, time_base, blueprint, layout, parameters, card })
}

/// Reads what a pianist of `length` bytes says of itself before its values.
fn read_description(source: &mut impl Read, length: u64) -> Result<(Metadata, Header), PianistError> {
    let metadata = read_metadata(source, length)?;
    let entry = metadata.metadata().as_ref().and_then(|entries| entries.get(HEADER_KEY));
    let header = read_header(entry.ok_or(PianistError::NotAPianist)?)?;
    Ok((metadata, header))
}

/// Reads what comes before the values, and checks that these fill the rest of the `length` bytes without a gap.
fn read_metadata(source: &mut impl Read, length: u64) -> Result<Metadata, PianistError> {
    let damaged = |reason: &str| PianistError::Damaged(reason.to_owned());
    let rest = length.checked_sub(LENGTH_BYTES as u64).ok_or_else(|| damaged("it has no header"))?;
    let mut header_length = [0; LENGTH_BYTES];
    source.read_exact(&mut header_length).map_err(PianistError::Unreadable)?;
    let header_length = u64::from_le_bytes(header_length);
    if header_length > rest.min(LARGEST_HEADER) {
        return Err(damaged("its header is too long"));
    }
    let mut header = vec![0; header_length as usize];
    source.read_exact(&mut header).map_err(PianistError::Unreadable)?;
    let metadata: Metadata = serde_json::from_slice(&header).map_err(|error| damaged(&quoted(error)))?;
    if metadata.data_len() as u64 != rest - header_length {
        return Err(damaged("its values have another length than its header says"));
    }
    Ok(metadata)
}

fn read_header(text: &str) -> Result<Header, PianistError> {
    /// The part of a header that every version has.
    #[derive(serde::Deserialize)]
    struct Version {
        version: u32,
    }
    let unreadable = |error| PianistError::Description(quoted(error));
    let Version { version } = serde_json::from_str(text).map_err(unreadable)?;
    if version != VERSION {
        return Err(PianistError::Version(version));
    }
    let header: Header = serde_json::from_str(text).map_err(unreadable)?;
    let Header { layers, units, .. } = header;
    if (1..=MAX_LAYERS).contains(&layers) && (1..=MAX_UNITS).contains(&units) {
        Ok(header)
    } else {
        Err(PianistError::Size { layers, units })
    }
}

/// The words of an error that may quote the file: not more than fit into a line, and nothing that a terminal obeys.
fn quoted(error: serde_json::Error) -> String {
    let error = error.to_string();
    let mut words: String = error.chars().take(LONGEST_QUOTE).filter(|char| !char.is_control()).collect();
    if error.chars().nth(LONGEST_QUOTE).is_some() {
        words.push('…');
    }
    words
}

/// Where a parameter begins among the values.
fn place(metadata: &Metadata, parameter: &Parameter) -> Result<usize, PianistError> {
    let info = metadata.info(&parameter.name);
    info.filter(|info| info.dtype == Dtype::F16 && info.shape == parameter.stored_shape())
        .map(|info| info.data_offsets.0)
        .ok_or_else(|| PianistError::Parameter {
            name: parameter.name.clone(),
            rows: parameter.shape[0],
            columns: parameter.shape[1],
        })
}

fn read_values(source: &mut impl Read, count: usize) -> Result<Vec<f16>, PianistError> {
    let mut block = [0; 1 << 14];
    let mut values = Vec::with_capacity(count);
    while values.len() < count {
        let bytes = block.len().min(size_of::<f16>() * (count - values.len()));
        source.read_exact(&mut block[..bytes]).map_err(PianistError::Unreadable)?;
        values.extend(block[..bytes].as_chunks().0.iter().map(|pair| f16::from_le_bytes(*pair)));
    }
    Ok(values)
}
