use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyInt};
use sscard_sm::SelfTest;

use crate::errors::{random_source_failed, self_test_failed};
use crate::gil::work;
use crate::sizes::size_within;

/// Bytes that one call gives: no caller needs more, and a slip in a size shows.
const RANDOM_SIZE_MAX: usize = 1 << 20;

/// A random byte costs as much time as so many that are digested: each 56 are a system call.
const DRAW_COST: usize = 4;

/// Every operation asks first. Raises SelfTestError in the error state.
pub(crate) fn operational() -> PyResult<()> {
    sscard_sm::operational().map_err(self_test_failed)
}

/// Go on only if no self-test has failed. Raises SelfTestError.
#[pyfunction]
pub(crate) fn require_operational() -> PyResult<()> {
    operational()
}

/// Run the known answers again; returns the name of each test and whether it never failed.
#[pyfunction]
pub(crate) fn run_self_tests(py: Python<'_>) -> Vec<(&'static str, bool)> {
    py.detach(sscard_sm::run_known_answers);
    SelfTest::ALL
        .into_iter()
        .map(|test| (test.name(), !sscard_sm::has_failed(test)))
        .collect()
}

/// Enter the error state because of what Python's bulk cipher answered.
#[pyfunction]
pub(crate) fn fail_bulk_cipher() {
    sscard_sm::enter_error_state(SelfTest::BulkCipher);
}

/// Up to 1 MiB from the system's random source, tested as it is drawn.
///
/// Raises ValueError for another size, RandomSourceError, SelfTestError.
#[pyfunction]
pub(crate) fn random_bytes<'py>(
    py: Python<'py>,
    size: &Bound<'py, PyInt>,
) -> PyResult<Bound<'py, PyBytes>> {
    operational()?;
    let size = size_within(size, 0..=RANDOM_SIZE_MAX, "more random bytes than 1 MiB")?;
    PyBytes::new_with(py, size, |bytes| {
        work(py, size * DRAW_COST, || sscard_sm::fill_random(bytes)).map_err(random_source_failed)
    })
}
