use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyString};
use sscard_codes::{CheckedCode, Refusal, Request, TEXT_MAX};

use crate::errors::{field, operational, refused, sized};
use crate::keys::KeyRing;

/// Kind, issuer, key number, minted at; class, purposes; for whom, presence; terminal, amount;
/// the box of an online code; what only an offline code has.
type Fields<'py> = (
    u8,
    u16,
    u8,
    u32,
    u8,
    u16,
    u8,
    u8,
    Bound<'py, PyBytes>,
    u32,
    Option<Bound<'py, PyBytes>>,
    Option<OfflineFields<'py>>,
);

/// Nonce, device key, status index, end of the credential's day.
type OfflineFields<'py> = (Bound<'py, PyBytes>, Bound<'py, PyBytes>, u32, u32);

/// Steps 1 to 6 of docs/code-format.md; raises RefusedError with the first reason, and
/// SelfTestError once a self-test has failed.
///
/// Works without the interpreter's lock.
#[pyfunction]
pub(crate) fn check<'py>(
    text: &Bound<'py, PyString>,
    keys: &Bound<'py, KeyRing>,
    now: &Bound<'py, PyAny>,
    purpose: &Bound<'py, PyAny>,
    consumes: bool,
    terminal: &Bound<'py, PyAny>,
    amount_fen: &Bound<'py, PyAny>,
) -> PyResult<Fields<'py>> {
    operational()?;
    let py = text.py();
    let request = Request {
        now: field(now, "now")?,
        purpose: field(purpose, "purpose")?,
        consumes,
        terminal: sized(terminal, "terminal")?,
        amount_fen: field(amount_fen, "amount_fen")?,
    };
    // A long text is not even converted, and one that has no UTF-8 form is no code either.
    if text.len()? > TEXT_MAX {
        return Err(refused(Refusal::Malformed));
    }
    let text = text.to_str().map_err(|_| refused(Refusal::Malformed))?;
    let keys = keys.get();
    py.detach(|| sscard_codes::check(text, &keys.0, &request))
        .map(|code| fields(py, &code))
        .map_err(refused)
}

fn fields<'py>(py: Python<'py>, code: &CheckedCode) -> Fields<'py> {
    match code {
        CheckedCode::Online(code) => (
            1,
            code.issuer,
            code.key_number,
            code.minted_at,
            code.scope.class(),
            code.scope.purposes(),
            code.flags.for_whom(),
            code.flags.presence(),
            PyBytes::new(py, &code.binding.terminal()),
            code.binding.amount_fen(),
            Some(PyBytes::new(py, &code.sealed_box)),
            None,
        ),
        CheckedCode::Offline(code) => (
            2,
            code.credential.issuer,
            code.credential.key_number,
            code.minted_at,
            code.scope.class(),
            code.scope.purposes(),
            code.credential.flags.for_whom(),
            code.credential.flags.presence(),
            PyBytes::new(py, &code.binding.terminal()),
            code.binding.amount_fen(),
            None,
            Some((
                PyBytes::new(py, &code.nonce),
                PyBytes::new(py, &code.credential.device_key),
                code.credential.status_index,
                code.credential.expires_at,
            )),
        ),
    }
}
