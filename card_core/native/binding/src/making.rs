use pyo3::prelude::*;
use pyo3::types::PyBytes;
use sscard_codes::{Binding, Credential, Flags, OfflineCode, OnlineCode, Scope};

use crate::errors::{field, invalid_field, sized};

/// The context prefix and the bytes of an online code up to its signature.
#[pyfunction]
#[expect(
    clippy::too_many_arguments,
    reason = "a code has as many fields as its layout"
)]
pub(crate) fn online_to_be_signed<'py>(
    py: Python<'py>,
    issuer: &Bound<'py, PyAny>,
    key_number: &Bound<'py, PyAny>,
    minted_at: &Bound<'py, PyAny>,
    purpose_class: &Bound<'py, PyAny>,
    purposes: &Bound<'py, PyAny>,
    for_whom: &Bound<'py, PyAny>,
    presence: &Bound<'py, PyAny>,
    terminal: &Bound<'py, PyAny>,
    amount_fen: &Bound<'py, PyAny>,
    sealed_box: &Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyBytes>> {
    let code = OnlineCode {
        issuer: field(issuer, "issuer")?,
        key_number: field(key_number, "key_number")?,
        minted_at: field(minted_at, "minted_at")?,
        scope: scope(purpose_class, purposes)?,
        flags: flags(for_whom, presence)?,
        binding: binding(terminal, amount_fen)?,
        sealed_box: sized(sealed_box, "box")?,
    };
    Ok(PyBytes::new(py, &code.to_be_signed()))
}

/// The context prefix and the bytes of a device credential up to its signature.
#[pyfunction]
#[expect(
    clippy::too_many_arguments,
    reason = "a credential has as many fields as its layout"
)]
pub(crate) fn credential_to_be_signed<'py>(
    py: Python<'py>,
    issuer: &Bound<'py, PyAny>,
    key_number: &Bound<'py, PyAny>,
    expires_at: &Bound<'py, PyAny>,
    purpose_class: &Bound<'py, PyAny>,
    purposes: &Bound<'py, PyAny>,
    for_whom: &Bound<'py, PyAny>,
    presence: &Bound<'py, PyAny>,
    status_index: &Bound<'py, PyAny>,
    device_key: &Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyBytes>> {
    let device_key = sized(device_key, "device_key")?;
    let credential = Credential {
        issuer: field(issuer, "issuer")?,
        key_number: field(key_number, "key_number")?,
        expires_at: field(expires_at, "expires_at")?,
        scope: scope(purpose_class, purposes)?,
        flags: flags(for_whom, presence)?,
        status_index: field(status_index, "status_index")?,
        device_key,
    };
    sscard_sm::sm2::PublicKey::from_sec1(&device_key).map_err(|_| invalid_field("device_key"))?;
    Ok(PyBytes::new(py, &credential.to_be_signed()))
}

/// The context prefix and the bytes of an offline code up to the device's signature.
#[pyfunction]
pub(crate) fn offline_to_be_signed<'py>(
    credential: &Bound<'py, PyBytes>,
    minted_at: &Bound<'py, PyAny>,
    purpose_class: &Bound<'py, PyAny>,
    purposes: &Bound<'py, PyAny>,
    nonce: &Bound<'py, PyAny>,
    terminal: &Bound<'py, PyAny>,
    amount_fen: &Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyBytes>> {
    let py = credential.py();
    let (credential, credential_signature) = OfflineCode::read_credential(credential.as_bytes())
        .map_err(|_| invalid_field("credential"))?;
    let code = OfflineCode {
        credential,
        credential_signature,
        minted_at: field(minted_at, "minted_at")?,
        scope: scope(purpose_class, purposes)?,
        nonce: sized(nonce, "nonce")?,
        binding: binding(terminal, amount_fen)?,
    };
    Ok(PyBytes::new(py, &code.to_be_signed()))
}

/// The text of an online or offline code: what was signed, and 64 bytes of signature.
#[pyfunction]
pub(crate) fn assemble(to_be_signed: &[u8], signature: &Bound<'_, PyAny>) -> PyResult<String> {
    sscard_codes::assemble(to_be_signed, &sized(signature, "signature")?)
        .map_err(|_| invalid_field("to_be_signed"))
}

/// The bytes of a device credential: what was signed, and 64 bytes of signature.
#[pyfunction]
pub(crate) fn assemble_credential<'py>(
    py: Python<'py>,
    to_be_signed: &[u8],
    signature: &Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyBytes>> {
    sscard_codes::assemble_credential(to_be_signed, &sized(signature, "signature")?)
        .map(|bytes| PyBytes::new(py, &bytes))
        .map_err(|_| invalid_field("to_be_signed"))
}

fn scope(class: &Bound<'_, PyAny>, purposes: &Bound<'_, PyAny>) -> PyResult<Scope> {
    let (class, purposes) = (field(class, "purpose_class")?, field(purposes, "purposes")?);
    Scope::new(class, purposes).ok_or_else(|| invalid_field("purpose_class or purposes"))
}

fn flags(for_whom: &Bound<'_, PyAny>, presence: &Bound<'_, PyAny>) -> PyResult<Flags> {
    let (for_whom, presence) = (field(for_whom, "for_whom")?, field(presence, "presence")?);
    Flags::new(for_whom, presence).ok_or_else(|| invalid_field("for_whom or presence"))
}

fn binding(terminal: &Bound<'_, PyAny>, amount_fen: &Bound<'_, PyAny>) -> PyResult<Binding> {
    let (terminal, amount_fen) = (
        sized(terminal, "terminal")?,
        field(amount_fen, "amount_fen")?,
    );
    Binding::new(terminal, amount_fen).ok_or_else(|| invalid_field("amount_fen"))
}
