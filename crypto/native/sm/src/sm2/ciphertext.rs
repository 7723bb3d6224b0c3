use crate::affine::AffinePoint;
use crate::der;
use crate::sm3::DIGEST_SIZE;

use super::DecryptionFailed;
use super::encryption::PLAINTEXT_MAX;

/// C1, a point of the curve, C3, the digest, and C2, the hidden plaintext, which is not empty.
///
/// The order of the bytes is that of GB/T 32918.4-2016, C1 C3 C2; the older C1 C2 C3 is not
/// guessed at, because two readings of the same bytes are one too many.
#[derive(Clone)]
pub struct Ciphertext {
    pub(super) c1: AffinePoint,
    pub(super) c3: [u8; DIGEST_SIZE],
    pub(super) c2: Vec<u8>,
}

impl Ciphertext {
    /// Reads 04, x, y, C3, C2.
    ///
    /// # Errors
    /// [`DecryptionFailed`], whatever is wrong.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, DecryptionFailed> {
        let parse = |bytes: &[u8]| {
            let ([4], rest) = bytes.split_first_chunk()? else {
                return None;
            };
            let (point, rest) = rest.split_first_chunk()?;
            let (c3, c2) = rest.split_first_chunk()?;
            Self::new(point, c3, c2)
        };
        parse(bytes).ok_or(DecryptionFailed)
    }

    /// Reads SM2Cipher ::= SEQUENCE { x INTEGER, y INTEGER, hash OCTET STRING, cipher OCTET
    /// STRING } (GB/T 35276, section 7.2).
    ///
    /// # Errors
    /// [`DecryptionFailed`], whatever is wrong, all that is not DER included.
    pub fn from_der(bytes: &[u8]) -> Result<Self, DecryptionFailed> {
        let parse = |bytes| {
            let mut sequence = der::Reader::sequence(bytes)?;
            let mut point = [0; 64];
            point[..32].copy_from_slice(&sequence.unsigned_integer()?);
            point[32..].copy_from_slice(&sequence.unsigned_integer()?);
            let c3 = sequence.octet_string()?.try_into().ok()?;
            let c2 = sequence.octet_string()?;
            sequence.finish()?;
            Self::new(&point, c3, c2)
        };
        parse(bytes).ok_or(DecryptionFailed)
    }

    fn new(point: &[u8; 64], c3: &[u8; DIGEST_SIZE], c2: &[u8]) -> Option<Self> {
        let c1 = AffinePoint::from_coordinates(point)?;
        (1..=PLAINTEXT_MAX).contains(&c2.len()).then(|| Self {
            c1,
            c3: *c3,
            c2: c2.to_vec(),
        })
    }

    /// 04, x, y, C3, C2.
    pub fn to_bytes(&self) -> Vec<u8> {
        [&[4], &self.c1.to_coordinates()[..], &self.c3, &self.c2].concat()
    }

    /// The DER encoding.
    pub fn to_der(&self) -> Vec<u8> {
        let mut content = Vec::with_capacity(self.c2.len() + 120);
        der::write_unsigned_integer(&mut content, &self.c1.x.to_bytes());
        der::write_unsigned_integer(&mut content, &self.c1.y.to_bytes());
        der::write_octet_string(&mut content, &self.c3);
        der::write_octet_string(&mut content, &self.c2);
        der::sequence(&content)
    }
}
