//! Numbers modulo n, the order of the base point (GB/T 32918.5, section 2).

#[cfg(target_arch = "x86_64")]
use crate::adx;
use crate::backend::by_backend;
use crate::limbs::{Limbs, multiply_add};
use crate::moduli::{self, N_FACTOR};
use crate::portable::{self, Prime};
use crate::residue::{Modulus, Residue};

/// The modulus n.
#[derive(Clone, Copy)]
pub(crate) struct N;

/// A private key, a nonce, or one half of a signature.
pub(crate) type Scalar = Residue<N>;

impl Prime for N {
    const VALUE: Limbs = moduli::N;

    #[inline(always)]
    fn cancel_lowest_limb(sum: Limbs) -> Limbs {
        let factor = sum[0].wrapping_mul(N_FACTOR);
        let (_, carry) = multiply_add(sum[0], factor, Self::VALUE[0], 0);
        let (r0, carry) = multiply_add(sum[1], factor, Self::VALUE[1], carry);
        let (r1, carry) = multiply_add(sum[2], factor, Self::VALUE[2], carry);
        let (r2, r3) = multiply_add(sum[3], factor, Self::VALUE[3], carry);
        [r0, r1, r2, r3]
    }
}

impl Modulus for N {
    #[inline(always)]
    fn multiply(a: &Limbs, b: &Limbs) -> Limbs {
        by_backend!(adx: adx::multiply_n(a, b), portable: portable::multiply::<Self>(a, b))
    }

    #[inline(always)]
    fn square(a: &Limbs) -> Limbs {
        by_backend!(adx: adx::square_n(a), portable: portable::square::<Self>(a))
    }

    #[inline(always)]
    fn add(a: &Limbs, b: &Limbs) -> Limbs {
        portable::add::<Self>(a, b)
    }

    #[inline(always)]
    fn subtract(a: &Limbs, b: &Limbs) -> Limbs {
        portable::subtract::<Self>(a, b)
    }
}
