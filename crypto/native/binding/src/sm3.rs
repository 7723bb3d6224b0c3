use std::sync::{Mutex, PoisonError};

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use pyo3::types::{PyBytes, PyInt, PyList};
use sscard_sm::hmac;
use sscard_sm::kdf;
use sscard_sm::sm3::{self, Sm3};
use sscard_sm::tree;
use zeroize::Zeroizing;

use crate::errors::invalid_mac;
use crate::gil::work;
use crate::self_test::operational;
use crate::sizes::size_within;

/// A digest in the making.
#[pyclass(module = "crypto.sm3", frozen)]
pub(crate) struct Hash(Mutex<Sm3>);

#[pymethods]
impl Hash {
    #[new]
    fn new() -> PyResult<Self> {
        operational()?;
        Ok(Self(Mutex::new(Sm3::new())))
    }

    /// Read on.
    fn update(&self, py: Python<'_>, data: &[u8]) -> PyResult<()> {
        operational()?;
        // Taken and given back without the interpreter's lock in between, so the two locks
        // can't wait for each other.
        work(py, data.len(), || {
            self.0
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .update(data);
        });
        Ok(())
    }

    /// The digest of what was read so far, 32 bytes; reading can go on.
    fn digest<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        operational()?;
        let digest = self
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .digest();
        Ok(PyBytes::new(py, &digest))
    }
}

/// The digest of some bytes, 32 bytes (GB/T 32905).
#[pyfunction]
pub(crate) fn sm3_digest<'py>(py: Python<'py>, data: &[u8]) -> PyResult<Bound<'py, PyBytes>> {
    operational()?;
    let digest = work(py, data.len(), || sm3::digest(data));
    Ok(PyBytes::new(py, &digest))
}

/// The tag of some bytes under a key of any length, 32 bytes (HMAC over SM3).
#[pyfunction]
pub(crate) fn sm3_hmac<'py>(
    py: Python<'py>,
    key: &[u8],
    data: &[u8],
) -> PyResult<Bound<'py, PyBytes>> {
    operational()?;
    let tag = work(py, key.len() + data.len(), || hmac::hmac(key, data));
    Ok(PyBytes::new(py, &tag))
}

/// Check a tag of 32 bytes in constant time. Raises InvalidMacError, also for another length.
#[pyfunction]
pub(crate) fn sm3_hmac_verify(py: Python<'_>, key: &[u8], data: &[u8], tag: &[u8]) -> PyResult<()> {
    operational()?;
    work(py, key.len() + data.len(), || hmac::verify(key, data, tag)).map_err(invalid_mac)
}

/// Derive `length` bytes, at most 32 MiB, from z (GB/T 32918.4, 5.4.3).
///
/// Raises ValueError for a length out of 1 to 32 MiB.
#[pyfunction]
pub(crate) fn sm3_kdf<'py>(
    py: Python<'py>,
    z: &[u8],
    length: &Bound<'py, PyInt>,
) -> PyResult<Bound<'py, PyBytes>> {
    operational()?;
    let otherwise = "the length is not between 1 byte and 32 MiB";
    let length = size_within(length, 1..=kdf::OUTPUT_MAX, otherwise)?;
    let output = work(py, z.len() + length, || {
        let mut output = Zeroizing::new(vec![0; length]);
        kdf::fill(z, &mut output);
        output
    });
    Ok(PyBytes::new(py, &output))
}

/// The root, 32 bytes, of a Merkle tree over some leaves (RFC 6962, 2.1), and each leaf's path:
/// the hashes beside its way up, the lowest first.
///
/// Raises ValueError for no leaf, or more than 65 536.
#[pyfunction]
pub(crate) fn sm3_tree<'py>(
    py: Python<'py>,
    leaves: &Bound<'py, PyList>,
) -> PyResult<(Bound<'py, PyBytes>, Bound<'py, PyList>)> {
    operational()?;
    if leaves.len() > LEAVES_MAX {
        return Err(PyValueError::new_err("more than 65536 leaves"));
    }
    let leaves: Vec<PyBackedBytes> = leaves.extract()?;
    let size = leaves.iter().map(|leaf| leaf.len() + LEAF_WORK).sum();
    let (root, paths) = work(py, size, || tree::root_and_paths(&leaves))
        .ok_or_else(|| PyValueError::new_err("a tree has at least one leaf"))?;
    let paths = PyList::new(py, paths.iter().map(|path| PyBytes::new(py, path)))?;
    Ok((PyBytes::new(py, &root), paths))
}

/// A leaf takes, with its nodes, as long as so many more bytes of a digest.
const LEAF_WORK: usize = 192;

/// Leaves of a tree in one call.
const LEAVES_MAX: usize = 1 << 16;
