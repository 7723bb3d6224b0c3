//! Products of points eight at a time, for processors with AVX-512's multiplication of 52 bits.
//!
//! Eight field multiplications at once take hardly longer than one in `residue`, so that a product
//! is spread over the lanes, or eight products go side by side. What comes out of a lane in which
//! two points were the same, or opposite, has Z = 0: it is then calculated by the back end below,
//! [`adx`](crate::adx), which has all special cases. Nobody's nonce meets one; a forger who makes
//! one makes us work ten microseconds longer.
//!
//! The arithmetic is written over [`Eight`](eight::Eight) and knows no instruction; the feature
//! `emulation` puts plain arithmetic in their place, so that all of it is tested on any processor
//! with adx.

#![allow(unsafe_code)]

mod compiled;
mod eight;
#[cfg(any(test, feature = "emulation"))]
mod emulated;
mod field;
#[cfg(test)]
mod known_answers;
mod points;
mod products;
mod secret;
mod sums;
#[cfg(test)]
mod tests;
#[cfg(not(feature = "emulation"))]
mod zmm;

#[cfg(feature = "emulation")]
use emulated::Emulated as Numbers;
#[cfg(not(feature = "emulation"))]
use zmm::Zmm as Numbers;

#[cfg(not(test))]
use compiled::{eight_products, eight_sums, one_sum, secret_multiple};
#[cfg(test)]
use known_answers::{eight_products, eight_sums, one_sum, secret_multiple};

use crate::affine::AffinePoint;
use crate::backend::Backend;
use crate::jacobian::Jacobian;
use crate::scalar::Scalar;

/// Whether this processor has what [`zmm`] needs.
pub(crate) fn is_supported() -> bool {
    cfg!(feature = "emulation")
        || (std::arch::is_x86_feature_detected!("avx512f")
            && std::arch::is_x86_feature_detected!("avx512vl")
            && std::arch::is_x86_feature_detected!("avx512ifma"))
}

/// The lanes, while [`Backend::Ifma`] is in use: shows whoever holds one that they may be used.
#[derive(Clone, Copy)]
pub(crate) struct EightLanes(());

impl EightLanes {
    #[inline(always)]
    pub(crate) fn in_use() -> Option<Self> {
        Backend::is_ifma().then_some(Self(()))
    }

    /// Makes what the first product would otherwise make.
    pub(crate) fn prepare(self) {
        secret::prepare();
    }

    /// Returns the sum of many points of tables, for public ones; nothing where a special case was
    /// met.
    pub(crate) fn sum(self, points: &[AffinePoint]) -> Option<Jacobian> {
        // SAFETY: `in_use` has seen that this processor has the instructions.
        known(unsafe { one_sum(points) })
    }

    /// Returns eight such sums; nothing for those that met a special case or have no points.
    pub(crate) fn sums(self, lists: &[&[AffinePoint]; 8]) -> [Option<Jacobian>; 8] {
        // SAFETY: as above.
        unsafe { eight_sums(lists) }.map(known)
    }

    /// Returns k P plus the sum of such points for each of eight public k and P; nothing where a
    /// special case was met, or k is 0.
    pub(crate) fn products(
        self,
        scalars: &[Scalar; 8],
        points: &[AffinePoint; 8],
        lists: &[&[AffinePoint]; 8],
    ) -> [Option<Jacobian>; 8] {
        // SAFETY: as above.
        unsafe { eight_products(scalars, points, lists) }.map(known)
    }

    /// Returns k G for a secret k from 1 to n-1, in constant time; nothing where a special case
    /// was met.
    pub(crate) fn secret_multiple(self, k: &Scalar) -> Option<Jacobian> {
        // SAFETY: as above.
        known(unsafe { secret_multiple(k) })
    }
}

/// The sum, if it met no special case: of a secret, only a k that somebody chose to be so does.
fn known(sum: Jacobian) -> Option<Jacobian> {
    (!sum.z.is_zero().reveal()).then_some(sum)
}
