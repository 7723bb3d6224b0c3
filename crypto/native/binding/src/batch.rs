use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use pyo3::types::PyBytes;
use sscard_sm::sm2::{self, DEFAULT_SIGNER_ID, Signed};

use crate::errors::invalid_signature;
use crate::public_key::{PublicKey, check_length};
use crate::self_test::operational;
use crate::verifier::Verifier;

/// Whose signature it should be.
enum Signer<'py> {
    New(Bound<'py, PublicKey>),
    Kept(Bound<'py, Verifier>),
}

impl<'py> FromPyObject<'_, 'py> for Signer<'py> {
    type Error = PyErr;

    fn extract(object: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        if let Ok(key) = object.cast::<PublicKey>() {
            Ok(Self::New(key.to_owned()))
        } else {
            Ok(Self::Kept(object.cast::<Verifier>()?.to_owned()))
        }
    }
}

/// Signatures in one call: what a caller gives as a sequence may say that it has any length.
const BATCH_MAX: usize = 1 << 16;

/// Check many signatures, (public key or Verifier, signature, message) each, under one signer id.
///
/// Returns as many results in the same order: None, or the InvalidSignatureError of that
/// signature alone. Raises ValueError for more than 65 536 signatures, and for a signer id of
/// more than 8191 bytes.
#[pyfunction]
#[pyo3(
    signature = (signed, *, signer_id = DEFAULT_SIGNER_ID),
    text_signature = "(signed, *, signer_id=b'1234567812345678')"
)]
pub(crate) fn verify_batch(
    py: Python<'_>,
    signed: &Bound<'_, PyAny>,
    signer_id: &[u8],
) -> PyResult<Vec<Option<PyErr>>> {
    operational()?;
    check_length(signer_id)?;
    // One by one, with no room made beforehand: a length that is only claimed asks for nothing.
    let mut read = Vec::new();
    for one in signed.try_iter()? {
        if read.len() == BATCH_MAX {
            return Err(PyValueError::new_err("more than 65536 signatures"));
        }
        type One<'py> = (Signer<'py>, Bound<'py, PyBytes>, Bound<'py, PyBytes>);
        let (signer, signature, message): One<'_> = one?.extract()?;
        read.push((
            signer,
            PyBackedBytes::from(signature),
            PyBackedBytes::from(message),
        ));
    }
    let signed: Vec<Signed<'_>> = read
        .iter()
        .map(|(signer, signature, message)| Signed {
            signer: match signer {
                Signer::New(key) => sm2::Signer::New(&key.get().0),
                Signer::Kept(kept) => sm2::Signer::Kept(&kept.get().0),
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
