//! k G for a secret k: the same steps and the same memory whatever k is.

use std::sync::LazyLock;

use super::eight::{Eight, Lanes};
use super::field::Entries;
use super::points::{AffineEntries, EntryLimbs, Points, place};
use crate::digits::Digits;
use crate::fixed_base::SECRET_GENERATOR;
use crate::jacobian::Jacobian;
use crate::scalar::Scalar;

/// Bits of a window, as in the table that this one is made from.
const WIDTH: usize = 6;
const MULTIPLES: usize = 1 << (WIDTH - 1);
const ROUNDS: usize = Digits::<WIDTH>::COUNT.div_ceil(8);

/// The entries of eight windows side by side: 120 KiB. Windows beyond the last are zeros.
static TABLE: LazyLock<Vec<[EntryLimbs; MULTIPLES]>> = LazyLock::new(|| {
    let mut table = vec![[[[[0; 8]; 5]; 2]; MULTIPLES]; ROUNDS];
    for (window, multiples) in SECRET_GENERATOR.windows().enumerate() {
        for (limbs, point) in table[window / 8].iter_mut().zip(multiples) {
            place(limbs, window % 8, point);
        }
    }
    table
});

/// Makes the table, where no product has done so yet.
pub(super) fn prepare() {
    LazyLock::force(&TABLE);
}

/// Returns k G, for k from 1 to n-1; Z = 0 where a special case was met.
///
/// A lane adds every eighth window. As in `FixedBase::multiply`, a sum of windows is never the next
/// entry or its negative. Nor are the sums of two lanes the same point or each other's negative as
/// long as both are smaller than n: their windows are others, and with digits from -31 to 32 a
/// number is written in one way. Beyond that (a k that one would have to look for) Z = 0 tells.
#[inline(always)]
pub(super) fn multiple<V: Eight>(k: &Scalar) -> Jacobian {
    let mut magnitudes = [[0; 8]; ROUNDS];
    let mut negative = [0; ROUNDS];
    for (window, digit) in Digits::<WIDTH>::new(k).enumerate() {
        magnitudes[window / 8][window % 8] = digit.magnitude;
        negative[window / 8] |= (digit.negative.word() as u8 & 1) << (window % 8);
    }
    let mut sums = Points::<V>::nothing();
    let mut nothing = Lanes::ALL;
    for (round, multiples) in TABLE.iter().enumerate() {
        let magnitudes = V::load(&magnitudes[round]);
        let entries = scan::<V>(multiples, magnitudes).negate_in(Lanes::from_bits(negative[round]));
        let zeros = magnitudes.equal(V::splat(0));
        let next = Points::select(nothing, &entries.to_points(), &sums.add_entries(&entries));
        sums = Points::select(zeros, &sums, &next);
        nothing = nothing.and(zeros);
    }
    sums.fold(nothing).export()[0]
}

/// Reads all entries and keeps, in each lane, the one with this number, counted from 1; zeros for 0.
#[inline(always)]
fn scan<V: Eight>(multiples: &[EntryLimbs; MULTIPLES], magnitudes: V) -> AffineEntries<V> {
    let zero = [[V::splat(0); 5]; 2];
    let mut found = zero;
    for (number, limbs) in (1..).zip(multiples) {
        let lanes = magnitudes.equal(V::splat(number));
        for (found, limbs) in found.iter_mut().zip(limbs) {
            for (found, limb) in found.iter_mut().zip(limbs) {
                *found = V::select(lanes, V::load_in_any_case(limb), *found);
            }
        }
    }
    let [x, y] = found;
    AffineEntries {
        x: Entries(x),
        y: Entries(y),
    }
}
