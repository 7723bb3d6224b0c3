//! SM2 (GB/T 32918): keys, signatures and encryption on the curve of GB/T 32918.5.
//!
//! Values that are not valid can't be built: a [`PublicKey`] is on the curve, a [`PrivateKey`]
//! is between 1 and n-2, a [`Signature`] has both halves between 1 and n-1. What uses a private
//! key runs in constant time; what uses public values only need not.

mod batch;
mod ciphertext;
mod encryption;
mod errors;
mod identity;
mod kept_keys;
mod nonce;
mod private_key;
mod public_key;
pub(crate) mod self_test;
mod signature;
mod verifier;

#[cfg(test)]
mod tests;

pub use batch::{Signed, Signer, verify_batch};
pub use ciphertext::Ciphertext;
pub use encryption::PLAINTEXT_MAX;
pub use errors::{DecryptionFailed, EncryptionFailed, InvalidKey, InvalidSignature, SigningFailed};
pub use identity::{DEFAULT_SIGNER_ID, SIGNER_ID_MAX};
pub use kept_keys::{KeptKeys, Refused};
pub use private_key::PrivateKey;
pub use public_key::PublicKey;
pub use signature::Signature;
pub use verifier::{NarrowVerifier, Verifier};
