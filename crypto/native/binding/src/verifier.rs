use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use sscard_sm::sm2::{self, DEFAULT_SIGNER_ID, Signed};

use crate::errors::invalid_signature;
use crate::gil::work;
use crate::public_key::{PublicKey, check_length, exact};

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

    /// Check a signature of e itself, with the answers of PublicKey.verify_digest.
    fn verify_digest(&self, signature: &[u8], digest: &[u8]) -> PyResult<()> {
        self.0
            .verify_digest(signature, exact(digest)?)
            .map_err(invalid_signature)
    }
}

/// Check many signatures, (public key, signature, message) each, under one signer id.
///
/// Returns as many results in the same order: None, or the InvalidSignatureError of that
/// signature alone. Raises ValueError for a signer id of more than 8191 bytes.
#[pyfunction]
#[pyo3(
    signature = (signed, *, signer_id = DEFAULT_SIGNER_ID),
    text_signature = "(signed, *, signer_id=b'1234567812345678')"
)]
pub(crate) fn verify_batch(
    py: Python<'_>,
    signed: Vec<(PublicKey, PyBackedBytes, PyBackedBytes)>,
    signer_id: &[u8],
) -> PyResult<Vec<Option<PyErr>>> {
    check_length(signer_id)?;
    let signed: Vec<Signed<'_>> = signed
        .iter()
        .map(|(public_key, signature, message)| Signed {
            public_key: &public_key.0,
            signature,
            message,
        })
        .collect();
    let results = py.detach(|| sm2::verify_batch(&signed, signer_id));
    Ok(results
        .into_iter()
        .map(|result| result.err().map(invalid_signature))
        .collect())
}
