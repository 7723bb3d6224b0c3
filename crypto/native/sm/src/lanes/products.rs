//! Eight points seen for the first time, each times a public scalar of its own.

use super::eight::{Eight, Lanes};
use super::field::Elements;
use super::points::{AffineEntries, Points, place};
use super::sums::add_lists;
use crate::affine::AffinePoint;
use crate::digits::{Digit, Digits};
use crate::jacobian::Jacobian;
use crate::mask::Mask;
use crate::scalar::Scalar;

/// Bits of a window: 16 multiples of each point, one addition in five doublings.
const WIDTH: usize = 5;
const MULTIPLES: usize = 1 << (WIDTH - 1);
const COUNT: usize = Digits::<WIDTH>::COUNT;

/// The limbs of X, Y and Z, each in all lanes.
type PointLimbs = [[[u64; 8]; 5]; 3];

/// Returns k P and the sum of a list in each lane; Z = 0 where a special case was met.
#[inline(always)]
pub(super) fn eight_products<V: Eight>(
    scalars: &[Scalar; 8],
    points: &[AffinePoint; 8],
    lists: &[&[AffinePoint]; 8],
) -> [Jacobian; 8] {
    let (sums, nothing) = multiples::<V>(scalars, points);
    add_lists(sums, nothing, lists).0.export()
}

/// Returns k P in each lane, and the lanes in which k is 0; Z = 0 where a special case was met.
#[inline(always)]
fn multiples<V: Eight>(scalars: &[Scalar; 8], points: &[AffinePoint; 8]) -> (Points<V>, Lanes) {
    let table = table::<V>(points);
    let digits = scalars.each_ref().map(digits_of);
    let mut sums = Points::<V>::nothing();
    let mut nothing = Lanes::ALL;
    for window in (0..COUNT).rev() {
        for _ in 0..WIDTH {
            sums = sums.double();
        }
        let (entries, zeros) = look_up::<V>(&table, &digits.each_ref().map(|own| own[window]));
        let next = Points::select(nothing, &entries, &sums.add(&entries));
        sums = Points::select(zeros, &sums, &next);
        nothing = nothing.and(zeros);
    }
    (sums, nothing)
}

/// 1 to 16 times each point.
#[inline(always)]
fn table<V: Eight>(points: &[AffinePoint; 8]) -> [PointLimbs; MULTIPLES] {
    let mut limbs = [[[0; 8]; 5]; 2];
    for (lane, point) in points.iter().enumerate() {
        place(&mut limbs, lane, point);
    }
    let entries = AffineEntries::<V>::load(&limbs);
    let mut multiple = entries.to_points();
    let mut table = [[[[0; 8]; 5]; 3]; MULTIPLES];
    for (number, slot) in table.iter_mut().enumerate() {
        match number {
            0 => {}
            1 => multiple = multiple.double(),
            _ => multiple = multiple.add_entries(&entries),
        }
        *slot = [multiple.x.store(), multiple.y.store(), multiple.z.store()];
    }
    table
}

/// The windows of a scalar, the lowest first.
fn digits_of(scalar: &Scalar) -> [Digit; COUNT] {
    let mut digits = [Digit {
        magnitude: 0,
        negative: Mask::from_bit(0),
    }; COUNT];
    for (slot, digit) in digits.iter_mut().zip(Digits::<WIDTH>::new(scalar)) {
        *slot = digit;
    }
    digits
}

/// The entry for the digit of each lane, and the lanes whose digit is 0.
#[inline(always)]
fn look_up<V: Eight>(table: &[PointLimbs; MULTIPLES], digits: &[Digit; 8]) -> (Points<V>, Lanes) {
    let mut limbs: PointLimbs = [[[0; 8]; 5]; 3];
    let (mut zeros, mut negative) = (0, 0);
    for (lane, digit) in digits.iter().enumerate() {
        negative |= (digit.negative.word() as u8 & 1) << lane;
        let Some(entry) = table.get((digit.magnitude as usize).wrapping_sub(1)) else {
            zeros |= 1 << lane;
            continue;
        };
        for (limb, own) in limbs.iter_mut().flatten().zip(entry.iter().flatten()) {
            limb[lane] = own[lane];
        }
    }
    let [x, y, z] = &limbs;
    let (x, y, z) = (Elements::load(x), Elements::load(y), Elements::load(z));
    let minus_y = Elements::zero().minus(&y).tight();
    let y = Elements::select(Lanes::from_bits(negative), &minus_y, &y);
    (Points { x, y, z }, Lanes::from_bits(zeros))
}
