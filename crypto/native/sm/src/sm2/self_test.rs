//! The known answers of SM2: the examples of GB/T 32918.5, annex A and C.

use core::iter::repeat_n;

use crate::affine::AffinePoint;
use crate::error_state::{Latch, SelfTest};
use crate::random::RandomSource;
use crate::scalar::Scalar;
use crate::self_test::hex;
use crate::sm3::Digest;

use super::batch::NEW_FOR_LANES;
use super::identity::{DEFAULT_SIGNER_ID, identity_digest, message_digest};
use super::verifier::NARROW;
use super::{Ciphertext, PrivateKey, PublicKey, Signed, Signer, Verifier, verify_batch};

const D: [u8; 32] = hex("3945208f7b2144b13f36e38ac6d39f95889393692860b51a42fb81ef4df7c5b8");
const K: [u8; 32] = hex("59276e27d506861a16680f3ad9c02dccef3cc1fa3cdbe4ce6d54b80deac1bc21");
const MESSAGE: &[u8] = b"message digest";
const PLAINTEXT: &[u8; 19] = b"encryption standard";

/// 04, x, y, C3 and C2 of [`PLAINTEXT`].
const CIPHERTEXT_SIZE: usize = 65 + 32 + 19;

#[derive(Clone)]
pub(crate) struct Answers {
    /// x and y of the public key.
    pub(crate) public: [u8; 64],
    /// r and s.
    pub(crate) signature: [u8; 64],
    /// The same with one bit of s changed.
    pub(crate) forged: [u8; 64],
    pub(crate) ciphertext: [u8; CIPHERTEXT_SIZE],
    /// The same with one bit of C3 changed.
    pub(crate) changed: [u8; CIPHERTEXT_SIZE],
    pub(crate) plaintext: [u8; 19],
}

pub(crate) const ANSWERS: Answers = Answers {
    public: hex(concat!(
        "09f9df311e5421a150dd7d161e4bc5c672179fad1833fc076bb08ff356f35020",
        "ccea490ce26775a52dc6ea718cc1aa600aed05fbf35e084a6632f6072da9ad13"
    )),
    signature: SIGNATURE,
    forged: flipped(SIGNATURE, 63),
    ciphertext: CIPHERTEXT,
    changed: flipped(CIPHERTEXT, 65),
    plaintext: *PLAINTEXT,
};

const SIGNATURE: [u8; 64] = hex(concat!(
    "f5a03b0648d2c4630eeac513e1bb81a15944da3827d5b74143ac7eaceee720b3",
    "b1b6aa29df212fd8763182bc0d421ca1bb9038fd1f7f42d4840b69c485bbc1aa"
));

const CIPHERTEXT: [u8; CIPHERTEXT_SIZE] = hex(concat!(
    "04",
    "04ebfc718e8d1798620432268e77feb6415e2ede0e073c0f4f640ecd2e149a73",
    "e858f9d81e5430a57b36daab8f950a3c64e6ee6a63094d99283aff767e124df0",
    "59983c18f809e262923c53aec295d30383b54e39d609d160afcb1908d0bd8766",
    "21886ca989ca9c7d58087307ca93092d651efa"
));

const fn flipped<const N: usize>(mut bytes: [u8; N], position: usize) -> [u8; N] {
    bytes[position] ^= 1;
    bytes
}

/// Whether d gives its public key, and k its signature.
pub(crate) fn signs(answers: &Answers) -> bool {
    let (Ok(key), Some(k)) = (PrivateKey::from_bytes(&D), Scalar::from_bytes(&K)) else {
        return false;
    };
    let signature = message_e(key.public_key()).and_then(|e| key.sign_under(&e, &k));
    key.public_key().point.to_coordinates() == answers.public
        && signature.is_some_and(|signature| signature.to_bytes() == answers.signature)
}

/// Whether each way to verify accepts the signature and refuses the forged one.
pub(crate) fn verifies(answers: &Answers) -> bool {
    let Some(public_key) = public_key() else {
        return false;
    };
    let wide = Verifier::new(public_key);
    let narrow = Verifier::<NARROW>::build(public_key);
    let results = |signature: &[u8]| {
        // Eight under a kept key go side by side through the lanes, and the ninth is spread over them.
        let kept = repeat_n(Signer::Kept(&wide), 9);
        let new = repeat_n(Signer::New(&public_key), NEW_FOR_LANES);
        let signed: Vec<_> = kept
            .chain(new)
            .map(|signer| Signed {
                signer,
                signature,
                message: MESSAGE,
            })
            .collect();
        let mut results = verify_batch(&signed, DEFAULT_SIGNER_ID);
        results.push(public_key.verify(signature, MESSAGE, DEFAULT_SIGNER_ID));
        results.push(wide.verify(signature, MESSAGE, DEFAULT_SIGNER_ID));
        results.push(narrow.verify(signature, MESSAGE, DEFAULT_SIGNER_ID));
        results
    };
    let (good, bad) = (results(&answers.signature), results(&answers.forged));
    good.iter().all(Result::is_ok) && bad.iter().all(Result::is_err)
}

/// Whether the public key and k give the ciphertext.
pub(crate) fn encrypts(answers: &Answers) -> bool {
    let (Some(public_key), Some(k)) = (public_key(), Scalar::from_bytes(&K)) else {
        return false;
    };
    public_key
        .encrypt_under(PLAINTEXT, &k)
        .is_some_and(|ciphertext| ciphertext.to_bytes() == answers.ciphertext)
}

/// Whether d opens the ciphertext, and refuses the changed one.
pub(crate) fn decrypts(answers: &Answers) -> bool {
    let Ok(key) = PrivateKey::from_bytes(&D) else {
        return false;
    };
    let open = |bytes: &[u8]| key.decrypt(&Ciphertext::from_bytes(bytes)?);
    open(&CIPHERTEXT).is_ok_and(|plaintext| **plaintext == answers.plaintext)
        && open(&answers.changed).is_err()
}

fn public_key() -> Option<PublicKey> {
    let point = AffinePoint::from_coordinates(&ANSWERS.public)?;
    Some(PublicKey { point })
}

fn message_e(public_key: &PublicKey) -> Option<Digest> {
    let z = identity_digest(DEFAULT_SIGNER_ID, &public_key.point)?;
    Some(message_digest(&z, MESSAGE))
}

/// The test of a key just made: it signs, and its public key accepts that.
///
/// The signature is never given out.
pub(super) fn is_pair(key: &PrivateKey, random: &mut impl RandomSource, latch: &Latch) -> bool {
    let Ok(signature) = key.sign_with(MESSAGE, DEFAULT_SIGNER_ID, random) else {
        return false;
    };
    let accepted = key
        .public_key()
        .verify(&signature.to_bytes(), MESSAGE, DEFAULT_SIGNER_ID)
        .is_ok();
    if !accepted {
        latch.fail(SelfTest::KeyPair);
    }
    accepted
}
