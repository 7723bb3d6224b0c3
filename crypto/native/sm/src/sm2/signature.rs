use crate::der;
use crate::scalar::Scalar;

use super::InvalidSignature;

/// r and s, both between 1 and n-1: ranges are checked on the numbers as they came, before any
/// reduction, so that r + n or s + n is not a second name of the same signature.
#[derive(Clone, Copy)]
pub struct Signature {
    pub(super) r: Scalar,
    pub(super) s: Scalar,
}

impl Signature {
    /// Bytes of r and s, one after the other.
    pub const SIZE: usize = 64;

    /// Reads r and s, 32 big-endian bytes each.
    ///
    /// # Errors
    /// [`InvalidSignature`] for another length and for a half out of its range.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, InvalidSignature> {
        let bytes: &[u8; Self::SIZE] = bytes.try_into().map_err(|_| InvalidSignature)?;
        let (r, s) = bytes.split_at(32);
        let half = |half: &[u8]| Scalar::from_bytes(half.try_into().ok()?);
        Self::new(
            half(r).ok_or(InvalidSignature)?,
            half(s).ok_or(InvalidSignature)?,
        )
    }

    /// Reads SM2Signature ::= SEQUENCE { r INTEGER, s INTEGER } (GB/T 35276, section 7.3).
    ///
    /// # Errors
    /// [`InvalidSignature`] for all that is not the one DER encoding, or out of range.
    pub fn from_der(bytes: &[u8]) -> Result<Self, InvalidSignature> {
        let halves = |bytes| {
            let mut sequence = der::Reader::sequence(bytes)?;
            let (r, s) = (sequence.unsigned_integer()?, sequence.unsigned_integer()?);
            sequence.finish()?;
            Some((Scalar::from_bytes(&r)?, Scalar::from_bytes(&s)?))
        };
        let (r, s) = halves(bytes).ok_or(InvalidSignature)?;
        Self::new(r, s)
    }

    fn new(r: Scalar, s: Scalar) -> Result<Self, InvalidSignature> {
        if r.is_zero().reveal() || s.is_zero().reveal() {
            return Err(InvalidSignature);
        }
        Ok(Self { r, s })
    }

    /// r and s, 32 big-endian bytes each.
    pub fn to_bytes(&self) -> [u8; Self::SIZE] {
        let mut bytes = [0; Self::SIZE];
        bytes[..32].copy_from_slice(&self.r.to_bytes());
        bytes[32..].copy_from_slice(&self.s.to_bytes());
        bytes
    }

    /// The DER encoding.
    pub fn to_der(&self) -> Vec<u8> {
        let mut content = Vec::with_capacity(70);
        der::write_unsigned_integer(&mut content, &self.r.to_bytes());
        der::write_unsigned_integer(&mut content, &self.s.to_bytes());
        der::sequence(&content)
    }
}
