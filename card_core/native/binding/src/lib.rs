//! The extension module `card_core._native`: it converts, releases the interpreter's lock and maps
//! errors. What a code is, and what is refused, stands in `sscard-codes`; status lists stand in
//! `sscard-status-list`. Arrays and rows for PostgreSQL are conversion alone and stand here.

mod array_text;
mod checking;
mod copy_rows;
mod errors;
mod keys;
mod making;
mod status_list;

/// The native core of `card_core.codes`, which is its public face.
#[pyo3::pymodule]
mod _native {
    use pyo3::exceptions::PyImportError;
    use pyo3::prelude::*;

    #[pymodule_export]
    use crate::array_text::array_text;
    #[pymodule_export]
    use crate::checking::check;
    #[pymodule_export]
    use crate::copy_rows::copy_rows;
    #[pymodule_export]
    use crate::errors::require_operational;
    #[pymodule_export]
    use crate::keys::KeyRing;
    #[pymodule_export]
    use crate::making::{
        assemble, assemble_credential, credential_to_be_signed, offline_to_be_signed,
        online_to_be_signed,
    };

    #[pymodule_export]
    use crate::status_list::{StatusList, compose_status_changes, status_changes};

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        // The tables of the base point are built now, so that no fork falls into their building.
        sscard_sm::prepare().map_err(|error| PyImportError::new_err(error.to_string()))?;
        module.add("AMOUNT_FEN_MAX", sscard_codes::AMOUNT_FEN_MAX)?;
        module.add("CODE_LIFE_SECONDS", sscard_codes::CODE_LIFE_SECONDS)?;
        module.add("CODE_TEXT_MAX", sscard_codes::TEXT_MAX)?;
        module.add(
            "CREDENTIAL_LIFE_SECONDS",
            sscard_codes::CREDENTIAL_LIFE_SECONDS,
        )?;
        module.add("KEY_RING_MAX", sscard_codes::KEY_RING_MAX)?;
        module.add("OFFLINE_SKEW_SECONDS", sscard_codes::OFFLINE_SKEW_SECONDS)?;
        module.add("ONLINE_SKEW_SECONDS", sscard_codes::ONLINE_SKEW_SECONDS)?;
        module.add("STATUS_LISTED_MAX", sscard_status_list::LISTED_MAX)?;
        module.add("STATUS_POSITIONS_MAX", sscard_status_list::POSITIONS_MAX)
    }
}
