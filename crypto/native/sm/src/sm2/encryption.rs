//! Encryption to a public key and decryption (GB/T 32918.4), in the order C1 C3 C2.

use zeroize::Zeroizing;

use crate::affine::AffinePoint;
use crate::fixed_base::secret_multiple_of_generator;
use crate::kdf;
use crate::mask::Mask;
use crate::multiply::secret_multiple;
use crate::random::{RandomSource, System};
use crate::scalar::Scalar;
use crate::sm3::{Digest, Sm3};
use crate::wiping::{self, DEEP};

use super::nonce::random_scalar;
use super::{Ciphertext, DecryptionFailed, EncryptionFailed, PrivateKey, PublicKey};

/// Bytes of the longest plaintext. SM2 is meant for keys and short records; the limit keeps a
/// ciphertext from outside from asking for any amount of memory and time.
pub const PLAINTEXT_MAX: usize = 16 << 20;

impl PublicKey {
    /// Encrypts 1 to [`PLAINTEXT_MAX`] bytes (section 6.1).
    ///
    /// # Errors
    /// [`EncryptionFailed`] for other lengths, or without randomness.
    pub fn encrypt(&self, plaintext: &[u8]) -> Result<Ciphertext, EncryptionFailed> {
        self.encrypt_with(plaintext, &mut System)
    }

    pub(crate) fn encrypt_with(
        &self,
        plaintext: &[u8],
        random: &mut impl RandomSource,
    ) -> Result<Ciphertext, EncryptionFailed> {
        if plaintext.is_empty() {
            return Err(EncryptionFailed::EmptyPlaintext);
        }
        if plaintext.len() > PLAINTEXT_MAX {
            return Err(EncryptionFailed::PlaintextTooLong);
        }
        wiping::work::<DEEP, _>(|| {
            loop {
                // Step A5 asks for another k when the key stream is all zeros: one in 256 for a
                // plaintext of a single byte.
                if let Some(ciphertext) = self.encrypt_under(plaintext, &*random_scalar(random)?) {
                    return Ok(ciphertext);
                }
            }
        })
    }

    /// Steps A2 to A8 with a given k; nothing when the standard asks for another one.
    pub(super) fn encrypt_under(&self, plaintext: &[u8], k: &Scalar) -> Option<Ciphertext> {
        let c1 = secret_multiple_of_generator(k).to_affine().publish();
        let shared = SharedPoint::new(k, &self.point);
        let (c2, no_stream) = shared.apply_stream(plaintext);
        let c3 = shared.digest(plaintext);
        (!no_stream.reveal()).then(|| Ciphertext {
            c1,
            c3,
            c2: c2.to_vec(),
        })
    }
}

impl PrivateKey {
    /// Decrypts (section 7.1); nothing of the plaintext leaves before C3 was checked.
    ///
    /// # Errors
    /// [`DecryptionFailed`], whatever is wrong.
    pub fn decrypt(&self, ciphertext: &Ciphertext) -> Result<Zeroizing<Vec<u8>>, DecryptionFailed> {
        wiping::work::<DEEP, _>(|| {
            let shared = SharedPoint::new(self.scalar(), &ciphertext.c1);
            let (plaintext, no_stream) = shared.apply_stream(&ciphertext.c2);
            let same = Mask::if_equal_bytes(&shared.digest(&plaintext), &ciphertext.c3);
            if same.and(no_stream.not()).reveal() {
                Ok(plaintext)
            } else {
                Err(DecryptionFailed)
            }
        })
    }
}

/// x2 and y2 of the point k PB = d C1 that both sides share. It is never infinity: the curve's
/// order is prime, and neither scalar is a multiple of it.
struct SharedPoint(Zeroizing<[u8; 64]>);

impl SharedPoint {
    fn new(scalar: &Scalar, point: &AffinePoint) -> Self {
        let product = Zeroizing::new(secret_multiple(scalar, point));
        Self(Zeroizing::new(product.to_affine().to_coordinates()))
    }

    /// Adds the key stream t to some bytes; the mask is set when t is all zeros.
    fn apply_stream(&self, bytes: &[u8]) -> (Zeroizing<Vec<u8>>, Mask) {
        let mut stream = Zeroizing::new(vec![0; bytes.len()]);
        kdf::fill(&*self.0, &mut stream);
        let any = stream.iter().fold(0, |any, byte| any | byte);
        for (masked, byte) in stream.iter_mut().zip(bytes) {
            *masked ^= byte;
        }
        (stream, Mask::if_zero(u64::from(any)))
    }

    /// SM3(x2, plaintext, y2).
    fn digest(&self, plaintext: &[u8]) -> Digest {
        let (x, y) = self.0.split_at(32);
        let mut hash = Sm3::new();
        hash.update(x);
        hash.update(plaintext);
        hash.update(y);
        hash.digest()
    }
}
