//! Choices that depend on a secret, made without a branch.

use core::hint::black_box;

use zeroize::Zeroize;

use crate::limbs::Limbs;
use crate::secrecy;

/// All ones (set) or all zeros (clear).
///
/// Every constructor passes its word through `black_box`, so that the compiler cannot learn
/// that there are only two values and turn a selection back into a branch.
#[derive(Clone, Copy)]
pub(crate) struct Mask(u64);

impl Mask {
    /// Set when `bit` is 1, clear when it is 0.
    #[inline(always)]
    pub(crate) fn from_bit(bit: u64) -> Self {
        Self(black_box(bit.wrapping_neg()))
    }

    /// Set when `word` is 0.
    #[inline(always)]
    pub(crate) fn if_zero(word: u64) -> Self {
        Self::from_bit(((word | word.wrapping_neg()) >> 63) ^ 1)
    }

    /// Set when the two words are the same.
    #[inline(always)]
    pub(crate) fn if_equal(a: u64, b: u64) -> Self {
        Self::if_zero(a ^ b)
    }

    /// Set when the two byte strings, of the same public length, are the same.
    pub(crate) fn if_equal_bytes(a: &[u8], b: &[u8]) -> Self {
        let difference = a.iter().zip(b).fold(0, |sum, (x, y)| sum | (x ^ y));
        Self::if_zero(u64::from(difference) | (a.len() ^ b.len()) as u64)
    }

    /// Set when both are.
    #[inline(always)]
    pub(crate) fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// Set when one of them is, or both.
    #[inline(always)]
    pub(crate) fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Set when this one is clear.
    #[inline(always)]
    pub(crate) fn not(self) -> Self {
        Self(!self.0)
    }

    /// `chosen` when set, else `other`.
    #[inline(always)]
    pub(crate) fn select(self, chosen: u64, other: u64) -> u64 {
        other ^ (self.0 & (other ^ chosen))
    }

    /// `chosen` when set, else `other`.
    #[inline(always)]
    pub(crate) fn select_limbs(self, chosen: &Limbs, other: &Limbs) -> Limbs {
        core::array::from_fn(|i| self.select(chosen[i], other[i]))
    }

    /// The word itself: all ones or all zeros.
    #[inline(always)]
    pub(crate) fn word(self) -> u64 {
        self.0
    }

    /// Gives the answer away: only for what the caller is told anyway. The places that do so with
    /// a secret's consequence are listed in tests/crypto/test_constant_time.py.
    #[inline(always)]
    #[track_caller]
    pub(crate) fn reveal(self) -> bool {
        secrecy::give_away(self.0) != 0
    }
}

impl Zeroize for Mask {
    fn zeroize(&mut self) {
        self.0.zeroize();
    }
}
