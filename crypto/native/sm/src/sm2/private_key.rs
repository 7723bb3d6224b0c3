use core::fmt;

use zeroize::{Zeroize, Zeroizing};

use crate::error_state::{Latch, PROCESS};
use crate::fixed_base::secret_multiple_of_generator;
use crate::hmac::HmacSm3;
use crate::random::{RandomSource, RandomSourceFailed, System};
use crate::scalar::Scalar;
use crate::sm3::{DIGEST_SIZE, Digest};
use crate::wiping::{self, DEEP, SHALLOW};

use super::identity::{DEFAULT_SIGNER_ID, identity_digest, message_digest};
use super::nonce::{DRAWS_MAX, Nonces, random_scalar};
use super::self_test::is_pair;
use super::{InvalidKey, PublicKey, Signature, SigningFailed};

/// A number d from 1 to n-2, wiped when dropped. It can't be cloned, compared or printed.
pub struct PrivateKey {
    /// In a box, so that moving the key leaves no copy behind.
    secret: Box<Secret>,
    public: PublicKey,
    default_z: Digest,
}

// A key leaves the part of the stack that is wiped as a copy of all its bytes: with any of
// padding among them, they would carry out what lay there before.
const _: () =
    assert!(size_of::<PrivateKey>() == size_of::<usize>() + size_of::<PublicKey>() + DIGEST_SIZE);

/// What is computed once from the key and as secret as the key.
struct Secret {
    d: Scalar,
    /// 1 / (1 + d).
    inverse: Scalar,
    /// HMAC-SM3 keyed with d, for nonces.
    nonce_key: HmacSm3,
}

impl Drop for Secret {
    fn drop(&mut self) {
        self.d.zeroize();
        self.inverse.zeroize();
    }
}

impl PrivateKey {
    /// Makes a new key from the system's randomness, and tests that it signs what its public key
    /// accepts.
    ///
    /// # Errors
    /// [`RandomSourceFailed`]; there is no other source to fall back on. Also once a self-test has
    /// failed, this one included.
    pub fn generate() -> Result<Self, RandomSourceFailed> {
        wiping::work::<DEEP, _>(|| Self::generate_from(&mut System))?.checked(&mut System, &PROCESS)
    }

    /// The key, if it signs what its public key accepts.
    pub(super) fn checked(
        self,
        random: &mut impl RandomSource,
        latch: &Latch,
    ) -> Result<Self, RandomSourceFailed> {
        if is_pair(&self, random, latch) {
            Ok(self)
        } else {
            Err(RandomSourceFailed)
        }
    }

    /// The key with the public key of another one, which no code outside the tests can make.
    #[cfg(test)]
    pub(super) fn with_public_key(self, public: PublicKey) -> Self {
        Self { public, ..self }
    }

    pub(crate) fn generate_from(
        random: &mut impl RandomSource,
    ) -> Result<Self, RandomSourceFailed> {
        for _ in 0..DRAWS_MAX {
            if let Some(key) = Self::from_scalar(&*random_scalar(random)?) {
                return Ok(key);
            }
        }
        Err(RandomSourceFailed)
    }

    /// Reads d, 32 big-endian bytes.
    ///
    /// # Errors
    /// [`InvalidKey`] out of 1 to n-2 (GB/T 32918.1, section 6.1): n-1 has no 1 / (1 + d).
    pub fn from_bytes(bytes: &[u8; 32]) -> Result<Self, InvalidKey> {
        wiping::work::<DEEP, _>(|| {
            let d = Zeroizing::new(Scalar::from_bytes(bytes)?);
            Self::from_scalar(&d)
        })
        .ok_or(InvalidKey)
    }

