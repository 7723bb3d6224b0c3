use pyo3::prelude::*;
use sscard_codes::{InvalidKeys, KEY_RING_MAX, Key, KeyPurpose, KeyState, REMEMBERED_BYTES};
use sscard_sm::sm2::PublicKey;

use crate::errors::{field, invalid_field, operational};

/// The issuers' keys that codes are checked with; they never change, and serve all threads.
///
/// A ring also remembers, within `remembered_bytes_max` (None: 16 MiB), the device credentials
/// whose codes it found good, so that the next code under one is checked in less time. It never
/// changes an answer.
#[pyclass(module = "card_core._native", frozen)]
pub(crate) struct KeyRing(pub(crate) sscard_codes::KeyRing);

#[pymethods]
impl KeyRing {
    /// Take at most KEY_RING_MAX keys (`CodeKey`); builds a table for each, in 1 to 2 ms. Keys
    /// that sign neither codes nor device credentials are left out.
    ///
    /// Raises InvalidFieldError: a limit that is no number of bytes, too many keys, two with the
    /// same purpose, issuer and number, or one public key for both purposes. SelfTestError once a
    /// self-test has failed.
    #[new]
    #[pyo3(signature = (keys, *, remembered_bytes_max = None))]
    fn new(
        py: Python<'_>,
        keys: &Bound<'_, PyAny>,
        remembered_bytes_max: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Self> {
        operational()?;
        let remembered_bytes_max = match remembered_bytes_max {
            Some(bytes) => field(bytes, "remembered_bytes_max")?,
            None => REMEMBERED_BYTES,
        };
        let mut read = Vec::new();
        for key in keys.try_iter()? {
            read.extend(read_key(&key?)?);
            // One too many is enough to refuse them; an iterator need not have an end.
            if read.len() > KEY_RING_MAX {
                break;
            }
        }
        py.detach(|| sscard_codes::KeyRing::remembering(&read, remembered_bytes_max))
            .map(Self)
            .map_err(|error| {
                invalid_field(match error {
                    InvalidKeys::TooMany => "keys (too many)",
                    InvalidKeys::Repeated => "keys (a number is there twice)",
                    InvalidKeys::Shared => "keys (one key for two purposes)",
                })
            })
    }

    fn __len__(&self) -> usize {
        self.0.len()
    }

    /// How many device credentials are remembered.
    #[getter]
    fn remembered(&self) -> usize {
        self.0.remembered().len()
    }

    /// The bytes that they take.
    #[getter]
    fn remembered_bytes(&self) -> usize {
        self.0.remembered().bytes()
    }

    fn __repr__(&self) -> String {
        format!("<card_core.codes.KeyRing of {} keys>", self.0.len())
    }
}

/// None for a key that no code is ever checked with: of status lists, receipts and the like.
fn read_key(key: &Bound<'_, PyAny>) -> PyResult<Option<Key>> {
    // Bytes and no other sequence, which might claim any length.
    let point = key.getattr("public_key")?.call_method0("to_bytes")?;
    let point: &[u8] = point.extract()?;
    let purpose: String = key.getattr("purpose")?.extract()?;
    let state: String = key.getattr("state")?.extract()?;
    Ok(Some(Key {
        purpose: match purpose.as_str() {
            "code_signing" => KeyPurpose::CodeSigning,
            "device_credential" => KeyPurpose::DeviceCredential,
            "status" | "receipt" | "peer" | "trust_list" | "card_issuing" => return Ok(None),
            _ => return Err(invalid_field("purpose")),
        },
        issuer: field(&key.getattr("issuer")?, "issuer")?,
        number: field(&key.getattr("number")?, "number")?,
        state: match state.as_str() {
            "pending" => KeyState::Pending,
            "active" => KeyState::Active,
            "verify_only" => KeyState::VerifyOnly,
            "revoked" => KeyState::Revoked,
            _ => return Err(invalid_field("state")),
        },
        public_key: PublicKey::from_sec1(point).map_err(|_| invalid_field("public_key"))?,
    }))
}
