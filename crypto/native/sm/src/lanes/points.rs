//! Points in Jacobian coordinates, one in each lane: x = X/Z^2 and y = Y/Z^3.
//!
//! The formulas are those of `jacobian` without its branches. Two points that are the same, or one
//! the other's negative, give Z = 0, and so does every sum that goes on from there: whoever reads
//! the end of a sum sees that it met such a pair, and calculates it in another way.

use super::eight::{Eight, Lanes};
use super::field::{Elements, Entries};
use crate::affine::AffinePoint;
use crate::jacobian::Jacobian;

/// Eight points; infinity has no name here.
#[derive(Clone, Copy)]
pub(super) struct Points<V> {
    pub(super) x: Elements<V>,
    pub(super) y: Elements<V>,
    pub(super) z: Elements<V>,
}

/// Eight points of tables.
#[derive(Clone, Copy)]
pub(super) struct AffineEntries<V> {
    pub(super) x: Entries<V>,
    pub(super) y: Entries<V>,
}

/// Eight entries as they lie in memory: the limbs of x, then those of y, each in all lanes.
pub(super) type EntryLimbs = [[[u64; 8]; 5]; 2];

/// Puts a point into a lane.
pub(super) fn place(limbs: &mut EntryLimbs, lane: usize, point: &AffinePoint) {
    for (limbs, coordinate) in limbs.iter_mut().zip([&point.x, &point.y]) {
        for (limb, value) in limbs
            .iter_mut()
            .zip(super::field::split(coordinate.montgomery()))
        {
            limb[lane] = value;
        }
    }
}

impl<V: Eight> AffineEntries<V> {
    #[inline(always)]
    pub(super) fn load(limbs: &EntryLimbs) -> Self {
        Self {
            x: Entries::load(&limbs[0]),
            y: Entries::load(&limbs[1]),
        }
    }

    #[inline(always)]
    pub(super) fn negate_in(&self, lanes: Lanes) -> Self {
        Self {
            x: self.x,
            y: self.y.negate_in(lanes),
        }
    }

    #[inline(always)]
    pub(super) fn to_points(self) -> Points<V> {
        Points {
            x: self.x.reduced(),
            y: self.y.reduced(),
            z: Elements::one(),
        }
    }
}

impl<V: Eight> Points<V> {
    /// What only stands where no point is.
    #[inline(always)]
    pub(super) fn nothing() -> Self {
        let zero = Elements::zero();
        Self {
            x: zero,
            y: zero,
            z: zero,
        }
    }

    #[inline(always)]
    pub(super) fn select(lanes: Lanes, chosen: &Self, other: &Self) -> Self {
        Self {
            x: Elements::select(lanes, &chosen.x, &other.x),
            y: Elements::select(lanes, &chosen.y, &other.y),
            z: Elements::select(lanes, &chosen.z, &other.z),
        }
    }

    #[inline(always)]
    fn rotate(&self, by: usize) -> Self {
        Self {
            x: self.x.rotate(by),
            y: self.y.rotate(by),
            z: self.z.rotate(by),
        }
    }

    /// 8 multiplications and 3 squares.
    #[inline(always)]
    pub(super) fn add_entries(&self, other: &AffineEntries<V>) -> Self {
        let zz = self.z.square();
        let dx = other.x.multiply(&zz).minus(&self.x).tight();
        let zzz = zz.multiply(&self.z);
        let dy = other.y.multiply(&zzz).minus(&self.y).tight();
        chord(&self.x, &self.y, &dx, &dy, &self.z)
    }

    /// 12 multiplications and 4 squares.
    #[inline(always)]
    pub(super) fn add(&self, other: &Self) -> Self {
        let zz1 = self.z.square();
        let zz2 = other.z.square();
        let x1 = self.x.multiply(&zz2);
        let y1 = self.y.multiply(&zz2).multiply(&other.z);
        let dx = other.x.multiply(&zz1).minus(&x1).tight();
        let dy = other.y.multiply(&zz1).multiply(&self.z).minus(&y1).tight();
        chord(&x1, &y1, &dx, &dy, &self.z.multiply(&other.z))
    }

    /// 4 multiplications and 4 squares, with a = -3.
    #[inline(always)]
    pub(super) fn double(&self) -> Self {
        let zz = self.z.square();
        let yy = self.y.square();
        let xyy4 = self.x.multiply(&yy).times_two().times_two().tight();
        let less = self.x.minus(&zz).tight();
        let product = less.multiply(&self.x.plus(&zz).tight());
        let slope = product.times_two().plus(&product).tight();
        let x = slope.square().minus(&xyy4).minus(&xyy4).tight();
        let yyyy8 = yy.square().times_two().times_two().times_two().tight();
        let y = slope.multiply(&xyy4.minus(&x).tight());
        Self {
            x,
            y: y.minus(&yyyy8).tight(),
            z: self.y.multiply(&self.z).times_two().tight(),
        }
    }

    /// The sum of all lanes, in each of them, where none but those in `nothing` has a point;
    /// the same steps whichever they are. What meets a special case has Z = 0.
    #[inline(always)]
    pub(super) fn fold(mut self, mut nothing: Lanes) -> Self {
        for by in [4, 2, 1] {
            let (other, other_nothing) = (self.rotate(by), nothing.rotate(by));
            let sum = Self::select(other_nothing, &self, &self.add(&other));
            self = Self::select(nothing, &other, &sum);
            nothing = nothing.and(other_nothing);
        }
        self
    }

    /// The point in each lane, as `jacobian` has it.
    #[inline(always)]
    pub(super) fn export(&self) -> [Jacobian; 8] {
        let (x, y, z) = (self.x.export(), self.y.export(), self.z.export());
        core::array::from_fn(|lane| Jacobian {
            x: x[lane],
            y: y[lane],
            z: z[lane],
        })
    }
}

/// The third point of the line through two, over the common denominator `z`: (x1, y1) and
/// (x1 + dx, y1 + dy), on the other side of the axis.
#[inline(always)]
fn chord<V: Eight>(
    x1: &Elements<V>,
    y1: &Elements<V>,
    dx: &Elements<V>,
    dy: &Elements<V>,
    z: &Elements<V>,
) -> Points<V> {
    let dx2 = dx.square();
    let dx3 = dx2.multiply(dx);
    let v = x1.multiply(&dx2);
    let x = dy.square().minus(&dx3).minus(&v).minus(&v).tight();
    let y = dy.multiply(&v.minus(&x).tight());
    Points {
        x,
        y: y.minus(&y1.multiply(&dx3)).tight(),
        z: z.multiply(dx),
    }
}
