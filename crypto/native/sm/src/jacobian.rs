//! Points in Jacobian coordinates, x = X/Z^2 and y = Y/Z^3, for public values only.
//!
//! A third cheaper than the complete formulas of [`Point`](crate::point::Point), and with the
//! special cases that those do without. Verification pays for speed with these branches;
//! nothing that a secret touches may come here.

use crate::affine::AffinePoint;
use crate::field::FieldElement;

/// Any point of the curve; infinity has Z = 0.
#[derive(Clone, Copy)]
pub(crate) struct Jacobian {
    pub(crate) x: FieldElement,
    pub(crate) y: FieldElement,
    pub(crate) z: FieldElement,
}

impl Jacobian {
    /// The neutral element.
    pub(crate) const INFINITY: Self = Self {
        x: FieldElement::ONE,
        y: FieldElement::ONE,
        z: FieldElement::ZERO,
    };

    pub(crate) fn is_infinity(&self) -> bool {
        self.z.is_zero().reveal()
    }

    /// The point on the other side of the axis.
    pub(crate) fn negate(&self) -> Self {
        Self {
            y: self.y.negate(),
            ..*self
        }
    }

    /// Returns `self + self`: 4 multiplications and 4 squares, with a = -3. Infinity stays so,
    /// and no other point has y = 0, because the order is odd.
    pub(crate) fn double(&self) -> Self {
        let zz = self.z.square();
        let yy = self.y.square();
        let xyy = self.x.multiply(&yy);
        let slope = self.x.sub(&zz).multiply(&self.x.add(&zz)).triple();
        let xyy4 = xyy.double().double();
        let x = slope.square().sub(&xyy4.double());
        let yyyy8 = yy.double().square().double();
        Self {
            x,
            y: slope.multiply(&xyy4.sub(&x)).sub(&yyyy8),
            z: self.y.multiply(&self.z).double(),
        }
    }

    /// Returns `self + other`: 8 multiplications and 3 squares.
    pub(crate) fn add_affine(&self, other: &AffinePoint) -> Self {
        if self.is_infinity() {
            return Self::from(*other);
        }
        let zz = self.z.square();
        let dx = other.x.multiply(&zz).sub(&self.x);
        let dy = other.y.multiply(&zz).multiply(&self.z).sub(&self.y);
        self.add_by_differences(&self.x, &self.y, &dx, &dy, &self.z)
    }

    /// Returns `self + other`: 12 multiplications and 4 squares.
    pub(crate) fn add(&self, other: &Self) -> Self {
        if self.is_infinity() {
            return *other;
        }
        if other.is_infinity() {
            return *self;
        }
        let zz1 = self.z.square();
        let zz2 = other.z.square();
        let x1 = self.x.multiply(&zz2);
        let y1 = self.y.multiply(&zz2).multiply(&other.z);
        let dx = other.x.multiply(&zz1).sub(&x1);
        let dy = other.y.multiply(&zz1).multiply(&self.z).sub(&y1);
        self.add_by_differences(&x1, &y1, &dx, &dy, &self.z.multiply(&other.z))
    }

    /// The common end of both additions, over the common denominator `z`: the first point is
    /// (x1, y1) and the second (x1 + dx, y1 + dy).
    #[inline(always)]
    fn add_by_differences(
        &self,
        x1: &FieldElement,
        y1: &FieldElement,
        dx: &FieldElement,
        dy: &FieldElement,
        z: &FieldElement,
    ) -> Self {
        if dx.is_zero().reveal() {
            return if dy.is_zero().reveal() {
                self.double()
            } else {
                Self::INFINITY
            };
        }
        let dx2 = dx.square();
        let dx3 = dx2.multiply(dx);
        let v = x1.multiply(&dx2);
        let x = dy.square().sub(&dx3).sub(&v.double());
        let y = dy.multiply(&v.sub(&x)).sub(&y1.multiply(&dx3));
        Self {
            x,
            y,
            z: z.multiply(dx),
        }
    }
}

impl From<AffinePoint> for Jacobian {
    fn from(point: AffinePoint) -> Self {
        Self {
            x: point.x,
            y: point.y,
            z: FieldElement::ONE,
        }
    }
}
