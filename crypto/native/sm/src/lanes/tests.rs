//! The lanes against the textbook's points: by plain arithmetic everywhere, by the instructions where
//! the processor has them.

use super::EightLanes;
use super::eight::{Eight, Lanes};
use super::emulated::Emulated;
use super::field::{Elements, Entries, LIMB, split};
use super::{products, secret, sums};
use crate::affine::{AffinePoint, GENERATOR};
use crate::backend::Backend;
use crate::field::FieldElement;
use crate::fixed_base::{PUBLIC_GENERATOR, SECRET_GENERATOR};
use crate::jacobian::Jacobian;
use crate::limbs;
use crate::moduli;
use crate::scalar::Scalar;
use crate::tests::samples;

/// What the lanes promise of the multiplication, for the edges of what they may be given.
fn field_numbers() -> Vec<FieldElement> {
    let less = |amount: u64| limbs::sub(&moduli::P, &[amount, 0, 0, 0]).0;
    let edges = [
        [0; 4],
        [1, 0, 0, 0],
        less(1),
        less(2),
        [u64::MAX, 0, u64::MAX, 0],
    ];
    let edges = edges.map(|value| FieldElement::from_limbs(&value));
    let like_any = samples(11).map(|bytes| FieldElement::from_bytes_reduced(&bytes));
    edges.into_iter().chain(like_any).collect()
}

fn entries(numbers: &[FieldElement; 8]) -> Entries<Emulated> {
    let numbers = numbers.map(|number| split(number.montgomery()));
    let limbs = core::array::from_fn(|i| core::array::from_fn(|lane| numbers[lane][i]));
    Entries::load(&limbs)
}

fn same(found: &Elements<Emulated>, expected: [FieldElement; 8]) {
    assert!(
        found
            .0
            .iter()
            .flat_map(|limb| limb.store())
            .all(|limb| limb <= LIMB)
    );
    let found = found.export();
    for (found, expected) in found.iter().zip(expected) {
        assert_eq!(found.to_limbs(), expected.to_limbs());
    }
}

#[test]
fn the_field_holds_in_all_lanes() {
    Backend::current();
    let numbers = field_numbers();
    for a in numbers.windows(8) {
        let a: [FieldElement; 8] = a.try_into().unwrap();
        for b in numbers.windows(8) {
            let b: [FieldElement; 8] = b.try_into().unwrap();
            let each = |work: fn(&FieldElement, &FieldElement) -> FieldElement| {
                core::array::from_fn(|lane| work(&a[lane], &b[lane]))
            };
            let (x, y) = (entries(&a).reduced(), entries(&b).reduced());
            same(&x.multiply(&y), each(FieldElement::multiply));
            same(&entries(&a).multiply(&y), each(FieldElement::multiply));
            same(&x.plus(&y).tight(), each(FieldElement::add));
            same(&x.minus(&y).tight(), each(FieldElement::sub));
            same(&x.square(), a.map(|number| number.square()));
            // Sums as large as the formulas of points make them, and their products.
            let large = x
                .minus(&y)
                .tight()
                .times_two()
                .times_two()
                .times_two()
                .tight();
            let expected = each(|a, b| a.sub(b).double().double().double());
            same(&large, expected);
            same(&large.square(), expected.map(|number| number.square()));
            same(
                &large.multiply(&large),
                expected.map(|number| number.square()),
            );
            let negative = entries(&a).negate_in(Lanes::from_bits(0b1010_0110));
            same(
                &negative.reduced(),
                core::array::from_fn(|lane| match lane {
                    1 | 2 | 5 | 7 => a[lane].negate(),
                    _ => a[lane],
                }),
            );
        }
    }
}

#[test]
fn the_largest_limbs_do_not_overflow() {
    // 2^258 - 1, the largest that is below 4 p in its limbs.
    let limbs = [LIMB, LIMB, LIMB, LIMB, LIMB >> 2];
    let most = Elements::<Emulated>(limbs.map(Emulated::splat));
    let found = most.multiply(&most);
    assert_eq!(
        found.export()[0].to_limbs(),
        most.square().export()[0].to_limbs()
    );
    assert!(found.0.iter().all(|limb| limb.store()[0] <= LIMB));
}

fn affine(sum: &Jacobian) -> Option<[u8; 64]> {
    (!sum.is_infinity()).then(|| sum.to_affine().to_coordinates())
}

fn scalars() -> Vec<Scalar> {
    let edges = [
        [1, 0, 0, 0],
        [2, 0, 0, 0],
        [32, 0, 0, 0],
        [33, 0, 0, 0],
        [1 << 48, 0, 0, 0],
        [0, 0, 0, 1 << 63],
        [0x0820_8208_2082_0820; 4],
        limbs::sub(&moduli::N, &[1, 0, 0, 0]).0,
        limbs::sub(&moduli::N, &[2, 0, 0, 0]).0,
    ];
    let edges = edges.map(|value| limbs::to_bytes(&value));
    edges
        .into_iter()
        .chain(samples(15))
        .map(|bytes| Scalar::from_bytes_reduced(&bytes))
        .collect()
}

