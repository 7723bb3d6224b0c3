use core::fmt;
use core::hash::{Hash, Hasher};

use crate::affine::AffinePoint;
use crate::fixed_base::PUBLIC_GENERATOR;
use crate::jacobian::Jacobian;
use crate::multiply::public_multiple;
use crate::scalar::Scalar;
use crate::sm3::Digest;

use super::identity::{identity_digest, message_digest};
use super::verifier::{signed_scalars, verify_sum};
use super::{InvalidKey, InvalidSignature};

/// A point of the curve, not infinity: whoever holds its private key signs and decrypts.
#[derive(Clone, Copy)]
pub struct PublicKey {
    pub(super) point: AffinePoint,
}

impl PublicKey {
    /// Reads a SEC 1 point, 33 bytes (02 or 03) or 65 bytes (04).
    ///
    /// # Errors
    /// [`InvalidKey`] for other lengths and forms (infinity and the hybrid forms among them),
    /// for coordinates of p or more and for points off the curve.
    pub fn from_sec1(bytes: &[u8]) -> Result<Self, InvalidKey> {
        AffinePoint::from_sec1(bytes)
            .map(|point| Self { point })
            .ok_or(InvalidKey)
    }

    /// 04, x and y.
    pub fn to_sec1(&self) -> [u8; 65] {
        let mut bytes = [4; 65];
        bytes[1..].copy_from_slice(&self.point.to_coordinates());
        bytes
    }

    /// 02 or 03, by the lowest bit of y, and x.
    pub fn to_sec1_compressed(&self) -> [u8; 33] {
        let mut bytes = [2 | self.point.y.lowest_bit(); 33];
        bytes[1..].copy_from_slice(&self.point.x.to_bytes());
        bytes
    }

    /// Checks a signature of 64 bytes, r and s (GB/T 32918.2, section 7.1).
    ///
    /// For a key that will be met again, [`Verifier`](super::Verifier) is several times faster.
    ///
    /// # Errors
    /// [`InvalidSignature`], whatever is wrong, a signer id of more than 8191 bytes included.
    pub fn verify(
        &self,
        signature: &[u8],
        message: &[u8],
        signer_id: &[u8],
    ) -> Result<(), InvalidSignature> {
        self.verify_digest(signature, &self.digest(message, signer_id)?)
    }

    /// e of a message.
    pub(super) fn digest(
        &self,
        message: &[u8],
        signer_id: &[u8],
    ) -> Result<Digest, InvalidSignature> {
        let z = identity_digest(signer_id, &self.point).ok_or(InvalidSignature)?;
        Ok(message_digest(&z, message))
    }

    /// Checks a signature of e itself, for a caller who has computed SM3(Z, message).
    ///
    /// # Errors
    /// [`InvalidSignature`], whatever is wrong.
    pub fn verify_digest(&self, signature: &[u8], e: &Digest) -> Result<(), InvalidSignature> {
        let (signature, t) = signed_scalars(signature)?;
        verify_sum(&self.sum(&signature.s, &t), &signature.r, e)
    }

    /// sG + tP.
    pub(super) fn sum(&self, s: &Scalar, t: &Scalar) -> Jacobian {
        PUBLIC_GENERATOR.fetch(s);
        let sum = public_multiple(t, &self.point);
        PUBLIC_GENERATOR.add_public_multiple(sum, s)
    }
}

impl PartialEq for PublicKey {
    fn eq(&self, other: &Self) -> bool {
        self.to_sec1() == other.to_sec1()
    }
}

impl Eq for PublicKey {}

impl Hash for PublicKey {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.to_sec1().hash(state);
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("PublicKey(")?;
        for byte in self.to_sec1_compressed() {
            write!(formatter, "{byte:02x}")?;
        }
        formatter.write_str(")")
    }
}
