//! [`Eight`] without the instructions: shows on any processor that the arithmetic over it holds.

use super::eight::{Eight, Lanes};
use super::field::{self, LIMB};

#[derive(Clone, Copy)]
pub(super) struct Emulated([u64; 8]);

impl Emulated {
    #[inline(always)]
    fn each(self, other: Self, work: impl Fn(u64, u64) -> u64) -> Self {
        Self(core::array::from_fn(|lane| {
            work(self.0[lane], other.0[lane])
        }))
    }
}

/// The product of the low 52 bits of both.
#[inline(always)]
fn product(a: u64, b: u64) -> u128 {
    u128::from(a & LIMB).wrapping_mul(u128::from(b & LIMB))
}

impl Eight for Emulated {
    #[inline(always)]
    fn splat(number: u64) -> Self {
        Self([number; 8])
    }

    #[inline(always)]
    fn load(numbers: &[u64; 8]) -> Self {
        Self(*numbers)
    }

    #[inline(always)]
    fn load_in_any_case(numbers: &[u64; 8]) -> Self {
        Self(*numbers)
    }

    #[inline(always)]
    fn store(self) -> [u64; 8] {
        self.0
    }

    #[inline(always)]
    fn add(self, other: Self) -> Self {
        self.each(other, u64::wrapping_add)
    }

    #[inline(always)]
    fn subtract(self, other: Self) -> Self {
        self.each(other, u64::wrapping_sub)
    }

    #[inline(always)]
    fn and(self, other: Self) -> Self {
        self.each(other, |a, b| a & b)
    }

    #[inline(always)]
    fn shift_left<const BITS: u32>(self) -> Self {
        Self(self.0.map(|number| number << BITS))
    }

    #[inline(always)]
    fn shift_right<const BITS: u32>(self) -> Self {
        Self(
            self.0
                .map(|number| (number.cast_signed() >> BITS).cast_unsigned()),
        )
    }

    #[inline(always)]
    fn add_low(self, a: Self, b: Self) -> Self {
        self.add(a.each(b, |a, b| product(a, b) as u64 & LIMB))
    }

    #[inline(always)]
    fn add_high(self, a: Self, b: Self) -> Self {
        self.add(a.each(b, |a, b| (product(a, b) >> 52) as u64))
    }

    #[inline(always)]
    fn equal(self, other: Self) -> Lanes {
        let same = self.each(other, |a, b| {
            let difference = a ^ b;
            ((difference | difference.wrapping_neg()) >> 63) ^ 1
        });
        let lanes = same
            .0
            .iter()
            .rev()
            .fold(0, |bits, same| bits << 1 | *same as u8);
        Lanes::from_bits(lanes)
    }

    #[inline(always)]
    fn select(lanes: Lanes, chosen: Self, other: Self) -> Self {
        Self(core::array::from_fn(|lane| {
            let bit = u64::from(lanes.bits() >> lane & 1);
            let mask = core::hint::black_box(bit.wrapping_neg());
            other.0[lane] ^ (mask & (other.0[lane] ^ chosen.0[lane]))
        }))
    }

    #[inline(always)]
    fn rotate(self, by: usize) -> Self {
        Self(core::array::from_fn(|lane| self.0[(lane + by) % 8]))
    }

    #[inline(never)]
    fn multiply(a: &[Self; 5], b: &[Self; 5]) -> [Self; 5] {
        field::multiply(a, b)
    }

    #[inline(never)]
    fn square(a: &[Self; 5]) -> [Self; 5] {
        field::square(a)
    }

    #[inline(never)]
    fn tighten(a: &[Self; 5]) -> [Self; 5] {
        field::tighten(a)
    }
}
