use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use sscard_sm::sm2::{self, Ciphertext, DEFAULT_SIGNER_ID};

use crate::errors::{decryption_failed, invalid_key, random_source_failed, signing_failed};
use crate::gil::work;
use crate::public_key::{PublicKey, exact};
use crate::self_test::operational;

/// A private key: a number from 1 to n-2, wiped when dropped, hidden from repr and pickle.
#[pyclass(module = "crypto.sm2", frozen)]
pub(crate) struct PrivateKey(sm2::PrivateKey);

#[pymethods]
impl PrivateKey {
    /// Make a new key from the system's randomness. Raises RandomSourceError without it.
    #[staticmethod]
    fn generate(py: Python<'_>) -> PyResult<Self> {
        operational()?;
        py.detach(sm2::PrivateKey::generate)
            .map(Self)
            .map_err(random_source_failed)
    }

    /// Read a key from 32 big-endian bytes. Raises InvalidKeyError out of 1 to n-2.
    #[staticmethod]
    fn from_bytes(data: &[u8]) -> PyResult<Self> {
        operational()?;
        let bytes: &[u8; 32] = data.try_into().map_err(|_| invalid_key(sm2::InvalidKey))?;
        sm2::PrivateKey::from_bytes(bytes)
            .map(Self)
            .map_err(invalid_key)
    }

    /// The key as 32 big-endian bytes, which nothing wipes: keep them short and sealed.
    fn to_bytes<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        operational()?;
        Ok(PyBytes::new(py, &*self.0.to_bytes()))
    }

    /// The key that verifies.
    fn public_key(&self) -> PublicKey {
        PublicKey(*self.0.public_key())
    }

    /// Sign a message; returns r and s, 32 bytes each (GB/T 32918.2, 6.1).
    ///
    /// Constant time; the nonce is drawn from key, message and fresh randomness together.
    /// Raises ValueError for a signer id of more than 8191 bytes, RandomSourceError.
    #[pyo3(
        signature = (message, signer_id = DEFAULT_SIGNER_ID),
        text_signature = "($self, message, signer_id=b'1234567812345678')"
    )]
    fn sign<'py>(
        &self,
        py: Python<'py>,
        message: &[u8],
        signer_id: &[u8],
    ) -> PyResult<Bound<'py, PyBytes>> {
        operational()?;
        let signature = work(py, message.len(), || self.0.sign(message, signer_id));
        Ok(PyBytes::new(
            py,
            &signature.map_err(signing_failed)?.to_bytes(),
        ))
    }

    /// Sign e itself, the 32 bytes SM3(Z, message); returns r and s, 32 bytes each.
    ///
    /// Raises ValueError for another length, RandomSourceError.
    fn sign_digest<'py>(&self, py: Python<'py>, digest: &[u8]) -> PyResult<Bound<'py, PyBytes>> {
        operational()?;
        let signature = self.0.sign_digest(exact(digest)?);
        Ok(PyBytes::new(
            py,
            &signature.map_err(random_source_failed)?.to_bytes(),
        ))
    }

    /// Decrypt 04, x, y, C3, C2 (GB/T 32918.4, 7.1). Raises DecryptionError, whatever is wrong.
    fn decrypt<'py>(&self, py: Python<'py>, ciphertext: &[u8]) -> PyResult<Bound<'py, PyBytes>> {
        operational()?;
        let plaintext = py.detach(|| self.0.decrypt(&Ciphertext::from_bytes(ciphertext)?));
        Ok(PyBytes::new(py, &plaintext.map_err(decryption_failed)?))
    }

    fn __repr__(&self) -> &'static str {
        "<crypto.sm2.PrivateKey>"
    }

    fn __reduce__(&self) -> PyResult<()> {
        Err(PyTypeError::new_err(
            "a private key is not pickled or copied",
        ))
    }
}
