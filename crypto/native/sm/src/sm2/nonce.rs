//! The nonce k of a signature, hedged: neither a weak random source nor a repeated message
//! alone gives the private key away.

use zeroize::Zeroizing;

use crate::hmac::HmacSm3;
use crate::random::{RandomSource, RandomSourceFailed};
use crate::scalar::Scalar;
use crate::secrecy;
use crate::sm3::Digest;

/// Draws before giving up. One in 2^32 is out of range, so a second draw is a rarity already.
pub(super) const DRAWS_MAX: u8 = 64;

/// Nonces for one signature, each HMAC-SM3 under the private key of Z, e, 32 fresh bytes and the
/// number of the draw.
///
/// Out of 1 to n-1 a nonce is dropped and drawn again, never reduced: a bias of a few bits over
/// many signatures is a private key.
pub(super) struct Nonces<'a, R> {
    keyed: &'a HmacSm3,
    z: &'a Digest,
    e: &'a Digest,
    random: &'a mut R,
    draws: u8,
}

impl<'a, R: RandomSource> Nonces<'a, R> {
    pub(super) fn new(keyed: &'a HmacSm3, z: &'a Digest, e: &'a Digest, random: &'a mut R) -> Self {
        Self {
            keyed,
            z,
            e,
            random,
            draws: 0,
        }
    }

    /// Returns the next nonce.
    pub(super) fn draw(&mut self) -> Result<Zeroizing<Scalar>, RandomSourceFailed> {
        while self.draws < DRAWS_MAX {
            self.draws += 1;
            let fresh = fresh_bytes(self.random)?;
            let mut mac = self.keyed.clone();
            mac.update(self.z);
            mac.update(self.e);
            mac.update(&*fresh);
            mac.update(&[self.draws]);
            if let Some(nonce) = in_range(&Zeroizing::new(mac.tag())) {
                return Ok(nonce);
            }
        }
        Err(RandomSourceFailed)
    }
}

/// Returns a scalar from 1 to n-1 that is random alone: for encryption, which has no secret of
/// its own to hedge with, and for new keys.
pub(super) fn random_scalar(
    random: &mut impl RandomSource,
) -> Result<Zeroizing<Scalar>, RandomSourceFailed> {
    for _ in 0..DRAWS_MAX {
        if let Some(scalar) = in_range(&*fresh_bytes(random)?) {
            return Ok(scalar);
        }
    }
    Err(RandomSourceFailed)
}

fn fresh_bytes(random: &mut impl RandomSource) -> Result<Zeroizing<[u8; 32]>, RandomSourceFailed> {
    let mut bytes = Zeroizing::new([0; 32]);
    random.fill(&mut *bytes)?;
    secrecy::mark_secret(&mut *bytes);
    Ok(bytes)
}

fn in_range(bytes: &[u8; 32]) -> Option<Zeroizing<Scalar>> {
    let scalar = Zeroizing::new(Scalar::from_bytes(bytes)?);
    if scalar.is_zero().reveal() {
        None
    } else {
        Some(scalar)
    }
}
