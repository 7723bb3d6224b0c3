use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyList};
use sscard_sm::merkle::Tree;

use crate::gil::work;
use crate::self_test::operational;

/// The root and each leaf's path in a tree of RFC 6962, section 2.1, with SM3.
///
/// Raises ValueError for no leaves, or more than 65 536.
#[pyfunction]
pub(crate) fn sm3_tree<'py>(
    py: Python<'py>,
    leaves: &Bound<'py, PyList>,
) -> PyResult<(Bound<'py, PyBytes>, Vec<Bound<'py, PyBytes>>)> {
    operational()?;
    if leaves.len() > LEAVES_MAX {
        return Err(PyValueError::new_err("a tree has at most 65536 leaves"));
    }
    // Held by references of our own: another thread may change the list meanwhile.
    let mut held = Vec::with_capacity(leaves.len());
    for leaf in leaves {
        held.push(leaf.cast_into::<PyBytes>()?);
    }
    let leaves: Vec<&[u8]> = held.iter().map(|leaf| leaf.as_bytes()).collect();
    let size = leaves.iter().map(|leaf| leaf.len() + NODE_SIZE).sum();
    let made = work(py, size, || {
        let tree = Tree::new(&leaves)?;
        let paths: Vec<_> = (0..leaves.len()).filter_map(|at| tree.path(at)).collect();
        Some((tree.root(), paths))
    });
    let (root, paths) = made.ok_or_else(|| PyValueError::new_err("a tree has a leaf"))?;
    let paths = paths.iter().map(|path| PyBytes::new(py, path)).collect();
    Ok((PyBytes::new(py, &root), paths))
}

/// What is hashed of a leaf's place in the levels above it, about.
const NODE_SIZE: usize = 65;

/// Leaves of a tree in one call.
const LEAVES_MAX: usize = 1 << 16;
