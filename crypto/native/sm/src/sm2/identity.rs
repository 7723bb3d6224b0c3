//! Z, the digest that binds a signer's id and key into each signature, and e, the digest signed.

use crate::affine::{AffinePoint, B, GENERATOR};
use crate::field::FieldElement;
use crate::sm3::{Digest, Sm3};

/// The id where none was agreed (GB/T 35276, section 10).
pub const DEFAULT_SIGNER_ID: &[u8] = b"1234567812345678";

/// Bytes of the longest id: ENTL, 16 bits wide, counts bits.
pub const SIGNER_ID_MAX: usize = 8191;

/// a = p - 3 of the curve.
const A: FieldElement = FieldElement::constant(&[
    0xffff_ffff_ffff_fffc,
    0xffff_ffff_0000_0000,
    0xffff_ffff_ffff_ffff,
    0xffff_fffe_ffff_ffff,
]);

/// Z = SM3(ENTL, id, a, b, xG, yG, xA, yA) (GB/T 32918.2, section 5.5), unless the id is too long.
pub(super) fn identity_digest(signer_id: &[u8], key: &AffinePoint) -> Option<Digest> {
    if signer_id.len() > SIGNER_ID_MAX {
        return None;
    }
    let mut hash = Sm3::new();
    hash.update(&(signer_id.len() as u16 * 8).to_be_bytes());
    hash.update(signer_id);
    hash.update(&A.to_bytes());
    hash.update(&B.to_bytes());
    hash.update(&GENERATOR.to_coordinates());
    hash.update(&key.to_coordinates());
    Some(hash.digest())
}

/// e = SM3(Z, message) (GB/T 32918.2, steps A1 and A2).
pub(super) fn message_digest(z: &Digest, message: &[u8]) -> Digest {
    let mut hash = Sm3::new();
    hash.update(z);
    hash.update(message);
    hash.digest()
}
