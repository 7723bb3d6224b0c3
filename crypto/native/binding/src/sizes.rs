use core::ops::RangeInclusive;

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyInt;

/// Reads a number of bytes; raises ValueError with this text for any other, also for a number that
/// no usize holds, which would be an OverflowError.
pub(crate) fn size_within(
    number: &Bound<'_, PyInt>,
    range: RangeInclusive<usize>,
    otherwise: &'static str,
) -> PyResult<usize> {
    number
        .extract()
        .ok()
        .filter(|size| range.contains(size))
        .ok_or_else(|| PyValueError::new_err(otherwise))
}
