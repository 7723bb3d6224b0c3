//! The lanes against the back end below, which is held against the textbook: by plain arithmetic
//! everywhere, by the instructions where the processor has them.

use super::eight::{Eight, Lanes};
use super::emulated::Emulated;
use super::field::{Elements, Entries, LIMB, split};
use super::{EightLanes, Numbers, is_supported, products, secret, sums};
use crate::affine::{AffinePoint, GENERATOR};
use crate::backend::Backend;
use crate::field::FieldElement;
use crate::fixed_base::{PUBLIC_GENERATOR, SECRET_GENERATOR};
use crate::jacobian::Jacobian;
use crate::limbs;
use crate::moduli;
use crate::multiply::public_multiple;
use crate::scalar::Scalar;
use crate::tests::samples;

type Lists<'a> = [&'a [AffinePoint]; 8];

/// What the lanes are asked for, by plain arithmetic or by the instructions; what met a special case
/// is infinity.
struct Way {
    sum: fn(&[AffinePoint]) -> Jacobian,
    sums: fn(&Lists<'_>) -> [Jacobian; 8],
    products: fn(&[Scalar; 8], &[AffinePoint; 8], &Lists<'_>) -> [Jacobian; 8],
    secret_multiple: fn(&Scalar) -> Jacobian,
}

const PLAIN: Way = Way {
    sum: sums::one_sum::<Emulated>,
    sums: sums::eight_sums::<Emulated>,
    products: products::eight_products::<Emulated>,
    secret_multiple: secret::multiple::<Emulated>,
};

/// As the rest of the crate asks, in functions compiled for the instructions.
const BY_INSTRUCTIONS: Way = Way {
    sum: |points| or_infinity(EightLanes(()).sum(points)),
    sums: |lists| EightLanes(()).sums(lists).map(or_infinity),
    products: |scalars, points, lists| {
        EightLanes(())
            .products(scalars, points, lists)
            .map(or_infinity)
    },
    secret_multiple: |k| or_infinity(EightLanes(()).secret_multiple(k)),
};

fn or_infinity(sum: Option<Jacobian>) -> Jacobian {
    sum.unwrap_or(Jacobian::INFINITY)
}

/// Does a test both ways, or says that one of them was left out.
fn both_ways(test: fn(&Way)) {
    Backend::current();
    test(&PLAIN);
    if has_instructions() {
        test(&BY_INSTRUCTIONS);
    }
}

fn has_instructions() -> bool {
    let supported = is_supported();
    if !supported {
        println!("not run by the instructions: this processor has no AVX-512 IFMA");
    }
    supported
}

fn affine(sum: &Jacobian) -> Option<[u8; 64]> {
    (!sum.is_infinity()).then(|| sum.to_affine().to_coordinates())
}

/// The edges of what the lanes may be given, and numbers like any.
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

fn entries<V: Eight>(numbers: &[FieldElement; 8]) -> Entries<V> {
    let numbers = numbers.map(|number| split(number.montgomery()));
    let limbs = core::array::from_fn(|i| core::array::from_fn(|lane| numbers[lane][i]));
    Entries::load(&limbs)
}

fn same<V: Eight>(found: &Elements<V>, expected: [FieldElement; 8]) {
    let limbs = found.0.iter().flat_map(|limb| limb.store());
    assert!(limbs.into_iter().all(|limb| limb <= LIMB));
    for (found, expected) in found.export().iter().zip(expected) {
        assert_eq!(found.to_limbs(), expected.to_limbs());
    }
}

fn the_field_holds<V: Eight>() {
    let numbers = field_numbers();
    for a in numbers.windows(8) {
        let a: [FieldElement; 8] = a.try_into().unwrap();
        for b in numbers.windows(8) {
            let b: [FieldElement; 8] = b.try_into().unwrap();
            let each = |work: fn(&FieldElement, &FieldElement) -> FieldElement| {
                core::array::from_fn(|lane| work(&a[lane], &b[lane]))
            };
            let (x, y) = (entries::<V>(&a).reduced(), entries::<V>(&b).reduced());
            same(&x.multiply(&y), each(FieldElement::multiply));
            same(&entries::<V>(&a).multiply(&y), each(FieldElement::multiply));
            same(&x.plus(&y).tight(), each(FieldElement::add));
            same(&x.minus(&y).tight(), each(FieldElement::sub));
            same(&x.square(), a.map(|number| number.square()));
            // Sums as large as the formulas of points make them, and their products.
            let doubled = x.minus(&y).tight().times_two();
            let large = doubled.times_two().times_two().tight();
            let expected = each(|a, b| a.sub(b).double().double().double());
            let squares = expected.map(|number| number.square());
            same(&large, expected);
            same(&large.square(), squares);
            same(&large.multiply(&large), squares);
            let negative = entries::<V>(&a).negate_in(Lanes::from_bits(0b1010_0110));
            let expected = core::array::from_fn(|lane| match lane {
                1 | 2 | 5 | 7 => a[lane].negate(),
                _ => a[lane],
            });
            same(&negative.reduced(), expected);
        }
    }
}

#[test]
fn the_field_holds_in_all_lanes() {
    Backend::current();
    the_field_holds::<Emulated>();
    if has_instructions() {
        the_field_holds::<Numbers>();
    }
}

/// 2^258 - 1, the largest that is below 4 p in its limbs.
fn the_largest_limbs_hold<V: Eight>() {
    let limbs = [LIMB, LIMB, LIMB, LIMB, LIMB >> 2];
    let most = Elements::<V>(limbs.map(V::splat));
    // It is 4 (2^256 - 1) + 3, and stands for that divided by 2^256 and by 16.
    let top = FieldElement::from_bytes_reduced(&[0xff; 32]);
    let number = top
        .double()
        .double()
        .add(&FieldElement::from_limbs(&[3, 0, 0, 0]));
    let sixteen = FieldElement::from_limbs(&[16, 0, 0, 0]);
    let shifted = FieldElement::from_montgomery([1, 0, 0, 0]);
    let expected = number.multiply(&shifted).multiply(&sixteen.invert());
    same(&most, [expected; 8]);
    same(&most.multiply(&most), [expected.square(); 8]);
    same(&most.square(), [expected.square(); 8]);
}

#[test]
fn the_largest_limbs_do_not_overflow() {
    Backend::current();
    the_largest_limbs_hold::<Emulated>();
    if has_instructions() {
        the_largest_limbs_hold::<Numbers>();
    }
}

/// Each function of the instructions does in each lane what plain arithmetic does.
#[test]
fn each_instruction_does_what_plain_arithmetic_does() {
    if !has_instructions() {
        return;
    }
    let numbers: Vec<u64> = samples(40)
        .flat_map(|bytes| limbs::from_bytes(&bytes))
        .chain([0, 1, LIMB, LIMB + 1, u64::MAX, 1 << 63, 1 << 51, 0])
        .collect();
    for eight in numbers.chunks_exact(8).collect::<Vec<_>>().windows(3) {
        let [a, b, c] = [0, 1, 2].map(|i| <&[u64; 8]>::try_from(eight[i]).unwrap());
        assert_eq!(shown::<Emulated>(a, b, c), shown::<Numbers>(a, b, c));
    }
}

fn shown<V: Eight>(a: &[u64; 8], b: &[u64; 8], c: &[u64; 8]) -> Vec<[u64; 8]> {
    let mixed = core::array::from_fn(|lane| {
        if lane.is_multiple_of(3) {
            a[lane]
        } else {
            b[lane]
        }
    });
    let [x, y, z, mixed] = [a, b, c, &mixed].map(V::load);
    let equal = x.equal(mixed);
    let mut found = vec![
        V::splat(a[0]),
        V::load_in_any_case(b),
        x.add(y),
        x.subtract(y),
        x.and(y),
        x.shift_left::<12>(),
        x.shift_left::<48>(),
        x.shift_right::<48>(),
        x.shift_right::<52>(),
        z.add_low(x, y),
        z.add_high(x, y),
        V::splat(u64::from(equal.bits())),
        V::select(equal, y, z),
        V::select(equal.rotate(1), y, z),
        V::select(equal.and(Lanes::from_bits(0x0f)), y, z),
    ];
    found.extend((0..8).map(|by| x.rotate(by)));
    found.into_iter().map(V::store).collect()
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

fn public_points(k: &Scalar) -> Vec<AffinePoint> {
    PUBLIC_GENERATOR.public_points(k).collect()
}

#[test]
fn a_secret_multiple_is_that_of_the_back_end_below() {
    both_ways(|way| {
        for k in scalars() {
            let found = (way.secret_multiple)(&k);
            assert_eq!(affine(&found), affine(&SECRET_GENERATOR.multiply(&k)));
        }
    });
}

#[test]
fn one_sum_over_all_lanes_is_the_sum() {
    both_ways(|way| {
        for k in scalars() {
            let expected = affine(&SECRET_GENERATOR.multiply(&k));
            assert_eq!(affine(&(way.sum)(&public_points(&k))), expected);
        }
        assert_eq!(affine(&(way.sum)(&[])), None);
    });
}

fn minus(point: &AffinePoint) -> AffinePoint {
    AffinePoint {
        y: point.y.negate(),
        ..*point
    }
}

/// Points that meet themselves or their opposite, within a lane or between lanes.
#[test]
fn a_special_case_is_told_by_no_point() {
    both_ways(|way| {
        let points = public_points(&Scalar::from_bytes_reduced(&[7; 32]));
        for pair in [[GENERATOR, GENERATOR], [GENERATOR, minus(&GENERATOR)]] {
            assert_eq!(affine(&(way.sum)(&pair)), None);
            // Three in a lane: the pair meets there, and the others go on from nothing.
            let many: Vec<AffinePoint> = pair.iter().chain(&points[..20]).copied().collect();
            assert_eq!(affine(&(way.sum)(&many)), None);
        }
    });
}

/// Lists for eight lanes; those of lanes 1, 4 and 6 are special, that of lane 3 is empty.
fn lists_with_special_ones() -> [Vec<AffinePoint>; 8] {
    let all = scalars();
    core::array::from_fn(|lane| {
        let mut points = public_points(&all[lane + 10]);
        let first = points[0];
        match lane {
            1 => points.insert(1, first),
            3 => points.clear(),
            4 => points.insert(1, minus(&first)),
            6 => points = vec![first, minus(&first)],
            _ => {}
        }
        points
    })
}

#[test]
fn a_special_case_in_one_lane_spoils_no_other() {
    both_ways(|way| {
        let lists = lists_with_special_ones();
        let found = (way.sums)(&lists.each_ref().map(Vec::as_slice));
        for (lane, found) in found.iter().enumerate() {
            let right = affine(&SECRET_GENERATOR.multiply(&scalars()[lane + 10]));
            let expected = right.filter(|_| ![1, 3, 4, 6].contains(&lane));
            assert_eq!(affine(found), expected, "lane {lane}");
        }
    });
}

#[test]
fn eight_products_are_those_of_the_back_end_below() {
    both_ways(|way| {
        let all = scalars();
        let points: Vec<AffinePoint> = all
            .iter()
            .map(|k| SECRET_GENERATOR.multiply(k).to_affine())
            .collect();
        for (first, scalars) in all.chunks_exact(8).enumerate() {
            let scalars: &[Scalar; 8] = scalars.try_into().unwrap();
            let points = &points[points.len() - 8 * (first + 1)..][..8];
            let points: &[AffinePoint; 8] = points.try_into().unwrap();
            let mut lists: [_; 8] = core::array::from_fn(|lane| public_points(&all[lane + 3]));
            lists[2].clear();
            let found = (way.products)(scalars, points, &lists.each_ref().map(Vec::as_slice));
            for lane in 0..8 {
                let mut expected = public_multiple(&scalars[lane], &points[lane]);
                for point in &lists[lane] {
                    expected.add_affine_assign(point);
                }
                assert_eq!(affine(&found[lane]), affine(&expected));
            }
        }
    });
}

/// k P meets the first of the list, or its opposite; k is 0.
#[test]
fn a_special_product_in_one_lane_spoils_no_other() {
    both_ways(|way| {
        let all = scalars();
        let mut factors: [Scalar; 8] = core::array::from_fn(|lane| all[lane + 12]);
        let mut lists: [_; 8] = core::array::from_fn(|lane| public_points(&all[lane]));
        let met = SECRET_GENERATOR.multiply(&factors[0]).to_affine();
        lists[0] = vec![met, GENERATOR];
        let met = SECRET_GENERATOR.multiply(&factors[5]).to_affine();
        lists[5] = vec![minus(&met), GENERATOR];
        factors[3] = Scalar::ZERO;
        factors[7] = Scalar::ZERO;
        lists[7].clear();
        let slices = lists.each_ref().map(Vec::as_slice);
        let found = (way.products)(&factors, &[GENERATOR; 8], &slices);
        for (lane, found) in found.iter().enumerate() {
            let sum = factors[lane].add(&all[lane]);
            let expected = match lane {
                0 | 5 | 7 => None,
                _ => affine(&SECRET_GENERATOR.multiply(&sum)),
            };
            assert_eq!(affine(found), expected, "lane {lane}");
        }
    });
}

#[test]
fn the_lanes_are_chosen_where_the_processor_has_them() {
    assert_eq!(Backend::BUILT.last(), Some(&Backend::Ifma));
    assert_eq!(
        Backend::available().last() == Some(Backend::Ifma),
        is_supported() && Backend::available().any(|backend| backend == Backend::Adx)
    );
}
