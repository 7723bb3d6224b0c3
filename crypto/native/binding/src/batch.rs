use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use sscard_sm::sm2::{self, DEFAULT_SIGNER_ID, Signed};

use crate::errors::invalid_signature;
use crate::public_key::{PublicKey, check_length};
use crate::verifier::Verifier;

/// Whose signature it should be.
#[derive(FromPyObject)]
pub(crate) enum Signer {
    New(PublicKey),
    Kept(Verifier),
}

/// Check many signatures, (public key or Verifier, signature, message) each, under one signer id.
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
    signed: Vec<(Signer, PyBackedBytes, PyBackedBytes)>,
    signer_id: &[u8],
) -> PyResult<Vec<Option<PyErr>>> {
    check_length(signer_id)?;
    let signed: Vec<Signed<'_>> = signed
        .iter()
        .map(|(signer, signature, message)| Signed {
            signer: match signer {
                Signer::New(key) => sm2::Signer::New(&key.0),
                Signer::Kept(kept) => sm2::Signer::Kept(&kept.0),
            },
            signature,
            message,
        })
        .collect();
    let verdicts = py.detach(|| sm2::verify_batch(&signed, signer_id));
    Ok(verdicts
        .into_iter()
        .map(|verdict| verdict.err().map(invalid_signature))
        .collect())
}
