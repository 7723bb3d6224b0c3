//! A scalar cut into signed windows: digits from -(2^(w-1) - 1) to 2^(w-1).
//!
//! Signed digits halve the tables, because the negative of a point costs nothing.

use zeroize::Zeroize;

use crate::limbs::Limbs;
use crate::mask::Mask;
use crate::scalar::Scalar;

/// One window: digit = magnitude, or its negative.
#[derive(Clone, Copy)]
pub(crate) struct Digit {
    /// 0 to 2^(w-1).
    pub(crate) magnitude: u64,
    /// Set for a negative digit.
    pub(crate) negative: Mask,
}

impl Zeroize for Digit {
    fn zeroize(&mut self) {
        self.magnitude.zeroize();
        self.negative.zeroize();
    }
}

/// The windows of one scalar, the lowest first, without a branch on its value.
pub(crate) struct Digits<const WIDTH: usize> {
    limbs: Limbs,
    position: usize,
    carry: u64,
}

impl<const WIDTH: usize> Digits<WIDTH> {
    /// So many that the carry out of bit 255 has its place.
    pub(crate) const COUNT: usize = 257usize.div_ceil(WIDTH);

    pub(crate) fn new(scalar: &Scalar) -> Self {
        Self {
            limbs: scalar.to_limbs(),
            position: 0,
            carry: 0,
        }
    }
}

impl<const WIDTH: usize> Iterator for Digits<WIDTH> {
    type Item = Digit;

    #[inline]
    fn next(&mut self) -> Option<Digit> {
        if self.position > 256 {
            return None;
        }
        let value = window(&self.limbs, self.position, WIDTH) + self.carry;
        self.position += WIDTH;
        self.carry = (value + (1 << (WIDTH - 1)) - 1) >> WIDTH;
        let negative = Mask::from_bit(self.carry);
        Some(Digit {
            magnitude: negative.select((1 << WIDTH) - value, value),
            negative,
        })
    }
}

impl<const WIDTH: usize> Drop for Digits<WIDTH> {
    fn drop(&mut self) {
        self.limbs.zeroize();
    }
}

/// The bits from `position` on, `width` of them; bits beyond 255 are 0.
pub(crate) fn window(limbs: &Limbs, position: usize, width: usize) -> u64 {
    let (index, shift) = (position / 64, position % 64);
    let low = limbs.get(index).map_or(0, |limb| limb >> shift);
    let high = match limbs.get(index + 1) {
        Some(limb) if shift > 0 => limb << (64 - shift),
        _ => 0,
    };
    (low | high) & ((1 << width) - 1)
}
