//! Numbers modulo n, the order of the base point (GB/T 32918.5, section 2).

use crate::limbs::{Limbs, multiply_add};
use crate::residue::{Modulus, Residue};

/// The order of the base point.
#[derive(Clone, Copy)]
pub(crate) struct N;

/// A private key, a nonce, or one half of a signature.
pub(crate) type Scalar = Residue<N>;

/// -1/n mod 2^64.
const NEGATED_INVERSE: u64 = negated_inverse(N::VALUE[0]);

/// Newton's iteration: each round doubles the number of right bits, from three.
const fn negated_inverse(odd: u64) -> u64 {
    let mut inverse = odd;
    let mut round = 0;
    while round < 5 {
        inverse = inverse.wrapping_mul(2u64.wrapping_sub(odd.wrapping_mul(inverse)));
        round += 1;
    }
    inverse.wrapping_neg()
}

impl Modulus for N {
    const VALUE: Limbs = [
        0x53bb_f409_39d5_4123,
        0x7203_df6b_21c6_052b,
        0xffff_ffff_ffff_ffff,
        0xffff_fffe_ffff_ffff,
    ];

    #[inline(always)]
    fn cancel_lowest_limb(sum: Limbs) -> Limbs {
        let factor = sum[0].wrapping_mul(NEGATED_INVERSE);
        let (_, carry) = multiply_add(sum[0], factor, Self::VALUE[0], 0);
        let (r0, carry) = multiply_add(sum[1], factor, Self::VALUE[1], carry);
        let (r1, carry) = multiply_add(sum[2], factor, Self::VALUE[2], carry);
        let (r2, r3) = multiply_add(sum[3], factor, Self::VALUE[3], carry);
        [r0, r1, r2, r3]
    }
}
