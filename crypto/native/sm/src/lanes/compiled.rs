//! What the lanes are asked for, in functions that are compiled with their instructions.
//!
//! Everything below them is inlined into these four: a function called from here would be compiled
//! without.

use super::{Numbers, products, secret, sums};
use crate::affine::AffinePoint;
use crate::jacobian::Jacobian;
use crate::scalar::Scalar;

/// Defines a function that is compiled with the lanes' instructions, where they are not emulated.
macro_rules! with_instructions {
    ($($function:item)+) => {
        $(
            #[cfg_attr(not(feature = "emulation"), target_feature(enable = "avx512f,avx512vl,avx512ifma"))]
            $function
        )+
    };
}

with_instructions! {
    pub(super) unsafe fn one_sum(points: &[AffinePoint]) -> Jacobian {
        sums::one_sum::<Numbers>(points)
    }

    pub(super) unsafe fn eight_sums(lists: &[&[AffinePoint]; 8]) -> [Jacobian; 8] {
        sums::eight_sums::<Numbers>(lists)
    }

    pub(super) unsafe fn eight_products(
        scalars: &[Scalar; 8],
        points: &[AffinePoint; 8],
        lists: &[&[AffinePoint]; 8],
    ) -> [Jacobian; 8] {
        products::eight_products::<Numbers>(scalars, points, lists)
    }

    pub(super) unsafe fn secret_multiple(k: &Scalar) -> Jacobian {
        secret::multiple::<Numbers>(k)
    }
}
