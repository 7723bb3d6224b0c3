use pyo3::prelude::*;
use sscard_sm::Backend;

/// The name of the back end in use: "portable" or "adx".
#[pyfunction]
pub(crate) fn backend() -> &'static str {
    Backend::current().name()
}

/// The names of the back ends that this processor can run, the fastest last.
#[pyfunction]
pub(crate) fn available_backends() -> Vec<&'static str> {
    Backend::available().map(Backend::name).collect()
}
