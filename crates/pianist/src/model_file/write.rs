//! From a pianist to bytes and a file.

use std::borrow::Cow;
use std::path::Path;

use half::f16;
use safetensors::{Dtype, View};

use super::{
    HEADER_KEY, Header, LARGEST_HEADER, LENGTH_BYTES, Pianist, PianistError, PianistFileError, VERSION,
};
use crate::atomic;
use crate::network::Parameter;

impl Pianist {
    /// The pianist as a file's contents; the same pianist gives the same bytes.
    ///
    /// # Errors
    /// If a parameter is not finite in f16, or the card is too long to be read again.
    pub fn to_bytes(&self) -> Result<Vec<u8>, PianistError> {
        let header = Header {
            version: VERSION,
            alphabet: self.alphabet,
            time_base: self.time_base,
            layers: self.blueprint.layers,
            units: self.blueprint.units,
            card: self.card.clone(),
            hash: super::hash(&self.parameters),
        };
        let header =
            serde_json::to_string(&header).map_err(|error| PianistError::Description(error.to_string()))?;
        let tensors = self
            .layout
            .parameters
            .iter()
            .zip(&self.parameters)
            .map(|(parameter, values)| Tensor::pack(parameter, values))
            .collect::<Result<Vec<_>, _>>()?;
        let named = self.layout.parameters.iter().map(|parameter| &parameter.name).zip(tensors);
        let metadata = [(HEADER_KEY.to_owned(), header)].into_iter().collect();
        let bytes = safetensors::serialize(named, Some(metadata))
            .map_err(|error| PianistError::Damaged(error.to_string()))?;
        let length: Option<&[u8; LENGTH_BYTES]> = bytes.first_chunk();
        match length {
            Some(length) if u64::from_le_bytes(*length) > LARGEST_HEADER => Err(PianistError::LongCard),
            _ => Ok(bytes),
        }
    }

    /// Writes the pianist to a file, so that a crash leaves the old one; see [`atomic::write`].
    pub fn write_file(&self, path: impl AsRef<Path>) -> Result<(), PianistFileError> {
        let path = path.as_ref();
        let bytes =
            self.to_bytes().map_err(|source| PianistFileError::Invalid { path: path.to_owned(), source })?;
        atomic::write(path, &bytes)
            .map_err(|source| PianistFileError::Unwritable { path: path.to_owned(), source })
    }
}

/// A parameter in f16.
struct Tensor {
    shape: Vec<usize>,
    bytes: Vec<u8>,
}

impl Tensor {
    fn pack(parameter: &Parameter, values: &[f16]) -> Result<Tensor, PianistError> {
        if !values.iter().all(|value| value.is_finite()) {
            return Err(PianistError::NotFinite(parameter.name.clone()));
        }
        let bytes = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        Ok(Tensor { shape: parameter.stored_shape().to_vec(), bytes })
    }
}

impl View for Tensor {
    fn dtype(&self) -> Dtype {
        Dtype::F16
    }

    fn shape(&self) -> &[usize] {
        &self.shape
    }

    fn data(&self) -> Cow<'_, [u8]> {
        Cow::Borrowed(&self.bytes)
    }

    fn data_len(&self) -> usize {
        self.bytes.len()
    }
}
