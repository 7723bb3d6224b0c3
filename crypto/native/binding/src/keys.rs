use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use sscard_sm::sm2::{self, Ciphertext, DEFAULT_SIGNER_ID, SIGNER_ID_MAX};

use crate::errors::{
    decryption_failed, encryption_failed, invalid_key, invalid_signature, random_source_failed,
    signer_id_too_long, signing_failed,
};
use crate::gil::work;

/// A private key: a number from 1 to n-2, wiped when dropped, hidden from repr and pickle.
#[pyclass(module = "crypto.sm2", frozen)]
pub(crate) struct PrivateKey(sm2::PrivateKey);

#[pymethods]
impl PrivateKey {
    /// Make a new key from the system's randomness. Raises RandomSourceError without it.
    #[staticmethod]
    fn generate() -> PyResult<Self> {
        sm2::PrivateKey::generate()
            .map(Self)
            .map_err(random_source_failed)
    }

    /// Read a key from 32 big-endian bytes. Raises InvalidKeyError out of 1 to n-2.
    #[staticmethod]
    fn from_bytes(data: &[u8]) -> PyResult<Self> {
        let bytes: &[u8; 32] = data.try_into().map_err(|_| invalid_key(sm2::InvalidKey))?;
        sm2::PrivateKey::from_bytes(bytes)
            .map(Self)
            .map_err(invalid_key)
    }

    /// The key as 32 big-endian bytes, which nothing wipes: keep them short and sealed.
    fn to_bytes<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, &*self.0.to_bytes())
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
        let signature = work(py, message.len(), || self.0.sign(message, signer_id));
        Ok(PyBytes::new(
            py,
            &signature.map_err(signing_failed)?.to_bytes(),
        ))
    }

    /// Decrypt 04, x, y, C3, C2 (GB/T 32918.4, 7.1). Raises DecryptionError, whatever is wrong.
    fn decrypt<'py>(&self, py: Python<'py>, ciphertext: &[u8]) -> PyResult<Bound<'py, PyBytes>> {
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

/// A public key: a point of the curve, not infinity.
#[pyclass(module = "crypto.sm2", frozen, eq, hash, from_py_object)]
#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) struct PublicKey(sm2::PublicKey);

#[pymethods]
impl PublicKey {
    /// Read a SEC 1 point of 33 or 65 bytes. Raises InvalidKeyError for all else.
    #[staticmethod]
    fn from_bytes(data: &[u8]) -> PyResult<Self> {
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
        check_length(signer_id)?;
        py.detach(|| self.0.verify(signature, message, signer_id))
            .map_err(invalid_signature)
    }

    /// Encrypt 1 byte to 16 MiB; returns 04, x, y, C3, C2 (GB/T 32918.4, 6.1).
    ///
    /// Raises ValueError for other lengths, RandomSourceError.
    fn encrypt<'py>(&self, py: Python<'py>, plaintext: &[u8]) -> PyResult<Bound<'py, PyBytes>> {
        let ciphertext = py.detach(|| Ok(self.0.encrypt(plaintext)?.to_bytes()));
        Ok(PyBytes::new(py, &ciphertext.map_err(encryption_failed)?))
    }

    fn __repr__(&self) -> String {
        format!("<crypto.sm2.{:?}>", self.0)
    }
}

/// A public key kept for many verifications: several times faster than the key itself.
///
/// Its table takes 264 KiB and about 2 ms to build.
#[pyclass(module = "crypto.sm2", frozen)]
pub(crate) struct Verifier(sm2::Verifier);

#[pymethods]
impl Verifier {
    #[new]
    fn new(py: Python<'_>, public_key: PublicKey) -> Self {
        Self(py.detach(|| sm2::Verifier::new(public_key.0)))
    }

    /// The key itself.
    fn public_key(&self) -> PublicKey {
        PublicKey(*self.0.public_key())
    }

    /// Check a signature, with the answers of PublicKey.verify.
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
        check_length(signer_id)?;
        work(py, message.len(), || {
            self.0.verify(signature, message, signer_id)
        })
        .map_err(invalid_signature)
    }
}

/// A caller's mistake is told from a signature's: an id that long can't be signed under at all.
fn check_length(signer_id: &[u8]) -> PyResult<()> {
    if signer_id.len() > SIGNER_ID_MAX {
        Err(signer_id_too_long())
    } else {
        Ok(())
    }
}
