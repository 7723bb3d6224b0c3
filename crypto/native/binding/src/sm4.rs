use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use sscard_sm::sm4::{Block, Sm4};

/// Encrypt one block of 16 bytes under a key of 16 (GB/T 32907), without a secret-indexed table.
///
/// Raises ValueError for other lengths.
#[pyfunction]
pub(crate) fn sm4_encrypt_block<'py>(
    py: Python<'py>,
    key: &[u8],
    block: &[u8],
) -> PyResult<Bound<'py, PyBytes>> {
    let output = Sm4::new(exact(key)?).encrypt_block(exact(block)?);
    Ok(PyBytes::new(py, &output))
}

/// Decrypt one block of 16 bytes under a key of 16. Raises ValueError for other lengths.
#[pyfunction]
pub(crate) fn sm4_decrypt_block<'py>(
    py: Python<'py>,
    key: &[u8],
    block: &[u8],
) -> PyResult<Bound<'py, PyBytes>> {
    let output = Sm4::new(exact(key)?).decrypt_block(exact(block)?);
    Ok(PyBytes::new(py, &output))
}

fn exact(bytes: &[u8]) -> PyResult<&Block> {
    bytes
        .try_into()
        .map_err(|_| PyValueError::new_err("an SM4 key or block has 16 bytes"))
}
