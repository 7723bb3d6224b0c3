//! Division modulo a prime by divsteps: Bernstein and Yang, "Fast constant-time gcd computation and
//! modular inversion" (TCHES 2019(3), pages 340 to 398).
//!
//! A divstep takes a pair of numbers, f odd, to one with the same greatest common divisor:
//!
//! - (f, g) to (g, (g - f) / 2) when delta > 0 and g is odd; delta becomes 1 - delta;
//! - else to (f, (g + f) / 2) or (f, g / 2), whichever is whole; delta becomes 1 + delta.
//!
//! From a prime f = m and 0 < g < m it comes to f = 1 or -1 and g = 0. What a step does depends on
//! delta and on the lowest bit of g alone, so many steps are done on the lowest bits, which gives a
//! matrix, and then by that on the whole numbers. A second pair (d, e) takes the same steps
//! modulo m, from (0, c): with x the g of the beginning, d x = f c and e x = g c all the way, so d
//! ends as c / x or its negative.
//!
//! Delta starts at 1/2 where the paper has 1, as Wuille proposed: then 590 steps are enough for
//! all odd f and all g below 2^256, by the convex hull of what can be reached, and not 741. Once g
//! is 0, steps change nothing but delta.
//!
//! Sums wrap because a check would be a branch. Why none reaches its end stands beside it.

use core::array;
use core::hint::black_box;

use crate::limbs::Limbs;
use crate::mask::Mask;
use crate::moduli::negated_inverse;
use crate::portable::{self, Prime};

/// Steps done on two words, in which a number of 20 bits has its row of the matrix beside it.
const STEPS: u32 = 20;
/// Bits of a limb, and steps that are done on whole numbers at once: they then lose a limb.
const LIMB: u32 = 3 * STEPS;
const LIMB_MASK: i64 = (1 << LIMB) - 1;
/// Together 600 steps.
const BATCHES: u32 = 10;

/// Returns c / x modulo m, for two numbers below m; 0 when x is 0.
pub(crate) fn divide<M: Prime>(c: &Limbs, x: &Limbs) -> Limbs {
    let prime = const { Number::new(&M::VALUE) };
    let mut delta = Delta::HALF;
    let (mut f, mut g) = (prime, Number::new(x));
    let (mut d, mut e) = (Number([0; 5]), Number::new(c));
    for _ in 0..BATCHES {
        let matrix = delta.batch(f.0[0], g.0[0]);
        (f, g) = matrix.shorten(&f, &g);
        (d, e) = matrix.follow::<M>(&d, &e);
    }
    // From between -2m and m to between -m and m, then from 0 to m - 1. f is 1 or -1, and tells the
    // sign; for x = 0, d is 0.
    let d = d.plus_if(d.is_negative(), &prime);
    let d = d.plus_if(d.is_negative(), &prime).to_limbs();
    let negated = portable::subtract::<M>(&[0; 4], &d);
    f.is_negative().select_limbs(&negated, &d)
}

/// Delta as -(delta + 1/2), which is whole, and below 0 when delta is above.
struct Delta(i64);

impl Delta {
    const HALF: Self = Self(-1);

    /// Does 60 steps on the lowest limbs of f and g: each 20 use up 20 of their 60 bits.
    fn batch(&mut self, mut f: i64, mut g: i64) -> Matrix {
        let mut matrix = Matrix::ONE;
        for _ in 0..LIMB / STEPS {
            let next = self.steps(f, g);
            let low = |a, b| sum([(a, f), (b, g)]) as i64 >> STEPS;
            (f, g) = (low(next.u, next.v), low(next.q, next.r));
            matrix = next.after(&matrix);
        }
        matrix
    }

    /// Does 20 steps, on the lowest 20 bits of f and g.
    ///
    /// A step does the same to f and g as to the rows of the matrix, so each word has three fields
    /// of 21 bits: the number, and its row times 2^20, which halving leaves whole. Numbers stay
    /// within 2^20, for g becomes half a sum of two such; so do the entries of a row together. The
    /// highest fields can't both be 2^20, or the determinant were 0. What is less is less by two
    /// until the last halving, so that the sum of both words stays below 2^63.
    #[inline(always)]
    fn steps(&mut self, f: i64, g: i64) -> Matrix {
        let low = (1 << STEPS) - 1;
        let mut f = (f & low) | (1 << (STEPS + FIELD));
        let mut g = (g & low) | (1 << (STEPS + 2 * FIELD));
        // To the compiler any numbers, so that it can't know of a mask that it has two values.
        let (one, all_but_one) = (black_box(1i64), black_box(63u32));
        for _ in 0..STEPS {
            let odd = (g & one).wrapping_neg();
            let positive = self.0.wrapping_shr(all_but_one);
            let swap = odd & positive;
            let addend = (f ^ positive).wrapping_sub(positive);
            g = g.wrapping_add(addend & odd);
            f = f.wrapping_add(g & swap);
            g >>= 1;
            self.0 = (self.0 ^ swap).wrapping_sub(1);
        }
        let ((u, v), (q, r)) = (unpack(f), unpack(g));
        Matrix { u, v, q, r }
    }
}

/// Bits of a field.
const FIELD: u32 = STEPS + 1;

