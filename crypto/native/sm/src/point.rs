//! Points of the curve in homogeneous projective coordinates: x = X/Z, y = Y/Z.
//!
//! Additions and doublings are the complete formulas of Renes, Costello and Batina (2016) for
//! a = -3. They cost more multiplications than the usual ones and hold for all pairs of points,
//! the same one twice and infinity included, so no special case can show in the timing of a
//! signature.

use zeroize::Zeroize;

use crate::affine::{AffinePoint, B};
use crate::field::FieldElement;
use crate::mask::Mask;

/// Any point of the curve; infinity has Z = 0.
#[derive(Clone, Copy)]
pub(crate) struct Point {
    pub(crate) x: FieldElement,
    pub(crate) y: FieldElement,
    pub(crate) z: FieldElement,
}

impl Point {
    /// The neutral element.
    pub(crate) const INFINITY: Self = Self {
        x: FieldElement::ZERO,
        y: FieldElement::ONE,
        z: FieldElement::ZERO,
    };

    /// Returns `self + other` (algorithm 4 of the paper: 12 multiplications and 2 by b).
    pub(crate) fn add(&self, other: &Self) -> Self {
        let xx = self.x.multiply(&other.x);
        let yy = self.y.multiply(&other.y);
        let zz = self.z.multiply(&other.z);
        let xy = cross(&self.x, &self.y, &other.x, &other.y, &xx, &yy);
        let yz = cross(&self.y, &self.z, &other.y, &other.z, &yy, &zz);
        let xz = cross(&self.x, &self.z, &other.x, &other.z, &xx, &zz);
        Self::from_products(&xx, &yy, &zz, &xy, &yz, &xz)
    }

    /// Returns `self + other` (algorithm 5: 11 multiplications and 2 by b).
    #[inline]
    pub(crate) fn add_affine(&self, other: &AffinePoint) -> Self {
        let xx = self.x.multiply(&other.x);
        let yy = self.y.multiply(&other.y);
        let xy = cross(&self.x, &self.y, &other.x, &other.y, &xx, &yy);
        let yz = other.y.multiply(&self.z).add(&self.y);
        let xz = other.x.multiply(&self.z).add(&self.x);
        Self::from_products(&xx, &yy, &self.z, &xy, &yz, &xz)
    }

    /// The common end of both additions, from the products X1X2, Y1Y2, Z1Z2 and the sums
    /// X1Y2 + X2Y1, Y1Z2 + Y2Z1, X1Z2 + X2Z1.
    #[inline(always)]
    fn from_products(
        xx: &FieldElement,
        yy: &FieldElement,
        zz: &FieldElement,
        xy: &FieldElement,
        yz: &FieldElement,
        xz: &FieldElement,
    ) -> Self {
        let u = xz.sub(&B.multiply(zz)).triple();
        let zz3 = zz.triple();
        let v = B.multiply(xz).sub(&zz3).sub(xx).triple();
        let w = xx.triple().sub(&zz3);
        let plus = yy.add(&u);
        let minus = yy.sub(&u);
        Self {
            x: plus.multiply(xy).sub(&yz.multiply(&v)),
            y: plus.multiply(&minus).add(&w.multiply(&v)),
            z: minus.multiply(yz).add(&xy.multiply(&w)),
        }
    }

    /// Returns `self + self` (algorithm 6: 8 multiplications, 3 squares and 2 by b).
    pub(crate) fn double(&self) -> Self {
        let xx = self.x.square();
        let yy = self.y.square();
        let zz = self.z.square();
        let xy = self.x.multiply(&self.y).double();
        let yz = self.y.multiply(&self.z).double();
        let xz = self.x.multiply(&self.z).double();
        let u = B.multiply(&zz).sub(&xz).triple();
        let zz3 = zz.triple();
        let v = B.multiply(&xz).sub(&zz3).sub(&xx).triple();
        let w = xx.triple().sub(&zz3);
        let plus = yy.add(&u);
        let minus = yy.sub(&u);
        Self {
            x: minus.multiply(&xy).sub(&v.multiply(&yz)),
            y: plus.multiply(&minus).add(&w.multiply(&v)),
            z: yz.multiply(&yy).double().double(),
        }
    }

    /// The point on the other side of the axis.
    pub(crate) fn negate(&self) -> Self {
        Self {
            y: self.y.negate(),
            ..*self
        }
    }

    /// `chosen` when the mask is set, else `other`.
    #[inline(always)]
    pub(crate) fn select(mask: Mask, chosen: &Self, other: &Self) -> Self {
        Self {
            x: FieldElement::select(mask, &chosen.x, &other.x),
            y: FieldElement::select(mask, &chosen.y, &other.y),
            z: FieldElement::select(mask, &chosen.z, &other.z),
        }
    }

    /// The affine coordinates, by one inversion; of infinity (0, 0), which is not on the curve.
    pub(crate) fn to_affine(self) -> AffinePoint {
        let inverse = self.z.invert();
        AffinePoint {
            x: self.x.multiply(&inverse),
            y: self.y.multiply(&inverse),
        }
    }
}

/// a1 b2 + a2 b1, by one multiplication, from the products a1 a2 and b1 b2.
#[inline(always)]
fn cross(
    a1: &FieldElement,
    b1: &FieldElement,
    a2: &FieldElement,
    b2: &FieldElement,
    aa: &FieldElement,
    bb: &FieldElement,
) -> FieldElement {
    a1.add(b1).multiply(&a2.add(b2)).sub(aa).sub(bb)
}

impl From<AffinePoint> for Point {
    fn from(point: AffinePoint) -> Self {
        Self {
            x: point.x,
            y: point.y,
            z: FieldElement::ONE,
        }
    }
}

impl Zeroize for Point {
    fn zeroize(&mut self) {
        self.x.zeroize();
        self.y.zeroize();
        self.z.zeroize();
    }
}
