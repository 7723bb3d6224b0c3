use pyo3::prelude::*;
use pyo3::types::PyInt;
use sscard_sm::sm2::{self, DEFAULT_SIGNER_ID, Refused};

use crate::errors::{invalid_key, invalid_signature, random_source_failed};
use crate::public_key::check_length;
use crate::self_test::operational;
use crate::sizes::size_within;

/// The public keys met lately, the most frequent of them with tables of 52 KiB, within a limit
/// of bytes. A key gets its table, in about 0.2 ms, at its eighth good signature. Raises
/// ValueError for a limit below 0, RandomSourceError without randomness.
#[pyclass(module = "crypto.sm2", frozen)]
pub(crate) struct KeptKeys(sm2::KeptKeys);

#[pymethods]
impl KeptKeys {
    #[new]
    fn new(bytes_max: &Bound<'_, PyInt>) -> PyResult<Self> {
        operational()?;
        let bytes_max = size_within(bytes_max, 0..=usize::MAX, "bytes_max is no number of bytes")?;
        // The standard library seeds the map inside, and panics where the system gives nothing.
        sscard_sm::fill_random(&mut [0; 16]).map_err(random_source_failed)?;
        Ok(Self(sm2::KeptKeys::new(bytes_max)))
    }

    /// Check a signature by a SEC 1 public key of 33 or 65 bytes.
    ///
    /// Raises InvalidKeyError, InvalidSignatureError; ValueError for a signer id of more than
    /// 8191 bytes.
    #[pyo3(
        signature = (public_key, signature, message, signer_id = DEFAULT_SIGNER_ID),
        text_signature = "($self, public_key, signature, message, signer_id=b'1234567812345678')"
    )]
    fn verify(
        &self,
        py: Python<'_>,
        public_key: &[u8],
        signature: &[u8],
        message: &[u8],
        signer_id: &[u8],
    ) -> PyResult<()> {
        operational()?;
        check_length(signer_id)?;
        py.detach(|| self.0.verify(public_key, signature, message, signer_id))
            .map_err(|refused| match refused {
                Refused::Key(error) => invalid_key(error),
                Refused::Signature(error) => invalid_signature(error),
            })
    }

    /// The bytes in use.
    #[getter]
    fn bytes(&self) -> usize {
        self.0.bytes()
    }

    /// How many keys have a table.
    #[getter]
    fn tables(&self) -> usize {
        self.0.tables()
    }
}
