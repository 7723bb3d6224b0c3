//! Numbers modulo p in eight lanes: five limbs of 52 bits, in Montgomery form with R = 2^260.
//!
//! R is sixteen times as large as `residue`'s, so that numbers need not be reduced: what is written
//! "below 4 p" may be any of four names of a number. A product of a and b is below p + a b / R.
//! Nothing here branches on a value.

use super::eight::{Eight, Lanes};
use crate::field::FieldElement;
use crate::limbs::Limbs;
use crate::moduli;
use crate::portable::subtract_once;

/// The bits of a limb.
pub(super) const LIMB: u64 = (1 << 52) - 1;

/// p's second limb and its fifth, each with one more.
///
/// The first, third and fourth limb of p are all ones. So m p is, in powers of 2^52,
/// -m + (p1 + 1) m 2^52 - m 2^104 + (p4 + 1) m 2^208: two products, and the first term clears the
/// limb that m was read from.
const P1_MORE: u64 = 0xf_f000_0000_1000;
const P4_MORE: u64 = 0xffff_ffff_0000;

/// Eight numbers below 4 p, each limb below 2^52. `Debug` is left out: they may be secrets.
#[derive(Clone, Copy)]
pub(super) struct Elements<V>(pub(super) [V; 5]);

/// A sum or difference of [`Elements`]: limbs of any size and sign.
#[derive(Clone, Copy)]
pub(super) struct Loose<V>([V; 5]);

/// R mod p, which is 1: 16 (2^224 + 2^96 - 2^64 + 1).
const ONE: [u64; 5] = split(&[1, 0xffff_ffff, 0, 1 << 32]);

/// 2^256: a product by it leaves R = 2^256 in place of 2^260.
const LESS: [u64; 5] = [0, 0, 0, 0, 1 << 48];

/// A number of `residue`'s form in this one's: times 16, in limbs of 52 bits. Below 16 p, which is
/// what [`Entries`] may be.
pub(super) const fn split(number: &Limbs) -> [u64; 5] {
    let [n0, n1, n2, n3] = *number;
    [
        (n0 << 4) & LIMB,
        (n0 >> 48 | n1 << 16) & LIMB,
        (n1 >> 36 | n2 << 28) & LIMB,
        (n2 >> 24 | n3 << 40) & LIMB,
        n3 >> 12,
    ]
}

/// Eight numbers below 16 p, as [`split`] makes them, good for a product by a product.
#[derive(Clone, Copy)]
pub(super) struct Entries<V>(pub(super) [V; 5]);

impl<V: Eight> Entries<V> {
    /// Limb by limb, each in all lanes.
    #[inline(always)]
    pub(super) fn load(limbs: &[[u64; 8]; 5]) -> Self {
        Self(core::array::from_fn(|i| V::load(&limbs[i])))
    }

    /// Its product by a number below 2 p, below 3 p.
    #[inline(always)]
    pub(super) fn multiply(&self, other: &Elements<V>) -> Elements<V> {
        Elements(V::multiply(&self.0, &other.0))
    }

    /// The same number below 2 p.
    #[inline(always)]
    pub(super) fn reduced(&self) -> Elements<V> {
        self.multiply(&Elements::one())
    }

    /// The negative number in these lanes.
    #[inline(always)]
    pub(super) fn negate_in(&self, lanes: Lanes) -> Self {
        let zero = V::splat(0);
        let negative = Loose(self.0.map(|limb| zero.subtract(limb))).tight();
        Self(core::array::from_fn(|i| {
            V::select(lanes, negative.0[i], self.0[i])
        }))
    }
}

impl<V: Eight> Elements<V> {
    /// Limb by limb, each in all lanes.
    #[inline(always)]
    pub(super) fn load(limbs: &[[u64; 8]; 5]) -> Self {
        Self(core::array::from_fn(|i| V::load(&limbs[i])))
    }

    #[inline(always)]
    pub(super) fn constant(limbs: &[u64; 5]) -> Self {
        Self(limbs.map(V::splat))
    }

    #[inline(always)]
    pub(super) fn one() -> Self {
        Self::constant(&ONE)
    }

    #[inline(always)]
    pub(super) fn zero() -> Self {
        Self::constant(&[0; 5])
    }

    #[inline(always)]
    pub(super) fn multiply(&self, other: &Self) -> Self {
        Self(V::multiply(&self.0, &other.0))
    }

    #[inline(always)]
    pub(super) fn square(&self) -> Self {
        Self(V::square(&self.0))
    }

    #[inline(always)]
    pub(super) fn plus(&self, other: &Self) -> Loose<V> {
        Loose(self.0).plus(other)
    }

    #[inline(always)]
    pub(super) fn minus(&self, other: &Self) -> Loose<V> {
        Loose(self.0).minus(other)
    }

    #[inline(always)]
    pub(super) fn times_two(&self) -> Loose<V> {
        self.plus(self)
    }

    #[inline(always)]
    pub(super) fn select(lanes: Lanes, chosen: &Self, other: &Self) -> Self {
        Self(core::array::from_fn(|i| {
            V::select(lanes, chosen.0[i], other.0[i])
        }))
    }

    #[inline(always)]
    pub(super) fn rotate(&self, by: usize) -> Self {
        let mut rotated = self.0;
        for limb in &mut rotated {
            *limb = limb.rotate(by);
        }
        Self(rotated)
    }