#[test]
fn a_secret_multiple_is_that_of_the_back_end_below() {
    Backend::current();
    for k in scalars() {
        let found = secret::multiple::<Emulated>(&k);
        assert_eq!(affine(&found), affine(&SECRET_GENERATOR.multiply(&k)));
    }
}

#[test]
fn one_sum_over_all_lanes_is_the_sum() {
    Backend::current();
    for k in scalars() {
        let points: Vec<AffinePoint> = PUBLIC_GENERATOR.public_points(&k).collect();
        let expected = affine(&SECRET_GENERATOR.multiply(&k));
        assert_eq!(affine(&sums::one_sum::<Emulated>(&points)), expected);
    }
    assert_eq!(affine(&sums::one_sum::<Emulated>(&[])), None);
}

/// Points that meet themselves or their opposite, within a lane or between lanes.
#[test]
fn a_special_case_is_told_by_no_point() {
    Backend::current();
    let minus = AffinePoint {
        y: GENERATOR.y.negate(),
        ..GENERATOR
    };
    let points: Vec<AffinePoint> = PUBLIC_GENERATOR
        .public_points(&Scalar::from_bytes_reduced(&[7; 32]))
        .collect();
    for pair in [[GENERATOR, GENERATOR], [GENERATOR, minus]] {
        assert_eq!(affine(&sums::one_sum::<Emulated>(&pair)), None);
        // Eight in a lane: the pair meets there, and the others go on from nothing.
        let many: Vec<AffinePoint> = pair.iter().chain(&points[..20]).copied().collect();
        assert_eq!(affine(&sums::one_sum::<Emulated>(&many)), None);
    }
}

#[test]
fn eight_products_are_those_of_the_back_end_below() {
    Backend::current();
    let all = scalars();
    let points: Vec<AffinePoint> = all
        .iter()
        .map(|k| SECRET_GENERATOR.multiply(k).to_affine())
        .collect();
    for (first, scalars) in all.chunks_exact(8).enumerate() {
        let scalars: &[Scalar; 8] = scalars.try_into().unwrap();
        let points: &[AffinePoint; 8] = points[points.len() - 8 * (first + 1)..][..8]
            .try_into()
            .unwrap();
        let lists: Vec<Vec<AffinePoint>> = (0..8)
            .map(|lane| PUBLIC_GENERATOR.public_points(&all[lane + 3]).collect())
            .collect();
        let lists = core::array::from_fn(|lane| if lane == 2 { &[][..] } else { &lists[lane][..] });
        let (sums, nothing) = products::multiples::<Emulated>(scalars, points);
        assert_eq!(nothing.bits(), 0);
        let found = sums::add_lists(sums, nothing, &lists).0.export();
        for lane in 0..8 {
            let product = crate::multiply::public_multiple(&scalars[lane], &points[lane]);
            let expected = lists[lane].iter().fold(product, |mut sum, point| {
                sum.add_affine_assign(point);
                sum
            });
            assert_eq!(affine(&found[lane]), affine(&expected));
        }
    }
}

/// The same answers by the instructions, where there are any.
#[test]
#[cfg(not(feature = "emulation"))]
fn the_instructions_do_what_the_plain_arithmetic_does() {
    if !super::is_supported() {
        println!("not run: this processor has no AVX-512 IFMA");
        return;
    }
    Backend::current();
    let lanes = EightLanes(());
    let all = scalars();
    for k in &all {
        let expected = affine(&SECRET_GENERATOR.multiply(k));
        assert_eq!(
            lanes.secret_multiple(k).and_then(|sum| affine(&sum)),
            expected
        );
        let points: Vec<AffinePoint> = PUBLIC_GENERATOR.public_points(k).collect();
        assert_eq!(lanes.sum(&points).and_then(|sum| affine(&sum)), expected);
    }
    assert!(lanes.sum(&[GENERATOR, GENERATOR]).is_none());
    let scalars: &[Scalar; 8] = all[..8].try_into().unwrap();
    let points: [AffinePoint; 8] =
        core::array::from_fn(|lane| SECRET_GENERATOR.multiply(&all[lane + 8]).to_affine());
    let lists: Vec<Vec<AffinePoint>> = (0..8)
        .map(|lane| PUBLIC_GENERATOR.public_points(&all[lane + 3]).collect())
        .collect();
    let lists = core::array::from_fn(|lane| &lists[lane][..]);
    let found = lanes.products(scalars, &points, &lists);
    let (sums, nothing) = products::multiples::<Emulated>(scalars, &points);
    let expected = sums::add_lists(sums, nothing, &lists).0.export();
    for (found, expected) in found.iter().zip(&expected) {
        assert_eq!(found.as_ref().and_then(affine), affine(expected));
    }
}
