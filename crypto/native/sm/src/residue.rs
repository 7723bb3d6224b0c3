//! Numbers modulo a 256-bit prime, in Montgomery form.
//!
//! [`Modulus`] is the one interface between this arithmetic and everything above it: points, keys
//! and signatures don't know which back end calculates.

use core::marker::PhantomData;

use zeroize::Zeroize;

use crate::divsteps;
use crate::limbs::{self, Limbs};
use crate::mask::Mask;
use crate::portable::{self, Prime};
use crate::secrecy;

/// How to calculate modulo a prime m.
///
/// All functions take and give reduced values times R = 2^256 and run in constant time. Each goes
/// to the back end in use.
pub(crate) trait Modulus: Prime {
    /// Returns a b / R mod m.
    fn multiply(a: &Limbs, b: &Limbs) -> Limbs;

    /// Returns a^2 / R mod m.
    fn square(a: &Limbs) -> Limbs;

    /// Returns a + b mod m.
    fn add(a: &Limbs, b: &Limbs) -> Limbs;

    /// Returns a - b mod m.
    fn subtract(a: &Limbs, b: &Limbs) -> Limbs;
}

/// Returns value R mod m, by doubling 256 times: for constants, at compile time.
const fn montgomery_form(value: &Limbs, modulus: &Limbs) -> Limbs {
    let mut value = *value;
    let mut count = 0;
    while count < 256 {
        let (double, carry) = limbs::add(&value, &value);
        value = portable::subtract_once(&double, carry, modulus);
        count += 1;
    }
    value
}

/// A number modulo m, always reduced. `Debug` is left out on purpose: it may be a secret.
#[derive(Clone, Copy)]
pub(crate) struct Residue<M> {
    limbs: Limbs,
    modulus: PhantomData<M>,
}

impl<M: Modulus> Residue<M> {
    /// 0.
    pub(crate) const ZERO: Self = Self::from_montgomery([0; 4]);
    /// 1.
    pub(crate) const ONE: Self = Self::constant(&[1, 0, 0, 0]);
    const R_SQUARED: Limbs = montgomery_form(&Self::ONE.limbs, &M::VALUE);

    /// From a number below m that is known when this is compiled.
    pub(crate) const fn constant(value: &Limbs) -> Self {
        Self::from_montgomery(montgomery_form(value, &M::VALUE))
    }

    /// From a number below m that has been multiplied by R.
    pub(crate) const fn from_montgomery(limbs: Limbs) -> Self {
        Self {
            limbs,
            modulus: PhantomData,
        }
    }

    /// Reads a number, or nothing when it is m or more.
    pub(crate) fn from_bytes(bytes: &[u8; 32]) -> Option<Self> {
        let value = limbs::from_bytes(bytes);
        let (_, borrow) = limbs::sub(&value, &M::VALUE);
        Mask::from_bit(borrow)
            .reveal()
            .then(|| Self::from_limbs(&value))
    }

    /// Reads a number and reduces it: for digests and coordinates, never for a nonce or a key.
    pub(crate) fn from_bytes_reduced(bytes: &[u8; 32]) -> Self {
        Self::from_limbs(&portable::subtract_once(
            &limbs::from_bytes(bytes),
            0,
            &M::VALUE,
        ))
    }

    /// From a number below m.
    pub(crate) fn from_limbs(value: &Limbs) -> Self {
        Self::from_montgomery(M::multiply(value, &Self::R_SQUARED))
    }

    /// The number times R.
    pub(crate) const fn montgomery(&self) -> &Limbs {
        &self.limbs
    }

    /// The number itself, reduced.
    pub(crate) fn to_limbs(self) -> Limbs {
        portable::reduce::<M>(self.limbs, [0; 4])
    }

    /// The number as 32 big-endian bytes.
    pub(crate) fn to_bytes(self) -> [u8; 32] {
        limbs::to_bytes(&self.to_limbs())
    }

    #[inline(always)]
    pub(crate) fn add(&self, other: &Self) -> Self {
        Self::from_montgomery(M::add(&self.limbs, &other.limbs))
    }

    #[inline(always)]
    pub(crate) fn sub(&self, other: &Self) -> Self {
        Self::from_montgomery(M::subtract(&self.limbs, &other.limbs))
    }

    #[inline(always)]
    pub(crate) fn double(&self) -> Self {
        self.add(self)
    }

    #[inline(always)]
    pub(crate) fn triple(&self) -> Self {
        self.double().add(self)
    }

    /// Returns self / 2: an odd number is made even by adding m.
    #[inline(always)]
    pub(crate) fn halve(&self) -> Self {
        let odd = (self.limbs[0] & 1).wrapping_neg();
        let (sum, carry) = limbs::add(&self.limbs, &M::VALUE.map(|limb| limb & odd));
        let [s0, s1, s2, s3] = sum;
        Self::from_montgomery([
            (s0 >> 1) | (s1 << 63),
            (s1 >> 1) | (s2 << 63),
            (s2 >> 1) | (s3 << 63),
            (s3 >> 1) | (carry << 63),
        ])
    }

    #[inline(always)]
    pub(crate) fn negate(&self) -> Self {
        Self::ZERO.sub(self)
    }

    #[inline]
    pub(crate) fn multiply(&self, other: &Self) -> Self {
        Self::from_montgomery(M::multiply(&self.limbs, &other.limbs))
    }

    #[inline]
    pub(crate) fn square(&self) -> Self {
        Self::from_montgomery(M::square(&self.limbs))
    }

    /// Returns the inverse, in constant time; the inverse of 0 is 0.
    ///
    /// The limbs are x R, and those of the inverse are R / x = R^2 / (x R).
    pub(crate) fn invert(&self) -> Self {
        Self::from_montgomery(divsteps::divide::<M>(&Self::R_SQUARED, &self.limbs))
    }

    /// The same number, for everybody to know.
    #[inline]
    #[track_caller]
    pub(crate) fn publish(self) -> Self {
        let [l0, l1, l2, l3] = self.limbs;
        Self::from_montgomery([
            secrecy::give_away(l0),
            secrecy::give_away(l1),
            secrecy::give_away(l2),
            secrecy::give_away(l3),
        ])
    }

    /// Set when this is 0.
    #[inline(always)]
    pub(crate) fn is_zero(&self) -> Mask {
        Mask::if_zero(self.limbs[0] | self.limbs[1] | self.limbs[2] | self.limbs[3])
    }

    /// Set when the two are the same.
    #[inline(always)]
    pub(crate) fn equals(&self, other: &Self) -> Mask {
        self.sub(other).is_zero()
    }

    /// `chosen` when the mask is set, else `other`.
    #[inline(always)]
    pub(crate) fn select(mask: Mask, chosen: &Self, other: &Self) -> Self {
        Self::from_montgomery(mask.select_limbs(&chosen.limbs, &other.limbs))
    }

    /// Takes over `other` in the bits of a set mask; from 0, a scan of a table gathers one entry.
    #[inline(always)]
    pub(crate) fn gather(&mut self, mask: Mask, other: &Self) {
        for (limb, bits) in self.limbs.iter_mut().zip(other.limbs) {
            *limb |= bits & mask.word();
        }
    }
}

impl<M> Zeroize for Residue<M> {
    fn zeroize(&mut self) {
        self.limbs.zeroize();
    }
}