    /// As [`Self::load`] takes them.
    #[inline(always)]
    pub(super) fn store(&self) -> [[u64; 8]; 5] {
        let mut limbs = [[0; 8]; 5];
        for (place, limb) in limbs.iter_mut().zip(&self.0) {
            *place = limb.store();
        }
        limbs
    }

    /// The number in each lane, as `residue` has it.
    #[inline(always)]
    pub(super) fn export(&self) -> [FieldElement; 8] {
        let limbs = self.multiply(&Self::constant(&LESS)).store();
        core::array::from_fn(|lane| join(&limbs.map(|eight| eight[lane])))
    }
}

impl<V: Eight> Loose<V> {
    #[inline(always)]
    pub(super) fn plus(&self, other: &Elements<V>) -> Self {
        Self(core::array::from_fn(|i| self.0[i].add(other.0[i])))
    }

    #[inline(always)]
    pub(super) fn minus(&self, other: &Elements<V>) -> Self {
        Self(core::array::from_fn(|i| self.0[i].subtract(other.0[i])))
    }

    #[inline(always)]
    pub(super) fn times_two(&self) -> Self {
        Self(self.0.map(|limb| limb.add(limb)))
    }

    /// The same number from p to 2.001 p, with whole limbs; of sums from -64 p to 64 p.
    #[inline(always)]
    pub(super) fn tight(&self) -> Elements<V> {
        Elements(V::tighten(&self.0))
    }
}

/// Takes p away q times, q being one less than the highest limb says: -q p is
/// -q 2^256 + q (2^224 + 2^96 - 2^64 + 1). What the lower limbs still carry changes the number by
/// far less than the p that was left.
#[inline(always)]
pub(super) fn tighten<V: Eight>(limbs: &[V; 5]) -> [V; 5] {
    let [l0, l1, l2, l3, l4] = *limbs;
    let q = l4.shift_right::<48>().subtract(V::splat(1));
    let (q12, q44) = (q.shift_left::<12>(), q.shift_left::<44>());
    let (q16, q48) = (q.shift_left::<16>(), q.shift_left::<48>());
    let (l1, l4) = (l1.add(q44).subtract(q12), l4.add(q16).subtract(q48));
    carried([l0.add(q), l1, l2, l3, l4])
}

/// Moves what is above 52 bits of a limb to the next; the number is from 0 to 2^260.
#[inline(always)]
fn carried<V: Eight>(mut limbs: [V; 5]) -> [V; 5] {
    let whole = V::splat(LIMB);
    for i in 0..4 {
        limbs[i + 1] = limbs[i + 1].add(limbs[i].shift_right::<52>());
        limbs[i] = limbs[i].and(whole);
    }
    limbs
}

/// Returns a b / R, below p + a b / R; no limb of the product reaches 2^56.
#[inline(always)]
pub(super) fn multiply<V: Eight>(a: &[V; 5], b: &[V; 5]) -> [V; 5] {
    let mut sums = [V::splat(0); 10];
    for i in 0..5 {
        for j in 0..5 {
            sums[i + j] = sums[i + j].add_low(a[j], b[i]);
            sums[i + j + 1] = sums[i + j + 1].add_high(a[j], b[i]);
        }
    }
    reduce(sums)
}

/// Returns a^2 / R: the products off the diagonal once, doubled, then the diagonal.
#[inline(always)]
pub(super) fn square<V: Eight>(a: &[V; 5]) -> [V; 5] {
    let mut sums = [V::splat(0); 10];
    for i in 0..5 {
        for j in i + 1..5 {
            sums[i + j] = sums[i + j].add_low(a[i], a[j]);
            sums[i + j + 1] = sums[i + j + 1].add_high(a[i], a[j]);
        }
    }
    for sum in &mut sums {
        *sum = sum.add(*sum);
    }
    for i in 0..5 {
        sums[2 * i] = sums[2 * i].add_low(a[i], a[i]);
        sums[2 * i + 1] = sums[2 * i + 1].add_high(a[i], a[i]);
    }
    reduce(sums)
}

/// Montgomery's reduction, a limb at a time. -1/p mod 2^52 is 1, so the multiple of p that clears a
/// limb is the limb itself.
#[inline(always)]
fn reduce<V: Eight>(mut sums: [V; 10]) -> [V; 5] {
    let (whole, p1, p4) = (V::splat(LIMB), V::splat(P1_MORE), V::splat(P4_MORE));
    for i in 0..5 {
        let m = sums[i].and(whole);
        let carry = sums[i].shift_right::<52>();
        sums[i + 1] = sums[i + 1].add(carry).add_low(m, p1);
        sums[i + 2] = sums[i + 2].subtract(m).add_high(m, p1);
        sums[i + 4] = sums[i + 4].add_low(m, p4);
        sums[i + 5] = sums[i + 5].add_high(m, p4);
    }
    carried([sums[5], sums[6], sums[7], sums[8], sums[9]])
}

/// One lane's number, below 2 p, as `residue` has it.
fn join(limbs: &[u64; 5]) -> FieldElement {
    let [l0, l1, l2, l3, l4] = *limbs;
    let number = [
        l0 | l1 << 52,
        l1 >> 12 | l2 << 40,
        l2 >> 24 | l3 << 28,
        l3 >> 36 | l4 << 16,
    ];
    FieldElement::from_montgomery(subtract_once(&number, l4 >> 48, &moduli::P))
}
