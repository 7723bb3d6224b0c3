//! The field of the curve: numbers modulo p (GB/T 32918.5, section 2).

use crate::limbs::{Limbs, add_carry, sub_borrow};
use crate::residue::{Modulus, Residue};

/// p = 2^256 - 2^224 - 2^96 + 2^64 - 1.
#[derive(Clone, Copy)]
pub(crate) struct P;

/// A coordinate.
pub(crate) type FieldElement = Residue<P>;

impl Modulus for P {
    const VALUE: Limbs = [
        0xffff_ffff_ffff_ffff,
        0xffff_ffff_0000_0000,
        0xffff_ffff_ffff_ffff,
        0xffff_fffe_ffff_ffff,
    ];

    /// -1/p mod 2^64 is 1, so the multiple to add is the limb itself: with l the lowest limb,
    /// l + l p = l (2^256 - 2^224 - 2^96 + 2^64), a few shifts and no multiplication.
    #[inline(always)]
    fn cancel_lowest_limb(sum: Limbs) -> Limbs {
        let limb = sum[0];
        let (left, right) = (limb << 32, limb >> 32);
        let (m0, borrow) = sub_borrow(limb, left, 0);
        let (m1, borrow) = sub_borrow(0, right, borrow);
        let (m2, borrow) = sub_borrow(0, left, borrow);
        let (m3, _) = sub_borrow(limb, right, borrow);

        let (r0, carry) = add_carry(sum[1], m0, 0);
        let (r1, carry) = add_carry(sum[2], m1, carry);
        let (r2, carry) = add_carry(sum[3], m2, carry);
        let (r3, _) = add_carry(0, m3, carry);
        [r0, r1, r2, r3]
    }
}

impl FieldElement {
    /// (p + 1) / 4; p is 3 modulo 4, so this power of a square is its root.
    const ROOT_EXPONENT: Limbs = [
        0x4000_0000_0000_0000,
        0xffff_ffff_c000_0000,
        0xffff_ffff_ffff_ffff,
        0x3fff_ffff_bfff_ffff,
    ];

    /// Returns a square root of a public value, or nothing when there is none.
    pub(crate) fn square_root(&self) -> Option<Self> {
        let root = self.power(&Self::ROOT_EXPONENT);
        root.square().equals(self).reveal().then_some(root)
    }

    /// The lowest bit, which tells the two roots apart in a compressed point.
    pub(crate) fn lowest_bit(&self) -> u8 {
        (self.to_limbs()[0] & 1) as u8
    }
}
