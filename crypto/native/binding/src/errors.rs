//! The errors of `crypto.errors`, which is where their texts stand.

use pyo3::PyErr;
use pyo3::exceptions::PyValueError;
use sscard_sm::RandomSourceFailed;
use sscard_sm::hmac::InvalidMac;
use sscard_sm::sm2::{
    DecryptionFailed, EncryptionFailed, InvalidKey, InvalidSignature, SigningFailed,
};

mod python {
    pyo3::import_exception!(crypto.errors, DecryptionError);
    pyo3::import_exception!(crypto.errors, InvalidKeyError);
    pyo3::import_exception!(crypto.errors, InvalidMacError);
    pyo3::import_exception!(crypto.errors, InvalidSignatureError);
    pyo3::import_exception!(crypto.errors, RandomSourceError);
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

pub(crate) fn random_source_failed(_: RandomSourceFailed) -> PyErr {
    python::RandomSourceError::new_err(())
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
