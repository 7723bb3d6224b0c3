//! Montgomery arithmetic for every processor, from 64 by 64 bit products.
//!
//! Not inlined where another back end is usual: a formula of a dozen multiplications would carry
//! them all twice.

use crate::limbs::{self, Limbs};

/// A prime m with 2^255 < m < 2^256.
pub(crate) trait Prime: Copy + 'static {
    /// m itself.
    const VALUE: Limbs;

    /// Adds the multiple of m that clears the lowest limb, and drops that limb.
    fn cancel_lowest_limb(sum: Limbs) -> Limbs;
}

/// Returns a b / 2^256 mod m.
#[cfg_attr(target_arch = "x86_64", inline(never))]
#[cfg_attr(not(target_arch = "x86_64"), inline(always))]
pub(crate) fn multiply<M: Prime>(a: &Limbs, b: &Limbs) -> Limbs {
    let (low, high) = limbs::multiply_wide(a, b);
    reduce::<M>(low, high)
}

/// Returns a^2 / 2^256 mod m.
#[cfg_attr(target_arch = "x86_64", inline(never))]
#[cfg_attr(not(target_arch = "x86_64"), inline(always))]
pub(crate) fn square<M: Prime>(a: &Limbs) -> Limbs {
    let (low, high) = limbs::square_wide(a);
    reduce::<M>(low, high)
}

/// Squares `count` times.
pub(crate) fn square_times<M: Prime>(a: &Limbs, count: u32) -> Limbs {
    (0..count).fold(*a, |power, _| square::<M>(&power))
}

/// Returns a + b mod m.
#[inline(always)]
pub(crate) fn add<M: Prime>(a: &Limbs, b: &Limbs) -> Limbs {
    let (sum, carry) = limbs::add(a, b);
    subtract_once(&sum, carry, &M::VALUE)
}

/// Returns a - b mod m.
#[inline(always)]
pub(crate) fn subtract<M: Prime>(a: &Limbs, b: &Limbs) -> Limbs {
    let (difference, borrow) = limbs::sub(a, b);
    let back = M::VALUE.map(|limb| limb & borrow.wrapping_neg());
    limbs::add(&difference, &back).0
}

/// Montgomery's reduction: (high 2^256 + low) / 2^256 mod m, for a value below 2^256 m.
#[inline(always)]
pub(crate) fn reduce<M: Prime>(low: Limbs, high: Limbs) -> Limbs {
    let low = M::cancel_lowest_limb(low);
    let low = M::cancel_lowest_limb(low);
    let low = M::cancel_lowest_limb(low);
    let low = M::cancel_lowest_limb(low);
    let (sum, carry) = limbs::add(&low, &high);
    subtract_once(&sum, carry, &M::VALUE)
}

/// Takes m off a value below 2m (four limbs and a carry) when that leaves no less than nothing.
///
/// By adding 2^256 - m: compilers turn borrows of a known number into comparisons, and lose the
/// chain of carries.
#[inline(always)]
pub(crate) const fn subtract_once(value: &Limbs, carry: u64, modulus: &Limbs) -> Limbs {
    let (less, reached) = limbs::add(value, &limbs::sub(&[0; 4], modulus).0);
    let keep = (reached | carry).wrapping_sub(1);
    [
        (value[0] & keep) | (less[0] & !keep),
        (value[1] & keep) | (less[1] & !keep),
        (value[2] & keep) | (less[2] & !keep),
        (value[3] & keep) | (less[3] & !keep),
    ]
}
