//! Tests of SM2: published values with their own k, refusals, nonces.

mod encryption;
mod kept_keys;
mod keys;
mod nonces;
mod official;
mod signatures;

use super::{
    InvalidSignature, KeptKeys, PrivateKey, Refused, Signed, Signer, Verifier, verify_batch,
};
use crate::limbs::{self, Limbs};
use crate::portable::Prime;
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
    let kept = Verifier::new(*key.public_key());
    let signed = [Signer::New(key.public_key()), Signer::Kept(&kept)].map(|signer| Signed {
        signer,
        signature,
        message,
    });
    // Alone, and so often that the batch builds a table.
    for count in [1, 12] {
        let verdicts = verify_batch(&signed.repeat(count), signer_id);
        assert_eq!(verdicts, vec![once; 2 * count]);
    }
    let kept_keys = KeptKeys::new(1 << 20);
    let point = key.public_key().to_sec1();
    let verdict = kept_keys.verify(&point, signature, message, signer_id);
    assert_eq!(verdict, once.map_err(Refused::Signature));
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
