//! Whole numbers below 2^256 and arithmetic modulo a prime, the slow way: bit by bit, so that
//! nothing here shares an idea with the arithmetic that it judges.

use core::cmp::Ordering;

/// Limbs, the lowest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Number([u64; 4]);

/// The order of the curve's group (GB/T 32918.5, section 2).
pub const N: Number = Number([
    0x53bb_f409_39d5_4123,
    0x7203_df6b_21c6_052b,
    0xffff_ffff_ffff_ffff,
    0xffff_fffe_ffff_ffff,
]);

/// The prime of its field.
pub const P: Number = Number([
    0xffff_ffff_ffff_ffff,
    0xffff_ffff_0000_0000,
    0xffff_ffff_ffff_ffff,
    0xffff_fffe_ffff_ffff,
]);

impl Number {
    pub const ZERO: Self = Self::small(0);
    pub const ONE: Self = Self::small(1);
    pub const MAX: Self = Self([u64::MAX; 4]);

    pub const fn small(value: u64) -> Self {
        Self([value, 0, 0, 0])
    }

    /// From 32 big-endian bytes.
    pub fn from_bytes(bytes: &[u8; 32]) -> Self {
        let mut number = Self::ZERO;
        for (position, byte) in bytes.iter().rev().enumerate() {
            number.0[position / 8] |= u64::from(*byte) << (position % 8 * 8);
        }
        number
    }

    pub fn to_bytes(self) -> [u8; 32] {
        let mut bytes = [0; 32];
        for (position, byte) in bytes.iter_mut().rev().enumerate() {
            *byte = (self.0[position / 8] >> (position % 8 * 8)) as u8;
        }
        bytes
    }

    /// The sum modulo 2^256, and whether there was a carry.
    pub fn add(self, other: Self) -> (Self, bool) {
        let mut sum = Self::ZERO;
        let mut carry = false;
        for (limb, (a, b)) in sum.0.iter_mut().zip(self.0.iter().zip(other.0)) {
            let (partial, first) = a.overflowing_add(b);
            let (whole, second) = partial.overflowing_add(u64::from(carry));
            (*limb, carry) = (whole, first || second);
        }
        (sum, carry)
    }

    /// The difference modulo 2^256, and whether it was negative.
    pub fn sub(self, other: Self) -> (Self, bool) {
        let (difference, carry) = self.add(Self(other.0.map(|limb| !limb)));
        let (difference, again) = difference.add(Self::ONE);
        (difference, !(carry || again))
    }

    pub fn shifted_right(self) -> Self {
        let [a, b, c, d] = self.0;
        Self([a >> 1 | b << 63, b >> 1 | c << 63, c >> 1 | d << 63, d >> 1])
    }

    fn bit(self, position: usize) -> bool {
        self.0[position / 64] >> (position % 64) & 1 == 1
    }

    pub fn is_odd(self) -> bool {
        self.bit(0)
    }

    fn low_bits(self, mask: u64) -> u64 {
        self.0[0] & mask
    }
}

impl Ord for Number {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.iter().rev().cmp(other.0.iter().rev())
    }
}

impl PartialOrd for Number {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// Arithmetic modulo [`N`] or [`P`], on numbers below it.
#[derive(Clone, Copy)]
pub struct Modulo(pub Number);

impl Modulo {
    /// Any number; both moduli are above 2^255.
    pub fn reduce(self, number: Number) -> Number {
        if number >= self.0 {
            number.sub(self.0).0
        } else {
            number
        }
    }

    #[inline]
    pub fn add(self, a: Number, b: Number) -> Number {
        let (sum, carry) = a.add(b);
        if carry {
            sum.sub(self.0).0
        } else {
            self.reduce(sum)
        }
    }

    pub fn sub(self, a: Number, b: Number) -> Number {
        self.add(a, self.0.sub(self.reduce(b)).0)
    }

    pub fn multiply(self, a: Number, b: Number) -> Number {
        (0..256).rev().fold(Number::ZERO, |product, position| {
            let twice = self.add(product, product);
            if b.bit(position) {
                self.add(twice, a)
            } else {
                twice
            }
        })
    }

    /// 1 / a, by Fermat; a is not 0.
    pub fn invert(self, a: Number) -> Number {
        let exponent = self.0.sub(Number::small(2)).0;
        (0..256).rev().fold(Number::ONE, |power, position| {
            let square = self.multiply(power, power);
            if exponent.bit(position) {
                self.multiply(square, a)
            } else {
                square
            }
        })
    }

    /// Whether a is a square and not 0: the Jacobi symbol is 1.
    pub fn is_square(self, a: Number) -> bool {
        let (mut a, mut n, mut negative) = (a, self.0, false);
        while a != Number::ZERO {
            if !a.is_odd() {
                a = a.shifted_right();
                negative ^= matches!(n.low_bits(7), 3 | 5);
                continue;
            }
            if a < n {
                (a, n) = (n, a);
                negative ^= a.low_bits(3) == 3 && n.low_bits(3) == 3;
            }
            a = a.sub(n).0;
        }
        n == Number::ONE && !negative
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_numbers_behave() {
        let n = Modulo(N);
        let (three, five) = (Number::small(3), Number::small(5));
        assert_eq!(n.multiply(three, five), Number::small(15));
        assert_eq!(n.sub(three, five), N.sub(Number::small(2)).0);
        assert_eq!(n.multiply(five, n.invert(five)), Number::ONE);
        assert_eq!(n.add(N.sub(Number::ONE).0, three), Number::small(2));
        assert_eq!(Number::from_bytes(&N.to_bytes()), N);
        assert!(three.sub(five).1 && !five.sub(three).1 && !five.sub(five).1);
    }

    #[test]
    fn squares_are_told_from_the_others() {
        let p = Modulo(P);
        let mut squares = 0;
        for value in 1..200 {
            let number = Number::small(value);
            let square = p.multiply(number, number);
            assert!(p.is_square(square));
            // p = 3 mod 4, so -1 is none.
            assert!(!p.is_square(p.sub(Number::ZERO, square)));
            squares += u32::from(p.is_square(number));
        }
        assert!((60..140).contains(&squares), "{squares}");
        assert!(!p.is_square(Number::ZERO));
    }
}
