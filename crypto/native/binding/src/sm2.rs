use pyo3::prelude::*;
use pyo3::types::PyBytes;
use sscard_sm::sm2::{Ciphertext, Signature};

use crate::errors::{decryption_failed, invalid_signature};
use crate::gil::work;
use crate::self_test::operational;

/// Encode r and s, 64 bytes, as SM2Signature. Raises InvalidSignatureError out of range.
#[pyfunction]
pub(crate) fn signature_to_der<'py>(
    py: Python<'py>,
    signature: &[u8],
) -> PyResult<Bound<'py, PyBytes>> {
    operational()?;
    let signature = Signature::from_bytes(signature).map_err(invalid_signature)?;
    Ok(PyBytes::new(py, &signature.to_der()))
}

/// Decode SM2Signature to r and s, 64 bytes. Raises InvalidSignatureError for all but DER.
#[pyfunction]
pub(crate) fn signature_from_der<'py>(
    py: Python<'py>,
    der: &[u8],
) -> PyResult<Bound<'py, PyBytes>> {
    operational()?;
    let signature = Signature::from_der(der).map_err(invalid_signature)?;
    Ok(PyBytes::new(py, &signature.to_bytes()))
}

/// Encode 04, x, y, C3, C2 as SM2Cipher. Raises DecryptionError, whatever is wrong.
#[pyfunction]
pub(crate) fn ciphertext_to_der<'py>(
    py: Python<'py>,
    ciphertext: &[u8],
) -> PyResult<Bound<'py, PyBytes>> {
    operational()?;
    let der = work(py, ciphertext.len(), || {
        Ok(Ciphertext::from_bytes(ciphertext)?.to_der())
    });
    Ok(PyBytes::new(py, &der.map_err(decryption_failed)?))
}

/// Decode SM2Cipher to 04, x, y, C3, C2. Raises DecryptionError, whatever is wrong.
#[pyfunction]
pub(crate) fn ciphertext_from_der<'py>(
    py: Python<'py>,
    der: &[u8],
) -> PyResult<Bound<'py, PyBytes>> {
    operational()?;
    let ciphertext = work(py, der.len(), || Ok(Ciphertext::from_der(der)?.to_bytes()));
    Ok(PyBytes::new(py, &ciphertext.map_err(decryption_failed)?))
}
