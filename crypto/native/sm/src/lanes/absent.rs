//! For processors whose lanes nothing was written for: there are none.

use core::convert::Infallible;

use crate::affine::AffinePoint;
use crate::jacobian::Jacobian;
use crate::scalar::Scalar;

/// See `lanes` of x86-64; here there is never one.
#[derive(Clone, Copy)]
pub(crate) struct EightLanes(Infallible);

impl EightLanes {
    #[inline(always)]
    pub(crate) fn in_use() -> Option<Self> {
        None
    }

    pub(crate) fn prepare(self) {
        match self.0 {}
    }

    pub(crate) fn sum(self, _: &[AffinePoint]) -> Option<Jacobian> {
        match self.0 {}
    }

    pub(crate) fn sums(self, _: &[&[AffinePoint]; 8]) -> [Option<Jacobian>; 8] {
        match self.0 {}
    }

    pub(crate) fn products(
        self,
        _: &[Scalar; 8],
        _: &[AffinePoint; 8],
        _: &[&[AffinePoint]; 8],
    ) -> [Option<Jacobian>; 8] {
        match self.0 {}
    }

    pub(crate) fn secret_multiple(self, _: &Scalar) -> Option<Jacobian> {
        match self.0 {}
    }
}
