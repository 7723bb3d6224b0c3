//! Slow arithmetic, written as a textbook has it, to hold the fast one against.

use crate::affine::AffinePoint;
use crate::field::FieldElement;
use crate::limbs::{self, Limbs};

/// a + b mod m for a, b < m.
pub(super) fn add(a: &Limbs, b: &Limbs, modulus: &Limbs) -> Limbs {
    let (sum, carry) = limbs::add(a, b);
    let (less, borrow) = limbs::sub(&sum, modulus);
    if carry == 1 || borrow == 0 { less } else { sum }
}

/// a b mod m for a < m, bit by bit.
pub(super) fn multiply(a: &Limbs, b: &Limbs, modulus: &Limbs) -> Limbs {
    let mut product = [0; 4];
    for position in (0..256).rev() {
        product = add(&product, &product, modulus);
        if b[position / 64] >> (position % 64) & 1 == 1 {
            product = add(&product, a, modulus);
        }
    }
    product
}

/// The sum of two points by chord and tangent; `None` is infinity.
pub(super) fn add_points(p: Option<AffinePoint>, q: Option<AffinePoint>) -> Option<AffinePoint> {
    let (Some(p), Some(q)) = (p, q) else {
        return p.or(q);
    };
    let slope = if p.x.equals(&q.x).reveal() {
        if !p.y.equals(&q.y).reveal() {
            return None;
        }
        let rise = p.x.square().sub(&FieldElement::ONE).triple();
        rise.multiply(&p.y.double().invert())
    } else {
        q.y.sub(&p.y).multiply(&q.x.sub(&p.x).invert())
    };
    let x = slope.square().sub(&p.x).sub(&q.x);
    let y = slope.multiply(&p.x.sub(&x)).sub(&p.y);
    Some(AffinePoint { x, y })
}

/// k P by doubling and adding.
pub(super) fn multiply_point(k: &Limbs, point: AffinePoint) -> Option<AffinePoint> {
    (0..256).rev().fold(None, |sum, position| {
        let sum = add_points(sum, sum);
        if k[position / 64] >> (position % 64) & 1 == 1 {
            add_points(sum, Some(point))
        } else {
            sum
        }
    })
}