    fn from_scalar(d: &Scalar) -> Option<Self> {
        let one_more = Zeroizing::new(d.add(&Scalar::ONE));
        if d.is_zero().or(one_more.is_zero()).reveal() {
            return None;
        }
        let secret = Box::new(Secret {
            d: *d,
            inverse: one_more.invert(),
            nonce_key: HmacSm3::new(&*Zeroizing::new(d.to_bytes())),
        });
        let public = PublicKey {
            point: secret_multiple_of_generator(d).to_affine().publish(),
        };
        Some(Self {
            secret,
            public,
            default_z: identity_digest(DEFAULT_SIGNER_ID, &public.point)?,
        })
    }

    /// d, 32 big-endian bytes.
    pub fn to_bytes(&self) -> Zeroizing<[u8; 32]> {
        wiping::work::<SHALLOW, _>(|| Zeroizing::new(self.secret.d.to_bytes()))
    }

    /// The key that verifies.
    pub fn public_key(&self) -> &PublicKey {
        &self.public
    }

    /// d itself, for the rest of this room.
    pub(super) fn scalar(&self) -> &Scalar {
        &self.secret.d
    }

    /// Signs a message (GB/T 32918.2, section 6.1) in constant time, with a hedged nonce.
    ///
    /// # Errors
    /// [`SigningFailed`] for a signer id of more than 8191 bytes, or without randomness.
    pub fn sign(&self, message: &[u8], signer_id: &[u8]) -> Result<Signature, SigningFailed> {
        self.sign_with(message, signer_id, &mut System)
    }

    pub(crate) fn sign_with(
        &self,
        message: &[u8],
        signer_id: &[u8],
        random: &mut impl RandomSource,
    ) -> Result<Signature, SigningFailed> {
        let z = if signer_id == DEFAULT_SIGNER_ID {
            self.default_z
        } else {
            identity_digest(signer_id, &self.public.point).ok_or(SigningFailed::SignerIdTooLong)?
        };
        Ok(self.sign_e(&z, &message_digest(&z, message), random)?)
    }

    /// Signs e itself, for a caller who has computed SM3(Z, message).
    ///
    /// # Errors
    /// [`RandomSourceFailed`].
    pub fn sign_digest(&self, e: &Digest) -> Result<Signature, RandomSourceFailed> {
        // Z is in e already; a fixed one in its place takes nothing from the nonce.
        self.sign_e(&[0; DIGEST_SIZE], e, &mut System)
    }

    /// Signs e under a nonce from outside: for measuring, never in what is delivered, because
    /// whoever gives the nonce knows the key.
    #[cfg(feature = "inspection")]
    pub fn sign_digest_under(&self, e: &Digest, k: &[u8; 32]) -> Option<Signature> {
        self.sign_under(e, &Scalar::from_bytes(k)?)
    }

    /// Steps A3 to A7.
    fn sign_e(
        &self,
        z: &Digest,
        e: &Digest,
        random: &mut impl RandomSource,
    ) -> Result<Signature, RandomSourceFailed> {
        wiping::work::<DEEP, _>(|| {
            let mut nonces = Nonces::new(&self.secret.nonce_key, z, e, random);
            loop {
                // Step A5 and A6 ask for another nonce about once in 2^255 signatures.
                if let Some(signature) = self.sign_under(e, &*nonces.draw()?) {
                    return Ok(signature);
                }
            }
        })
    }

    /// Steps A4 to A7 with a given nonce; nothing when the standard asks for another one.
    ///
    /// s = (k - r d) / (1 + d) is computed as (k + r) / (1 + d) - r, the same number.
    pub(super) fn sign_under(&self, e: &Digest, k: &Scalar) -> Option<Signature> {
        let point = Zeroizing::new(secret_multiple_of_generator(k));
        let x = point.to_affine().x.to_bytes();
        let r = Scalar::from_bytes_reduced(e).add(&Scalar::from_bytes_reduced(&x));
        let sum = Zeroizing::new(k.add(&r));
        let s = self.secret.inverse.multiply(&sum).sub(&r);
        let refused = r.is_zero().or(sum.is_zero()).or(s.is_zero());
        let (r, s) = (r.publish(), s.publish());
        (!refused.reveal()).then_some(Signature { r, s })
    }
}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("PrivateKey(hidden)")
    }
}
