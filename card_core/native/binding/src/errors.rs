//! The errors of `card_core.codes.errors` and `card_core.status_list.errors`, and what raises them.

use pyo3::prelude::*;
use sscard_codes::Refusal;
use sscard_sm::SelfTestFailed;
use sscard_status_list::Error as StatusListError;

mod python {
    pyo3::import_exception!(card_core.codes.errors, InvalidFieldError);
    pyo3::import_exception!(card_core.codes.errors, RefusedError);
    pyo3::import_exception!(card_core.status_list.errors, InvalidListError);
    pyo3::import_exception!(card_core.status_list.errors, MalformedListError);
    pyo3::import_exception!(crypto.errors, SelfTestError);
}

pub(crate) fn refused(refusal: Refusal) -> PyErr {
    python::RefusedError::new_err(refusal.name())
}

pub(crate) fn invalid_field(name: &'static str) -> PyErr {
    python::InvalidFieldError::new_err(name)
}

/// Bytes that are no list are the sender's fault, everything else is the caller's.
pub(crate) fn no_list(error: StatusListError) -> PyErr {
    match error {
        StatusListError::Malformed => python::MalformedListError::new_err(()),
        error => python::InvalidListError::new_err(error.name()),
    }
}

/// Go on only if no self-test of this module's own copy of the SM core has failed.
///
/// Raises SelfTestError.
#[pyfunction]
pub(crate) fn require_operational() -> PyResult<()> {
    operational()
}

/// Nothing is checked once a self-test of this module's own copy of the SM core has failed.
pub(crate) fn operational() -> PyResult<()> {
    sscard_sm::operational().map_err(|SelfTestFailed| python::SelfTestError::new_err(()))
}

/// Converts a caller's value; one that doesn't fit is named, not shown.
pub(crate) fn field<'py, T>(value: &Bound<'py, PyAny>, name: &'static str) -> PyResult<T>
where
    T: FromPyObjectOwned<'py>,
{
    value.extract().map_err(|_| invalid_field(name))
}

/// Bytes of a fixed size.
pub(crate) fn sized<const N: usize>(
    value: &Bound<'_, PyAny>,
    name: &'static str,
) -> PyResult<[u8; N]> {
    let bytes: &[u8] = value.extract().map_err(|_| invalid_field(name))?;
    bytes.try_into().map_err(|_| invalid_field(name))
}
