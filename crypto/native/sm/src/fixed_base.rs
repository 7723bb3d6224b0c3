//! Multiplication of a point that stays the same, by a table of its multiples.

use core::hint::black_box;
use std::sync::LazyLock;

use crate::affine::{AffinePoint, GENERATOR};
use crate::backend::Backend;
use crate::digits::Digits;
use crate::field::FieldElement;
use crate::jacobian::Jacobian;
use crate::lanes::EightLanes;
use crate::mask::Mask;
use crate::scalar::Scalar;

/// For secrets: 43 windows of 6 bits, 86 KiB, small enough to be read in full each time.
pub(crate) static SECRET_GENERATOR: LazyLock<FixedBase<6>> =
    LazyLock::new(|| FixedBase::new(&GENERATOR));

/// Bits of a window of [`PUBLIC_GENERATOR`].
pub(crate) const PUBLIC_WIDTH: usize = 10;

/// For public values: 26 windows of 10 bits, 832 KiB.
pub(crate) static PUBLIC_GENERATOR: LazyLock<FixedBase<PUBLIC_WIDTH>> =
    LazyLock::new(|| FixedBase::new(&GENERATOR));

/// Returns k G for a secret k from 1 to n-1, in constant time.
pub(crate) fn secret_multiple_of_generator(k: &Scalar) -> Jacobian {
    EightLanes::in_use()
        .and_then(|lanes| lanes.secret_multiple(k))
        .unwrap_or_else(|| SECRET_GENERATOR.multiply(k))
}

/// The multiples 1 to 2^(w-1) of 2^(w i) P for each window i.
///
/// A product is then one addition for each window and no doubling.
pub(crate) struct FixedBase<const WIDTH: usize> {
    entries: Vec<AffinePoint>,
}

impl<const WIDTH: usize> FixedBase<WIDTH> {
    /// Multiples kept for each window.
    const MULTIPLES: usize = 1 << (WIDTH - 1);
    /// Bytes of the table.
    pub(crate) const SIZE: usize =
        Digits::<WIDTH>::COUNT * Self::MULTIPLES * size_of::<AffinePoint>();

    pub(crate) fn new(point: &AffinePoint) -> Self {
        Backend::current();
        let mut entries = Vec::with_capacity(Digits::<WIDTH>::COUNT * Self::MULTIPLES);
        for base in Self::bases(point) {
            let mut multiple = Jacobian::from(base);
            entries.push(multiple);
            for _ in 1..Self::MULTIPLES {
                multiple.add_affine_assign(&base);
                entries.push(multiple);
            }
        }
        Self {
            entries: Jacobian::all_to_affine(&entries),
        }
    }

    /// 2^(w i) P for each window i.
    fn bases(point: &AffinePoint) -> Vec<AffinePoint> {
        let mut base = Jacobian::from(*point);
        let mut bases = Vec::with_capacity(Digits::<WIDTH>::COUNT);
        for _ in 0..Digits::<WIDTH>::COUNT {
            bases.push(base);
            for _ in 0..WIDTH {
                base.double_assign();
            }
        }
        Jacobian::all_to_affine(&bases)
    }

    /// The entries of each window, the lowest first.
    pub(crate) fn windows(&self) -> impl Iterator<Item = &[AffinePoint]> {
        self.entries.chunks_exact(Self::MULTIPLES)
    }

    /// Returns k P for a secret k from 1 to n-1: the same additions and the same memory whatever
    /// k is.
    ///
    /// The additions need no special cases but two, done with masks: before the first digit that
    /// isn't 0 there is nothing to add to, and a digit 0 adds nothing. Otherwise the sum so far
    /// is s P with |s| < 0.52 * 2^(w i), for w from 5 on, and the entry d 2^(w i) P with d from 1 on: neither s nor
    /// -s is d 2^(w i). Nor is it so modulo n. Below the top window both together are less than
    /// n. In the top one s + d 2^(w i) is k, which is no multiple of n; and s = d 2^(w i) - n asks
    /// for a digit d whose multiple is within half a window of n, which only the largest is, for
    /// a k above n.
    pub(crate) fn multiply(&self, k: &Scalar) -> Jacobian {
        let mut sum = Jacobian::INFINITY;
        let mut nothing_yet = Mask::from_bit(1);
        for (digit, window) in Digits::<WIDTH>::new(k).zip(self.windows()) {
            let entry = scan(window, digit.magnitude).negate_if(digit.negative);
            let first = Jacobian::from(entry);
            let next = Jacobian::select(nothing_yet, &first, &sum.add_distinct(&entry));
            let is_zero = Mask::if_zero(digit.magnitude);
            sum = Jacobian::select(is_zero, &sum, &next);
            nothing_yet = nothing_yet.and(is_zero);
        }
        sum
    }

    /// Reads all entries that a public k will need, before the first of them is needed.
    ///
    /// Tables are larger than the nearest caches, and an addition is so long that the processor
    /// does not meet the next look-up while it waits for this one. Side by side, the entries of a
    /// signature that is unlike the last come in a fraction of the time.
    pub(crate) fn fetch(&self, k: &Scalar) {
        for (digit, window) in Digits::<WIDTH>::new(k).zip(self.windows()) {
            let index = (digit.magnitude as usize).wrapping_sub(1);
            if let Some(entry) = window.get(index) {
                black_box(*entry);
            }
        }
    }

    /// The points whose sum is k P for a public k, at most [`Digits::COUNT`] of them.
    pub(crate) fn public_points(&self, k: &Scalar) -> impl Iterator<Item = AffinePoint> {
        Digits::<WIDTH>::new(k)
            .zip(self.windows())
            .filter_map(|(digit, window)| {
                let entry = window.get((digit.magnitude as usize).wrapping_sub(1))?;
                Some(entry.negate_if(digit.negative))
            })
    }

    /// Returns `sum` + k P for a public k: entries are looked up and zeros skipped.
    pub(crate) fn add_public_multiple(&self, mut sum: Jacobian, k: &Scalar) -> Jacobian {
        for point in self.public_points(k) {
            sum.add_affine_assign(&point);
        }
        sum
    }
}

/// Reads all entries and keeps the one with this number, counted from 1; none for 0.
#[inline]
fn scan(window: &[AffinePoint], magnitude: u64) -> AffinePoint {
    let mut found = AffinePoint {
        x: FieldElement::ZERO,
        y: FieldElement::ZERO,
    };
    for (number, entry) in (1..).zip(window) {
        let mask = Mask::if_equal(number, magnitude);
        found.x.gather(mask, &entry.x);
        found.y.gather(mask, &entry.y);
    }
    found
}
