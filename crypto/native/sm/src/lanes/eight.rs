//! Eight numbers side by side: what a back end of lanes asks of the processor.

use super::field;

/// Eight numbers of 64 bits. Sums wrap; [`Self::shift_right`] reads them as signed.
pub(super) trait Eight: Copy {
    /// The same number eight times.
    fn splat(number: u64) -> Self;

    fn load(numbers: &[u64; 8]) -> Self;

    /// [`Self::load`] that takes place whatever becomes of the numbers: a secret may choose among what
    /// was read, never what is read.
    fn load_in_any_case(numbers: &[u64; 8]) -> Self;

    fn store(self) -> [u64; 8];

    fn add(self, other: Self) -> Self;

    fn subtract(self, other: Self) -> Self;

    fn and(self, other: Self) -> Self;

    fn shift_left<const BITS: u32>(self) -> Self;

    /// Rounds down, towards minus infinity.
    fn shift_right<const BITS: u32>(self) -> Self;

    /// Returns self + the low 52 bits of the product of the factors' low 52 bits.
    fn add_low(self, a: Self, b: Self) -> Self;

    /// Returns self + the high 52 bits of that product of 104.
    fn add_high(self, a: Self, b: Self) -> Self;

    /// The lanes in which both are the same.
    fn equal(self, other: Self) -> Lanes;

    /// `chosen` in these lanes, `other` in the rest.
    fn select(lanes: Lanes, chosen: Self, other: Self) -> Self;

    /// Lane i of the result is lane i + `by`, round about.
    fn rotate(self, by: usize) -> Self;

    /// [`field::multiply`], inlined where that pays.
    #[inline(always)]
    fn multiply(a: &[Self; 5], b: &[Self; 5]) -> [Self; 5] {
        field::multiply(a, b)
    }

    /// [`field::square`], inlined where that pays.
    #[inline(always)]
    fn square(a: &[Self; 5]) -> [Self; 5] {
        field::square(a)
    }

    /// [`field::tighten`], inlined where that pays.
    #[inline(always)]
    fn tighten(a: &[Self; 5]) -> [Self; 5] {
        field::tighten(a)
    }
}

/// A set of lanes; which are in it may be a secret.
#[derive(Clone, Copy)]
pub(super) struct Lanes(u8);

impl Lanes {
    pub(super) const ALL: Self = Self(0xff);

    /// From one bit a lane, the first the lowest.
    #[inline(always)]
    pub(super) fn from_bits(bits: u8) -> Self {
        Self(core::hint::black_box(bits))
    }

    /// One bit a lane, the first the lowest.
    #[inline(always)]
    pub(super) fn bits(self) -> u8 {
        self.0
    }

    /// Those that are in both.
    #[inline(always)]
    pub(super) fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// As [`Eight::rotate`].
    #[inline(always)]
    pub(super) fn rotate(self, by: usize) -> Self {
        Self(self.0.rotate_right(by as u32))
    }
}
