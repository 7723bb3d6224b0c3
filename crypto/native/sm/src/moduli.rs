//! The two primes of the curve (GB/T 32918.5, section 2).

use crate::limbs::Limbs;

/// p = 2^256 - 2^224 - 2^96 + 2^64 - 1: coordinates are numbers modulo p.
pub(crate) const P: Limbs = [
    0xffff_ffff_ffff_ffff,
    0xffff_ffff_0000_0000,
    0xffff_ffff_ffff_ffff,
    0xffff_fffe_ffff_ffff,
];

/// n, the order of the base point: keys, nonces and signatures are numbers modulo n.
pub(crate) const N: Limbs = [
    0x53bb_f409_39d5_4123,
    0x7203_df6b_21c6_052b,
    0xffff_ffff_ffff_ffff,
    0xffff_fffe_ffff_ffff,
];

/// -1/n mod 2^64.
pub(crate) const N_FACTOR: u64 = negated_inverse(N[0]);

/// -1/odd mod 2^64, by Newton's iteration: each round doubles the number of right bits, from three.
pub(crate) const fn negated_inverse(odd: u64) -> u64 {
    let mut inverse = odd;
    let mut round = 0;
    while round < 5 {
        inverse = inverse.wrapping_mul(2u64.wrapping_sub(odd.wrapping_mul(inverse)));
        round += 1;
    }
    inverse.wrapping_neg()
}
