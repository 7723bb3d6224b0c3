//! Tests of SM2: published values with their own k, refusals, nonces.

mod encryption;
mod keys;
mod nonces;
mod official;
mod signatures;

use super::{InvalidSignature, PrivateKey, Signed, Verifier, verify_batch};
use crate::limbs::{self, Limbs};
use crate::residue::Modulus;
use crate::scalar::N;
use crate::tests::Official;

/// The private key of the standard's examples.
fn example_key() -> PrivateKey {
    PrivateKey::from_bytes(&Official::section("sm2_sign").number("d")).unwrap()
}

/// All ways to verify, which must agree.
fn verify(
    key: &PrivateKey,
    signature: &[u8],
    message: &[u8],
    signer_id: &[u8],
) -> Result<(), InvalidSignature> {
    let once = key.public_key().verify(signature, message, signer_id);
    let kept = Verifier::new(*key.public_key()).verify(signature, message, signer_id);
    assert_eq!(once, kept);
    let public_key = key.public_key();
    let signed = Signed {
        public_key,
        signature,
        message,
    };
    assert_eq!(verify_batch(&[signed, signed], signer_id), [once, once]);
    once
}

/// n and a small number more.
fn n_plus(amount: u64) -> Limbs {
    limbs::add(&N::VALUE, &[amount, 0, 0, 0]).0
}

/// n and a small number less.
fn n_minus(amount: u64) -> Limbs {
    limbs::sub(&N::VALUE, &[amount, 0, 0, 0]).0
}