/// The two upper fields of a word. An entry may be 2^20, but not -2^20, which only comes of another
/// one. So what is added here leaves no lower field below 0, nor one too large.
#[inline(always)]
fn unpack(word: i64) -> (i64, i64) {
    const ENTRY: i64 = (1 << STEPS) - 1;
    let word = word.wrapping_add((ENTRY << FIELD) + ENTRY);
    let middle = (word >> FIELD) & ((1 << FIELD) - 1);
    (middle.wrapping_sub(ENTRY), word >> (2 * FIELD))
}

/// The sum of two products or three. No factor is beyond 2^61, nor both of one beyond 2^60.
#[inline(always)]
fn sum<const PRODUCTS: usize>(factors: [(i64, i64); PRODUCTS]) -> i128 {
    factors.iter().fold(0, |sum, &(a, b)| {
        sum.wrapping_add(i128::from(a).wrapping_mul(i128::from(b)))
    })
}

/// What some steps do, times 2 to their number: f to u f + v g, g to q f + r g.
///
/// After n steps |u| + |v| and |q| + |r| are 2^n at most: at first they are 1, and a step makes of
/// two rows their sum or difference, or doubles one.
struct Matrix {
    u: i64,
    v: i64,
    q: i64,
    r: i64,
}

impl Matrix {
    const ONE: Self = Self {
        u: 1,
        v: 0,
        q: 0,
        r: 1,
    };

    /// First the other's steps, then these: at most 60, so entries stay within 2^60.
    #[inline(always)]
    fn after(&self, first: &Self) -> Self {
        let entry = |a, x, b, y| sum([(a, x), (b, y)]) as i64;
        Self {
            u: entry(self.u, first.u, self.v, first.q),
            v: entry(self.u, first.v, self.v, first.r),
            q: entry(self.q, first.u, self.r, first.q),
            r: entry(self.q, first.v, self.r, first.r),
        }
    }

    /// Does 60 steps on f and g, whose lowest limb becomes 0 by them and is left out.
    ///
    /// Both stay between -m and m.
    fn shorten(&self, f: &Number, g: &Number) -> (Number, Number) {
        let row = |a, b| Number::without_lowest(|i| sum([(a, f.0[i]), (b, g.0[i])]));
        (row(self.u, self.v), row(self.q, self.r))
    }

    /// Does 60 steps on d and e, modulo m.
    ///
    /// Both stay above -2m and below m. With m added to those below 0 they are between -m and m,
    /// and a row's sum is within 2^60 m; less than 2^60 m is taken off, to make the lowest limb 0.
    fn follow<M: Prime>(&self, d: &Number, e: &Number) -> (Number, Number) {
        let (prime, factor) =
            const { (Number::new(&M::VALUE), negated_inverse(M::VALUE[0]) as i64) };
        let [d_negative, e_negative] = [d, e].map(|x| x.is_negative().word() as i64);
        let row = |a: i64, b: i64| {
            let added = (a & d_negative).wrapping_add(b & e_negative);
            let clearing = factor.wrapping_mul(sum([(a, d.0[0]), (b, e.0[0])]) as i64);
            let times = added.wrapping_sub(added.wrapping_sub(clearing) & LIMB_MASK);
            Number::without_lowest(|i| sum([(a, d.0[i]), (b, e.0[i]), (times, prime.0[i])]))
        };
        (row(self.u, self.v), row(self.q, self.r))
    }
}

/// A number from -2^257 to 2^257, by limbs of 60 bits, of which the highest alone has a sign.
#[derive(Clone, Copy)]
struct Number([i64; 5]);

impl Number {
    const fn new(limbs: &Limbs) -> Self {
        let [l0, l1, l2, l3] = *limbs;
        Self([
            l0 as i64 & LIMB_MASK,
            ((l0 >> 60) | (l1 << 4)) as i64 & LIMB_MASK,
            ((l1 >> 56) | (l2 << 8)) as i64 & LIMB_MASK,
            ((l2 >> 52) | (l3 << 12)) as i64 & LIMB_MASK,
            (l3 >> 48) as i64,
        ])
    }

    /// A number that is not below 0, and below 2^256.
    fn to_limbs(self) -> Limbs {
        let [l0, l1, l2, l3, l4] = self.0.map(|limb| limb as u64);
        [
            l0 | (l1 << 60),
            (l1 >> 4) | (l2 << 56),
            (l2 >> 8) | (l3 << 52),
            (l3 >> 12) | (l4 << 48),
        ]
    }

    /// From a sum for each limb, which leaves room for the carry of the one before.
    #[inline(always)]
    fn without_lowest(sum: impl Fn(usize) -> i128) -> Self {
        let mut carry = sum(0) >> LIMB;
        let mut limbs = [0; 5];
        for i in 1..5 {
            carry = carry.wrapping_add(sum(i));
            limbs[i - 1] = carry as i64 & LIMB_MASK;
            carry >>= LIMB;
        }
        limbs[4] = carry as i64;
        Self(limbs)
    }

    #[inline(always)]
    fn is_negative(&self) -> Mask {
        Mask::from_bit(self.0[4] as u64 >> 63)
    }

    /// The sum with another number when the mask is set, else this one.
    fn plus_if(&self, mask: Mask, other: &Self) -> Self {
        let mut sum = 0i64;
        let mut limbs = array::from_fn(|i| {
            let addend = other.0[i] & mask.word() as i64;
            sum = self.0[i].wrapping_add(addend).wrapping_add(sum >> LIMB);
            sum & LIMB_MASK
        });
        limbs[4] = sum;
        Self(limbs)
    }
}
