//! Numbers modulo a 256-bit prime, in Montgomery form.
//!
//! [`Modulus`] is the one interface between this arithmetic and everything above it. A faster
//! back end overrides `multiply` and `square`; points, keys and signatures do not change.

use core::marker::PhantomData;

use zeroize::{Zeroize, Zeroizing};

use crate::limbs::{self, Limbs};
use crate::mask::Mask;

/// A prime m with 2^255 < m < 2^256, and how to multiply modulo it.
///
/// All functions take and give reduced values times R = 2^256 and run in constant time.
pub(crate) trait Modulus: Copy + 'static {
    /// m itself.
    const VALUE: Limbs;

    /// Adds the multiple of m that clears the lowest limb, and drops that limb.
    fn cancel_lowest_limb(sum: Limbs) -> Limbs;

    /// Returns a b / R mod m.
    #[inline(always)]
    fn multiply(a: &Limbs, b: &Limbs) -> Limbs {
        let (low, high) = limbs::multiply_wide(a, b);
        reduce::<Self>(low, high)
    }

    /// Returns a^2 / R mod m.
    #[inline(always)]
    fn square(a: &Limbs) -> Limbs {
        let (low, high) = limbs::square_wide(a);
        reduce::<Self>(low, high)
    }
}

/// Montgomery's reduction: (high R + low) / R mod m, for a value below m R.
#[inline(always)]
fn reduce<M: Modulus>(low: Limbs, high: Limbs) -> Limbs {
    let low = M::cancel_lowest_limb(low);
    let low = M::cancel_lowest_limb(low);
    let low = M::cancel_lowest_limb(low);
    let low = M::cancel_lowest_limb(low);
    let (sum, carry) = limbs::add(&low, &high);
    subtract_once(&sum, carry, &M::VALUE)
}

/// Takes m off a value below 2m (four limbs and a carry) when that leaves no less than nothing.
#[inline(always)]
const fn subtract_once(value: &Limbs, carry: u64, modulus: &Limbs) -> Limbs {
    let (less, borrow) = limbs::sub(value, modulus);
    let keep = (borrow & (carry ^ 1)).wrapping_neg();
    [
        (value[0] & keep) | (less[0] & !keep),
        (value[1] & keep) | (less[1] & !keep),
        (value[2] & keep) | (less[2] & !keep),
        (value[3] & keep) | (less[3] & !keep),
    ]
}

/// Returns value R mod m, by doubling 256 times: for constants, at compile time.
const fn montgomery_form(value: &Limbs, modulus: &Limbs) -> Limbs {
    let mut value = *value;
    let mut count = 0;
    while count < 256 {
        let (double, carry) = limbs::add(&value, &value);
        value = subtract_once(&double, carry, modulus);
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

    const fn from_montgomery(limbs: Limbs) -> Self {
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
        Self::from_limbs(&subtract_once(&limbs::from_bytes(bytes), 0, &M::VALUE))
    }

    /// From a number below m.
    pub(crate) fn from_limbs(value: &Limbs) -> Self {
        Self::from_montgomery(M::multiply(value, &Self::R_SQUARED))
    }

    /// The number itself, reduced.
    pub(crate) fn to_limbs(self) -> Limbs {
        reduce::<M>(self.limbs, [0; 4])
    }

    /// The number as 32 big-endian bytes.
    pub(crate) fn to_bytes(self) -> [u8; 32] {
        limbs::to_bytes(&self.to_limbs())
    }

    #[inline(always)]
    pub(crate) fn add(&self, other: &Self) -> Self {
        let (sum, carry) = limbs::add(&self.limbs, &other.limbs);
        Self::from_montgomery(subtract_once(&sum, carry, &M::VALUE))
    }

    #[inline(always)]
    pub(crate) fn sub(&self, other: &Self) -> Self {
        let (difference, borrow) = limbs::sub(&self.limbs, &other.limbs);
        let back = M::VALUE.map(|limb| limb & borrow.wrapping_neg());
        Self::from_montgomery(limbs::add(&difference, &back).0)
    }

    #[inline(always)]
    pub(crate) fn double(&self) -> Self {
        self.add(self)
    }

    #[inline(always)]
    pub(crate) fn triple(&self) -> Self {
        self.double().add(self)
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

    /// Raises to a public power, by windows of four bits.
    pub(crate) fn power(&self, exponent: &Limbs) -> Self {
        let mut powers = Zeroizing::new([Self::ONE; 16]);
        for i in 1..16 {
            powers[i] = powers[i - 1].multiply(self);
        }
        let mut result = Self::ONE;
        for limb in exponent.iter().rev() {
            for shift in (0..64).step_by(4).rev() {
                result = result.square().square().square().square();
                result = result.multiply(&powers[(limb >> shift) as usize & 15]);
            }
        }
        result
    }

    /// Returns the inverse, by Fermat in constant time; the inverse of 0 is 0.
    pub(crate) fn invert(&self) -> Self {
        self.power(&limbs::sub(&M::VALUE, &[2, 0, 0, 0]).0)
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
