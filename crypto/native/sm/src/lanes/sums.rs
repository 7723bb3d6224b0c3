//! Sums of points from tables, for public values: the points of one sum spread over the lanes, or a
//! sum in each lane.

use super::eight::{Eight, Lanes};
use super::points::{AffineEntries, EntryLimbs, Points, place};
use crate::affine::AffinePoint;
use crate::jacobian::Jacobian;

/// One sum over all eight lanes: a point in 8 to each.
#[inline(always)]
pub(super) fn one_sum<V: Eight>(points: &[AffinePoint]) -> Jacobian {
    let mut lists: [&[AffinePoint]; 8] = [&[]; 8];
    let (each, mut rest) = (points.len().div_ceil(8), points);
    for list in &mut lists {
        (*list, rest) = rest.split_at(each.min(rest.len()));
    }
    let (sums, nothing) = add_lists(Points::<V>::nothing(), Lanes::ALL, &lists);
    if nothing.bits() == Lanes::ALL.bits() {
        return Jacobian::INFINITY;
    }
    sums.fold(nothing).export()[0]
}

/// A sum in each lane; Z = 0 for a list without points.
#[inline(always)]
pub(super) fn eight_sums<V: Eight>(lists: &[&[AffinePoint]; 8]) -> [Jacobian; 8] {
    let nothing = Points::<V>::nothing();
    add_lists(nothing, Lanes::ALL, lists).0.export()
}

/// Adds the points of a list to the sum in its lane. Returns the sums, and the lanes that have none
/// yet.
#[inline(always)]
pub(super) fn add_lists<V: Eight>(
    mut sums: Points<V>,
    mut nothing: Lanes,
    lists: &[&[AffinePoint]; 8],
) -> (Points<V>, Lanes) {
    let longest = lists.iter().map(|list| list.len()).max().unwrap_or(0);
    let mut limbs: EntryLimbs = [[[0; 8]; 5]; 2];
    for step in 0..longest {
        let mut ended = 0;
        for (lane, list) in lists.iter().enumerate() {
            match list.get(step) {
                Some(point) => place(&mut limbs, lane, point),
                None => ended |= 1 << lane,
            }
        }
        let (entries, ended) = (AffineEntries::<V>::load(&limbs), Lanes::from_bits(ended));
        let mut next = sums.add_entries(&entries);
        if nothing.bits() != 0 {
            next = Points::select(nothing, &entries.to_points(), &next);
        }
        sums = Points::select(ended, &sums, &next);
        nothing = nothing.and(ended);
    }
    (sums, nothing)
}
