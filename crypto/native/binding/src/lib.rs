//! The extension module `crypto._native`: it converts, releases the interpreter's lock and maps
//! errors. What is computed, and what is refused, stands in `sscard-sm`.

mod backend;
mod batch;
mod errors;
mod fields;
mod gil;
mod kept_keys;
mod private_key;
mod public_key;
mod self_test;
mod sizes;
mod sm2;
mod sm3;
mod sm4;
mod tree;
mod verifier;

/// The native core of the package `crypto`, whose modules are its public face.
#[pyo3::pymodule]
mod _native {
    use pyo3::exceptions::PyImportError;

    #[pymodule_export]
    use crate::backend::{available_backends, backend};
    #[pymodule_export]
    use crate::batch::verify_batch;
    #[pymodule_export]
    use crate::fields::{FieldsKey, fields_digest, fields_encode};
    #[pymodule_export]
    use crate::kept_keys::KeptKeys;
    #[pymodule_export]
    use crate::private_key::PrivateKey;
    #[pymodule_export]
    use crate::public_key::PublicKey;
    #[pymodule_export]
    use crate::self_test::{fail_bulk_cipher, random_bytes, require_operational, run_self_tests};
    #[pymodule_export]
    use crate::sm2::{
        ciphertext_from_der, ciphertext_to_der, signature_from_der, signature_to_der,
    };
    #[pymodule_export]
    use crate::sm3::{Hash, sm3_digest, sm3_hmac, sm3_hmac_verify, sm3_kdf};
    #[pymodule_export]
    use crate::sm4::{
        Cipher, Gcm, sm4_cbc_mac, sm4_decrypt_block, sm4_diversify, sm4_encrypt_block,
        sm4_wrap_diversified,
    };
    #[pymodule_export]
    use crate::tree::sm3_tree;
    #[pymodule_export]
    use crate::verifier::Verifier;

    /// Builds the tables of the base point now, so that no fork falls into their building, and
    /// runs the self-tests. One that fails is no error here: all that is asked for later raises
    /// SelfTestError, and a program can still tell what failed.
    ///
    /// Raises ImportError when the environment asks for a back end that is not there.
    #[pymodule_init]
    fn init(_module: &pyo3::Bound<'_, pyo3::types::PyModule>) -> pyo3::PyResult<()> {
        sscard_sm::prepare().map_err(|error| PyImportError::new_err(error.to_string()))
    }
}
