//! Points in Jacobian coordinates, x = X/Z^2 and y = Y/Z^3.
//!
//! A third cheaper than the complete formulas of [`Point`](crate::point::Point), and with the
//! special cases that those do without. Most additions branch on them and are for public values
//! only; `add_distinct` leaves them out and is for sums where they can't occur.

use zeroize::Zeroize;

use crate::affine::AffinePoint;
use crate::field::FieldElement;
use crate::mask::Mask;

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
    #[inline(always)]
    pub(crate) fn double(&self) -> Self {
        let zz = self.z.square();
        let y2 = self.y.double();
        let yy4 = y2.square();
        let xyy4 = self.x.multiply(&yy4);
        let slope = self.x.sub(&zz).multiply(&self.x.add(&zz)).triple();
        let x = slope.square().sub(&xyy4.double());
        let yyyy8 = yy4.square().halve();
        Self {
            x,
            y: slope.multiply(&xyy4.sub(&x)).sub(&yyyy8),
            z: y2.multiply(&self.z),
        }
    }

    /// Doubles `self` in place.
    pub(crate) fn double_assign(&mut self) {
        *self = self.double();
    }

    /// Adds `other` to `self`: 8 multiplications and 3 squares.
    ///
    /// In place, as are all long sums here: a result copied to where it belongs is read back
    /// before its limbs are written, and that stalls the processor for a dozen cycles.
    pub(crate) fn add_affine_assign(&mut self, other: &AffinePoint) {
        if self.is_infinity() {
            *self = Self::from(*other);
            return;
        }
        let (dx, dy) = self.differences(other);
        *self = self.add_by_differences(&self.x, &self.y, &dx, &dy, &self.z);
    }

    /// Returns `self + other` without a branch, for two points of which neither is infinity, the
    /// other one or its negative; anything else gives a wrong point.
    #[inline(always)]
    pub(crate) fn add_distinct(&self, other: &AffinePoint) -> Self {
        let (dx, dy) = self.differences(other);
        chord(&self.x, &self.y, &dx, &dy, &self.z)
    }

    /// X and Y of `other` over this point's Z, less this point's.
    #[inline(always)]
    fn differences(&self, other: &AffinePoint) -> (FieldElement, FieldElement) {
        let zz = self.z.square();
        let dx = other.x.multiply(&zz).sub(&self.x);
        let dy = other.y.multiply(&zz.multiply(&self.z)).sub(&self.y);
        (dx, dy)
    }

    /// Adds `other` to `self` in place.
    pub(crate) fn add_assign(&mut self, other: &Self) {
        *self = self.add(other);
    }

    /// Returns `self + other`: 12 multiplications and 4 squares.
    #[inline(always)]
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

    /// The common end of both additions, with their special cases.
    #[inline(always)]
    fn add_by_differences(
        &self,
        x1: &FieldElement,
        y1: &FieldElement,
        dx: &FieldElement,
        dy: &FieldElement,
        z: &FieldElement,
    ) -> Self {
        if !dx.is_zero().reveal() {
            chord(x1, y1, dx, dy, z)
        } else if dy.is_zero().reveal() {
            self.double()
        } else {
            Self::INFINITY
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
        self.over(&self.z.invert())
    }

    /// The affine coordinates of many points, none at infinity, by one inversion for all
    /// (Montgomery's trick): the inverse of the product, unrolled from its end.
    pub(crate) fn all_to_affine(points: &[Self]) -> Vec<AffinePoint> {
        let mut product = FieldElement::ONE;
        let before: Vec<FieldElement> = points
            .iter()
            .map(|point| {
                let before = product;
                product = before.multiply(&point.z);
                before
            })
            .collect();
        let mut inverse = product.invert();
        let mut affine: Vec<AffinePoint> = points
            .iter()
            .zip(&before)
            .rev()
            .map(|(point, before)| {
                let own = inverse.multiply(before);
                inverse = inverse.multiply(&point.z);
                point.over(&own)
            })
            .collect();
        affine.reverse();
        affine
    }

    /// The affine coordinates, given 1 / Z.
    #[inline(always)]
    fn over(&self, inverse: &FieldElement) -> AffinePoint {
        let square = inverse.square();
        AffinePoint {
            x: self.x.multiply(&square),
            y: self.y.multiply(&square.multiply(inverse)),
        }
    }
}

/// The third point of the line through two, over the common denominator `z`: (x1, y1) and
/// (x1 + dx, y1 + dy), on the other side of the axis.
#[inline(always)]
fn chord(
    x1: &FieldElement,
    y1: &FieldElement,
    dx: &FieldElement,
    dy: &FieldElement,
    z: &FieldElement,
) -> Jacobian {
    let dx2 = dx.square();
    let dx3 = dx2.multiply(dx);
    let v = x1.multiply(&dx2);
    let x = dy.square().sub(&dx3).sub(&v.double());
    let y = dy.multiply(&v.sub(&x)).sub(&y1.multiply(&dx3));
    Jacobian {
        x,
        y,
        z: z.multiply(dx),
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

impl Zeroize for Jacobian {
    fn zeroize(&mut self) {
        self.x.zeroize();
        self.y.zeroize();
        self.z.zeroize();
    }
}
