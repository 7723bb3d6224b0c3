use pyo3::prelude::*;
use sscard_sm::Backend;

/// The name of the back end in use: "portable", "adx" or "ifma".
#[pyfunction]
pub(crate) fn backend() -> &'static str {
    Backend::current().name()
}

/// The names of the back ends that this processor can run, last the one that is chosen by itself.
#[pyfunction]
pub(crate) fn available_backends() -> Vec<&'static str> {
    Backend::available().map(Backend::name).collect()
}
