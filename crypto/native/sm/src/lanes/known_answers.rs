//! The known answers at each load go through all that the lanes are asked for: whichever of it comes
//! out wrong, they notice.

use std::cell::Cell;

use super::{EightLanes, compiled};
use crate::affine::AffinePoint;
use crate::backend::Backend;
use crate::error_state::{Latch, SelfTest};
use crate::jacobian::Jacobian;
use crate::scalar::Scalar;
use crate::self_test::{ANSWERS, run};

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Asked {
    Sum,
    Sums,
    Products,
    SecretMultiple,
}

thread_local! {
    static SPOILT: Cell<Option<Asked>> = const { Cell::new(None) };
}

/// Twice the point where this is what the test spoils.
fn given(asked: Asked, sum: Jacobian) -> Jacobian {
    if SPOILT.get() == Some(asked) {
        sum.double()
    } else {
        sum
    }
}

// What `super` asks in tests, in the place of the functions of the same names in `compiled`.

pub(super) unsafe fn one_sum(points: &[AffinePoint]) -> Jacobian {
    // SAFETY: as for whoever calls.
    given(Asked::Sum, unsafe { compiled::one_sum(points) })
}

pub(super) unsafe fn eight_sums(lists: &[&[AffinePoint]; 8]) -> [Jacobian; 8] {
    // SAFETY: as for whoever calls.
    unsafe { compiled::eight_sums(lists) }.map(|sum| given(Asked::Sums, sum))
}

pub(super) unsafe fn eight_products(
    scalars: &[Scalar; 8],
    points: &[AffinePoint; 8],
    lists: &[&[AffinePoint]; 8],
) -> [Jacobian; 8] {
    // SAFETY: as for whoever calls.
    unsafe { compiled::eight_products(scalars, points, lists) }
        .map(|sum| given(Asked::Products, sum))
}

pub(super) unsafe fn secret_multiple(k: &Scalar) -> Jacobian {
    // SAFETY: as for whoever calls.
    given(Asked::SecretMultiple, unsafe {
        compiled::secret_multiple(k)
    })
}

/// Which of the known answers are wrong while this is spoilt.
fn failing(spoilt: Option<Asked>) -> Vec<SelfTest> {
    let latch = Latch::new();
    SPOILT.set(spoilt);
    run(&ANSWERS, &latch);
    SPOILT.set(None);
    SelfTest::ALL
        .into_iter()
        .filter(|test| latch.has_failed(*test))
        .collect()
}

#[test]
fn known_answers_go_through_all_that_the_lanes_are_asked_for() {
    Backend::current();
    if EightLanes::in_use().is_none() {
        println!("not run: the lanes are not in use");
        return;
    }
    assert_eq!(failing(None), []);
    for asked in [Asked::Sum, Asked::Sums, Asked::Products] {
        assert_eq!(failing(Some(asked)), [SelfTest::Sm2Verify], "{asked:?}");
    }
    assert!(failing(Some(Asked::SecretMultiple)).contains(&SelfTest::Sm2Sign));
}
