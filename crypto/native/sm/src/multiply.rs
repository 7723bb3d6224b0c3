//! Multiplication of a point seen for the first time.

use zeroize::Zeroizing;

use crate::affine::AffinePoint;
use crate::digits::{Digit, Digits, window};
use crate::field::FieldElement;
use crate::jacobian::Jacobian;
use crate::mask::Mask;
use crate::point::Point;
use crate::scalar::Scalar;

/// Bits of a window for a secret scalar: tables of 8 points.
const SECRET_WIDTH: usize = 4;
const SECRET_COUNT: usize = Digits::<SECRET_WIDTH>::COUNT;

/// Bits of a window for a public scalar: 8 odd multiples, one addition in 6 bits.
const PUBLIC_WIDTH: usize = 5;

/// Returns k P for a secret k, with the same steps whatever k is.
pub(crate) fn secret_multiple(k: &Scalar, point: &AffinePoint) -> Point {
    let mut table = Zeroizing::new([Point::from(*point); 1 << (SECRET_WIDTH - 1)]);
    for i in 1..table.len() {
        table[i] = table[i - 1].add_affine(point);
    }
    let zero = Digit {
        magnitude: 0,
        negative: Mask::from_bit(0),
    };
    let mut digits = Zeroizing::new([zero; SECRET_COUNT]);
    for (slot, digit) in digits.iter_mut().zip(Digits::<SECRET_WIDTH>::new(k)) {
        *slot = digit;
    }
    let mut sum = Point::INFINITY;
    for digit in digits.iter().rev() {
        sum = sum.double().double().double().double();
        let entry = scan(&table[..], digit.magnitude);
        sum = sum.add(&Point::select(digit.negative, &entry.negate(), &entry));
    }
    sum
}

/// Reads all entries and keeps the one with this number, counted from 1; infinity for 0.
fn scan(table: &[Point], magnitude: u64) -> Point {
    let zero = FieldElement::ZERO;
    let mut found = Point {
        x: zero,
        y: zero,
        z: zero,
    };
    for (number, entry) in (0..).zip(core::iter::once(&Point::INFINITY).chain(table)) {
        let mask = Mask::if_equal(number, magnitude);
        found.x.gather(mask, &entry.x);
        found.y.gather(mask, &entry.y);
        found.z.gather(mask, &entry.z);
    }
    found
}

/// Returns k P for a public k, by its non-adjacent form.
pub(crate) fn public_multiple(k: &Scalar, point: &AffinePoint) -> Jacobian {
    let mut odd_multiples = [Jacobian::from(*point); 1 << (PUBLIC_WIDTH - 2)];
    let twice = odd_multiples[0].double();
    for i in 1..odd_multiples.len() {
        odd_multiples[i] = odd_multiples[i - 1].add(&twice);
    }
    let mut sum = Jacobian::INFINITY;
    for digit in non_adjacent_form(k).iter().rev() {
        sum.double_assign();
        if *digit != 0 {
            let entry = &odd_multiples[usize::from(digit.unsigned_abs() / 2)];
            if *digit > 0 {
                sum.add_assign(entry);
            } else {
                sum.add_assign(&entry.negate());
            }
        }
    }
    sum
}

/// The digits of a public scalar, the lowest first: 0, or odd and between -15 and 15 with at
/// least four zeros after each.
fn non_adjacent_form(k: &Scalar) -> [i8; 257] {
    let limbs = k.to_limbs();
    let mut digits = [0; 257];
    let mut carry = 0;
    let mut position = 0;
    while position < digits.len() {
        let value = window(&limbs, position, PUBLIC_WIDTH) + carry;
        if value.is_multiple_of(2) {
            // An even sum has the same bit 0 as the carry: it moves on unchanged.
            position += 1;
            continue;
        }
        carry = value >> (PUBLIC_WIDTH - 1);
        digits[position] = value as i8 - ((carry as i8) << PUBLIC_WIDTH);
        position += PUBLIC_WIDTH;
    }
    digits
}
