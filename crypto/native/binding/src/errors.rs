//! The errors of `crypto.errors`, which is where their texts stand.

use pyo3::PyErr;
use pyo3::exceptions::PyValueError;
use sscard_sm::hmac::InvalidMac;
use sscard_sm::sm2::{
    DecryptionFailed, EncryptionFailed, InvalidKey, InvalidSignature, SigningFailed,
};
use sscard_sm::{RandomSourceFailed, SelfTestFailed};

mod python {
    pyo3::import_exception!(crypto.errors, DecryptionError);
    pyo3::import_exception!(crypto.errors, InvalidKeyError);
    pyo3::import_exception!(crypto.errors, InvalidMacError);
    pyo3::import_exception!(crypto.errors, InvalidSignatureError);
    pyo3::import_exception!(crypto.errors, RandomSourceError);
    pyo3::import_exception!(crypto.errors, SelfTestError);
}

pub(crate) fn invalid_key(_: InvalidKey) -> PyErr {
    python::InvalidKeyError::new_err(())
}

pub(crate) fn invalid_signature(_: InvalidSignature) -> PyErr {
    python::InvalidSignatureError::new_err(())
}

pub(crate) fn invalid_mac(_: InvalidMac) -> PyErr {
    python::InvalidMacError::new_err(())
}

pub(crate) fn decryption_failed(_: DecryptionFailed) -> PyErr {
    python::DecryptionError::new_err(())
}

pub(crate) fn not_opened() -> PyErr {
    python::DecryptionError::new_err(())
}

/// The draw that fails a test is the first operation of the error state.
pub(crate) fn random_source_failed(_: RandomSourceFailed) -> PyErr {
    match sscard_sm::operational() {
        Ok(()) => python::RandomSourceError::new_err(()),
        Err(error) => self_test_failed(error),
    }
}

pub(crate) fn self_test_failed(_: SelfTestFailed) -> PyErr {
    python::SelfTestError::new_err(())
}

pub(crate) fn signing_failed(error: SigningFailed) -> PyErr {
    match error {
        SigningFailed::SignerIdTooLong => signer_id_too_long(),
        SigningFailed::RandomSource => random_source_failed(RandomSourceFailed),
    }
}

pub(crate) fn encryption_failed(error: EncryptionFailed) -> PyErr {
    match error {
        EncryptionFailed::EmptyPlaintext => PyValueError::new_err("the plaintext is empty"),
        EncryptionFailed::PlaintextTooLong => PyValueError::new_err("the plaintext is too long"),
        EncryptionFailed::RandomSource => random_source_failed(RandomSourceFailed),
    }
}

pub(crate) fn signer_id_too_long() -> PyErr {
    PyValueError::new_err("the signer id has more than 8191 bytes")
}
