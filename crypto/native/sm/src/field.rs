//! The field of the curve: numbers modulo p (GB/T 32918.5, section 2).

#[cfg(target_arch = "x86_64")]
use crate::adx;
use crate::backend::by_backend;
use crate::limbs::{Limbs, add_carry, sub_borrow};
use crate::moduli;
use crate::portable::{self, Prime};
use crate::residue::{Modulus, Residue};

/// The modulus p.
#[derive(Clone, Copy)]
pub(crate) struct P;

/// A coordinate.
pub(crate) type FieldElement = Residue<P>;

impl Prime for P {
    const VALUE: Limbs = moduli::P;

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

impl Modulus for P {
    #[inline(always)]
    fn multiply(a: &Limbs, b: &Limbs) -> Limbs {
        by_backend!(adx: adx::multiply_p(a, b), portable: portable::multiply::<Self>(a, b))
    }

    #[inline(always)]
    fn square(a: &Limbs) -> Limbs {
        by_backend!(adx: adx::square_p(a), portable: portable::square::<Self>(a))
    }

    #[inline(always)]
    fn add(a: &Limbs, b: &Limbs) -> Limbs {
        by_backend!(adx: adx::add_p(a, b), portable: portable::add::<Self>(a, b))
    }

    #[inline(always)]
    fn subtract(a: &Limbs, b: &Limbs) -> Limbs {
        by_backend!(adx: adx::subtract_p(a, b), portable: portable::subtract::<Self>(a, b))
    }
}

impl P {
    /// Squares `count` times.
    fn square_times(a: &Limbs, count: u32) -> Limbs {
        by_backend!(adx: adx::square_times_p(a, count), portable: portable::square_times::<Self>(a, count))
    }
}

impl FieldElement {
    /// Returns a square root, or nothing when there is none.
    ///
    /// p is 3 modulo 4, so x^((p+1)/4) is the root of a square. In bits (p + 1) / 4 is 31 ones, a
    /// zero, 128 ones, 31 zeros, a one and 62 zeros. Longer runs of ones are made of shorter ones by
    /// squaring, which takes far fewer products than reading the exponent in windows.
    pub(crate) fn square_root(&self) -> Option<Self> {
        let ones2 = self.square().multiply(self);
        let ones3 = ones2.square().multiply(self);
        let ones6 = ones3.square_times(3).multiply(&ones3);
        let ones12 = ones6.square_times(6).multiply(&ones6);
        let ones15 = ones12.square_times(3).multiply(&ones3);
        let ones30 = ones15.square_times(15).multiply(&ones15);
        let ones31 = ones30.square().multiply(self);
        let ones32 = ones31.square().multiply(self);
        let mut power = ones31.square_times(33).multiply(&ones32);
        for _ in 0..3 {
            power = power.square_times(32).multiply(&ones32);
        }
        let root = power.square_times(32).multiply(self).square_times(62);
        root.square().equals(self).reveal().then_some(root)
    }

    fn square_times(&self, count: u32) -> Self {
        Self::from_montgomery(P::square_times(self.montgomery(), count))
    }

    /// The lowest bit, which tells the two roots apart in a compressed point.
    pub(crate) fn lowest_bit(&self) -> u8 {
        (self.to_limbs()[0] & 1) as u8
    }
}
