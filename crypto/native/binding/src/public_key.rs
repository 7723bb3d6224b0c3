use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use sscard_sm::sm2::{self, DEFAULT_SIGNER_ID, SIGNER_ID_MAX};

use crate::errors::{encryption_failed, invalid_key, invalid_signature, signer_id_too_long};
use crate::self_test::operational;

/// A public key: a point of the curve, not infinity.
#[pyclass(module = "crypto.sm2", frozen, eq, hash, from_py_object)]
#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) struct PublicKey(pub(crate) sm2::PublicKey);

#[pymethods]
impl PublicKey {
    /// Read a SEC 1 point of 33 or 65 bytes. Raises InvalidKeyError for all else.
    #[staticmethod]
    fn from_bytes(data: &[u8]) -> PyResult<Self> {
        operational()?;
        sm2::PublicKey::from_sec1(data)
            .map(Self)
            .map_err(invalid_key)
    }

    /// The point by SEC 1: 65 bytes, or 33 when compressed.
    #[pyo3(signature = (*, compressed = false))]
    fn to_bytes<'py>(&self, py: Python<'py>, compressed: bool) -> Bound<'py, PyBytes> {
        if compressed {
            PyBytes::new(py, &self.0.to_sec1_compressed())
        } else {
            PyBytes::new(py, &self.0.to_sec1())
        }
    }

    /// Check a signature of 64 bytes (GB/T 32918.2, 7.1).
    ///
    /// Raises InvalidSignatureError, whatever is wrong with it; ValueError for a signer id of
    /// more than 8191 bytes.
    #[pyo3(
        signature = (signature, message, signer_id = DEFAULT_SIGNER_ID),
        text_signature = "($self, signature, message, signer_id=b'1234567812345678')"
    )]
    fn verify(
        &self,
        py: Python<'_>,
        signature: &[u8],
        message: &[u8],
        signer_id: &[u8],
    ) -> PyResult<()> {
        operational()?;
        check_length(signer_id)?;
        py.detach(|| self.0.verify(signature, message, signer_id))
            .map_err(invalid_signature)
    }

    /// Check a signature of e itself, the 32 bytes SM3(Z, message).
    ///
    /// Raises InvalidSignatureError, whatever is wrong with it; ValueError for another length
    /// of e.
    fn verify_digest(&self, py: Python<'_>, signature: &[u8], digest: &[u8]) -> PyResult<()> {
        operational()?;
        let digest = exact(digest)?;
        py.detach(|| self.0.verify_digest(signature, digest))
            .map_err(invalid_signature)
    }

    /// Encrypt 1 byte to 16 MiB; returns 04, x, y, C3, C2 (GB/T 32918.4, 6.1).
    ///
    /// Raises ValueError for other lengths, RandomSourceError.
    fn encrypt<'py>(&self, py: Python<'py>, plaintext: &[u8]) -> PyResult<Bound<'py, PyBytes>> {
        operational()?;
        let ciphertext = py.detach(|| Ok(self.0.encrypt(plaintext)?.to_bytes()));
        Ok(PyBytes::new(py, &ciphertext.map_err(encryption_failed)?))
    }

    fn __repr__(&self) -> String {
        format!("<crypto.sm2.{:?}>", self.0)
    }
}

/// A caller's mistake is told from a signature's: an id that long can't be signed under at all.
pub(crate) fn check_length(signer_id: &[u8]) -> PyResult<()> {
    if signer_id.len() > SIGNER_ID_MAX {
        Err(signer_id_too_long())
    } else {
        Ok(())
    }
}

/// e, which the standard calls a digest and a caller may have cut.
pub(crate) fn exact(digest: &[u8]) -> PyResult<&[u8; 32]> {
    digest
        .try_into()
        .map_err(|_| PyValueError::new_err("a digest e has 32 bytes"))
}
