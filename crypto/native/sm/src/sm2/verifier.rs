use std::sync::Arc;

use crate::affine::AffinePoint;
use crate::digits::Digits;
use crate::field::FieldElement;
use crate::fixed_base::{FixedBase, PUBLIC_GENERATOR, PUBLIC_WIDTH};
use crate::jacobian::Jacobian;
use crate::lanes::EightLanes;
use crate::limbs;
use crate::moduli;
use crate::scalar::Scalar;
use crate::sm3::Digest;

use super::identity::{DEFAULT_SIGNER_ID, identity_digest, message_digest};
use super::{InvalidSignature, PublicKey, Signature};

/// Bits of a window for a key that stays for good, such as an issuer's.
pub(super) const WIDE: usize = 8;
/// Bits of a window for a key that gives way when others are met more: a fifth of the memory and
/// of the time to build, for a quarter more time to verify.
pub(super) const NARROW: usize = 5;

/// A public key kept for many verifications, with a table of its multiples.
///
/// The table takes 264 KiB and 1 to 2 ms to build; clones share it.
#[derive(Clone)]
pub struct Verifier<const WIDTH: usize = WIDE> {
    key: PublicKey,
    kept: Arc<Kept<WIDTH>>,
}

/// A public key kept with a narrow table: 52 KiB in a fifth of a millisecond.
pub type NarrowVerifier = Verifier<NARROW>;

struct Kept<const WIDTH: usize> {
    table: FixedBase<WIDTH>,
    default_z: Option<Digest>,
}

impl Verifier {
    /// Builds the table.
    pub fn new(key: PublicKey) -> Self {
        Self::build(key)
    }
}

impl NarrowVerifier {
    /// Builds the table.
    pub fn narrow(key: PublicKey) -> Self {
        Self::build(key)
    }
}

impl<const WIDTH: usize> Verifier<WIDTH> {
    /// Bytes that a kept key takes in all.
    pub const SIZE: usize = size_of::<Kept<WIDTH>>() + FixedBase::<WIDTH>::SIZE;

    pub(super) fn build(key: PublicKey) -> Self {
        let kept = Kept {
            table: FixedBase::new(&key.point),
            default_z: identity_digest(DEFAULT_SIGNER_ID, &key.point),
        };
        Self {
            key,
            kept: Arc::new(kept),
        }
    }

    /// The key itself.
    pub fn public_key(&self) -> &PublicKey {
        &self.key
    }

    /// Checks a signature, with the answers of [`PublicKey::verify`].
    ///
    /// # Errors
    /// [`InvalidSignature`], whatever is wrong.
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
        let z = match self.kept.default_z {
            Some(z) if signer_id == DEFAULT_SIGNER_ID => z,
            _ => identity_digest(signer_id, &self.key.point).ok_or(InvalidSignature)?,
        };
        Ok(message_digest(&z, message))
    }

    /// Checks a signature of e itself, with the answers of [`PublicKey::verify_digest`].
    ///
    /// # Errors
    /// [`InvalidSignature`], whatever is wrong.
    pub fn verify_digest(&self, signature: &[u8], e: &Digest) -> Result<(), InvalidSignature> {
        let (signature, t) = signed_scalars(signature)?;
        let sum = EightLanes::in_use()
            .and_then(|lanes| lanes.sum(&self.points(&signature.s, &t)))
            .unwrap_or_else(|| self.sum(&signature.s, &t));
        verify_sum(&sum, &signature.r, e)
    }

    /// sG + tP.
    pub(super) fn sum(&self, s: &Scalar, t: &Scalar) -> Jacobian {
        self.kept.table.fetch(t);
        PUBLIC_GENERATOR.fetch(s);
        let sum = self.kept.table.add_public_multiple(Jacobian::INFINITY, t);
        PUBLIC_GENERATOR.add_public_multiple(sum, s)
    }

    /// The points of both tables whose sum is sG + tP.
    pub(super) fn points(&self, s: &Scalar, t: &Scalar) -> Vec<AffinePoint> {
        let most = Digits::<WIDTH>::COUNT + Digits::<PUBLIC_WIDTH>::COUNT;
        let mut points = Vec::with_capacity(most);
        points.extend(self.kept.table.public_points(t));
        points.extend(PUBLIC_GENERATOR.public_points(s));
        points
    }
}

/// Steps B1, B2 and B5: the signature's range, and t = r + s, which must not be 0.
pub(super) fn signed_scalars(signature: &[u8]) -> Result<(Signature, Scalar), InvalidSignature> {
    let signature = Signature::from_bytes(signature)?;
    let t = signature.r.add(&signature.s);
    if t.is_zero().reveal() {
        Err(InvalidSignature)
    } else {
        Ok((signature, t))
    }
}

/// Steps B4 and B7, for the point sG + tP of step B6: is r = e + x mod n?
pub(super) fn verify_sum(sum: &Jacobian, r: &Scalar, e: &Digest) -> Result<(), InvalidSignature> {
    if has_x_modulo_n(sum, &r.sub(&Scalar::from_bytes_reduced(e))) {
        Ok(())
    } else {
        Err(InvalidSignature)
    }
}

/// Whether the point's x, a number below p, is this number modulo n.
///
/// No inversion: x = X/Z^2 is compared as X = x Z^2. n is below p, so x may be the number or, for the
/// few numbers below p - n, the number plus n.
fn has_x_modulo_n(point: &Jacobian, number: &Scalar) -> bool {
    if point.is_infinity() {
        return false;
    }
    let zz = point.z.square();
    let is_x = |x: &FieldElement| x.multiply(&zz).equals(&point.x).reveal();
    let number = number.to_limbs();
    if is_x(&FieldElement::from_limbs(&number)) {
        return true;
    }
    let (second, carry) = limbs::add(&number, &moduli::N);
    carry == 0
        && FieldElement::from_bytes(&limbs::to_bytes(&second)).is_some_and(|second| is_x(&second))
}
