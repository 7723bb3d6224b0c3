use pyo3::prelude::*;
use sscard_sm::sm2::{self, DEFAULT_SIGNER_ID};

use crate::errors::invalid_signature;
use crate::gil::work;
use crate::public_key::{PublicKey, check_length, exact};
use crate::self_test::operational;

/// A public key kept for many verifications: several times faster than the key itself.
///
/// Its table takes 264 KiB and 1 to 2 ms to build.
#[pyclass(module = "crypto.sm2", frozen)]
pub(crate) struct Verifier(pub(crate) sm2::Verifier);

#[pymethods]
impl Verifier {
    #[new]
    fn new(py: Python<'_>, public_key: PublicKey) -> PyResult<Self> {
        operational()?;
        Ok(Self(py.detach(|| sm2::Verifier::new(public_key.0))))
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
        operational()?;
        check_length(signer_id)?;
        work(py, message.len(), || {
            self.0.verify(signature, message, signer_id)
        })
        .map_err(invalid_signature)
    }

    /// Check a signature of e itself, with the answers of PublicKey.verify_digest.
    fn verify_digest(&self, signature: &[u8], digest: &[u8]) -> PyResult<()> {
        operational()?;
        self.0
            .verify_digest(signature, exact(digest)?)
            .map_err(invalid_signature)
    }
}
