use super::{Official, samples, textbook};
use crate::affine::{AffinePoint, B, GENERATOR};
use crate::field::{FieldElement, P};
use crate::fixed_base::{FixedBase, PUBLIC_GENERATOR, SECRET_GENERATOR};
use crate::jacobian::Jacobian;
use crate::limbs;
use crate::multiply::{public_multiple, secret_multiple};
use crate::point::Point;
use crate::portable::Prime;
use crate::scalar::{N, Scalar};

/// Coordinates to compare by; nothing for infinity.
type Coordinates = Option<[u8; 64]>;

fn affine(point: Option<AffinePoint>) -> Coordinates {
    point.map(AffinePoint::to_coordinates)
}

fn complete(point: &Point) -> Coordinates {
    let infinite = point.z.is_zero().reveal();
    (!infinite).then(|| point.to_affine().to_coordinates())
}

fn jacobian(point: &Jacobian) -> Coordinates {
    (!point.is_infinity()).then(|| point.to_affine().to_coordinates())
}

fn sum_in_place(p: &Jacobian, q: &AffinePoint) -> Jacobian {
    let mut sum = *p;
    sum.add_affine_assign(q);
    sum
}

/// G, 2G, -G and some other multiples, as the textbook finds them.
fn points() -> Vec<AffinePoint> {
    let minus = AffinePoint {
        x: GENERATOR.x,
        y: GENERATOR.y.negate(),
    };
    let twice = textbook::add_points(Some(GENERATOR), Some(GENERATOR)).unwrap();
    let others = samples(4).map(|bytes| {
        let k = Scalar::from_bytes_reduced(&bytes).to_limbs();
        textbook::multiply_point(&k, GENERATOR).unwrap()
    });
    [GENERATOR, minus, twice]
        .into_iter()
        .chain(others)
        .collect()
}

/// The same point with another denominator.
fn scaled(point: AffinePoint, z: &FieldElement) -> (Point, Jacobian) {
    let zz = z.square();
    let complete = Point {
        x: point.x.multiply(z),
        y: point.y.multiply(z),
        z: *z,
    };
    let y = point.y.multiply(&zz).multiply(z);
    (
        complete,
        Jacobian {
            x: point.x.multiply(&zz),
            y,
            z: *z,
        },
    )
}

#[test]
fn curve_is_that_of_the_standard() {
    let curve = Official::section("curve");
    assert_eq!(limbs::to_bytes(&P::VALUE), curve.number("p"));
    assert_eq!(limbs::to_bytes(&N::VALUE), curve.number("n"));
    assert_eq!(B.to_bytes(), curve.number("b"));
    assert_eq!(GENERATOR.x.to_bytes(), curve.number("gx"));
    assert_eq!(GENERATOR.y.to_bytes(), curve.number("gy"));
    assert!(AffinePoint::from_coordinates(&GENERATOR.to_coordinates()).is_some());
}

#[test]
fn all_additions_agree_with_chord_and_tangent() {
    let z1 = FieldElement::from_limbs(&[3, 1, 4, 1]);
    let z2 = FieldElement::from_limbs(&[5, 9, 2, 6]);
    for p in points() {
        let (complete_p, jacobian_p) = scaled(p, &z1);
        for q in points() {
            let (complete_q, jacobian_q) = scaled(q, &z2);
            let sum = affine(textbook::add_points(Some(p), Some(q)));
            assert_eq!(complete(&complete_p.add(&complete_q)), sum);
            assert_eq!(complete(&complete_p.add_affine(&q)), sum);
            assert_eq!(jacobian(&jacobian_p.add(&jacobian_q)), sum);
            assert_eq!(jacobian(&sum_in_place(&jacobian_p, &q)), sum);
            if !p.x.equals(&q.x).reveal() {
                assert_eq!(jacobian(&jacobian_p.add_distinct(&q)), sum);
            }
        }
        let twice = affine(textbook::add_points(Some(p), Some(p)));
        assert_eq!(complete(&complete_p.double()), twice);
        assert_eq!(jacobian(&jacobian_p.double()), twice);
        assert_eq!(complete(&complete_p.add(&complete_p.negate())), None);
        assert_eq!(jacobian(&jacobian_p.add(&jacobian_p.negate())), None);
    }
}

#[test]
fn infinity_is_neutral_everywhere() {
    assert_eq!(complete(&Point::INFINITY.double()), None);
    assert_eq!(complete(&Point::INFINITY.add(&Point::INFINITY)), None);
    assert_eq!(jacobian(&Jacobian::INFINITY.double()), None);
    assert_eq!(jacobian(&Jacobian::INFINITY.add(&Jacobian::INFINITY)), None);
    for p in points() {
        let same = affine(Some(p));
        assert_eq!(complete(&Point::INFINITY.add(&Point::from(p))), same);
        assert_eq!(complete(&Point::from(p).add(&Point::INFINITY)), same);
        assert_eq!(complete(&Point::INFINITY.add_affine(&p)), same);
        assert_eq!(jacobian(&Jacobian::INFINITY.add(&Jacobian::from(p))), same);
        assert_eq!(jacobian(&Jacobian::from(p).add(&Jacobian::INFINITY)), same);
        assert_eq!(jacobian(&sum_in_place(&Jacobian::INFINITY, &p)), same);
    }
}

/// Scalars where windows carry: edges of the range, single bits, all ones, and some like any.
fn scalars() -> Vec<Scalar> {
    let mut values = vec![
        [0; 4],
        [1, 0, 0, 0],
        [2, 0, 0, 0],
        [u64::MAX; 4],
        [16, 0, 0, 0],
    ];
    values.extend([17, 31, 32, 33, 127, 128, 129, 255, 256, 257].map(|low| [low, 0, 0, 0]));
    values.extend([1, 2, 3].map(|less| limbs::sub(&N::VALUE, &[less, 0, 0, 0]).0));
    values.extend([
        [0, 0, 0, 1 << 63],
        [0x8080_8080_8080_8080; 4],
        [0x7f7f_7f7f_7f7f_7f7f; 4],
        // Highest windows that just carry, or just don't.
        [0, 0, 0, 0xf800 << 48],
        [u64::MAX, u64::MAX, u64::MAX, 0xf7ff_ffff_ffff_ffff],
        [1, 0, 0, 0xfc00 << 48],
    ]);
    let bytes = values.iter().map(limbs::to_bytes).chain(samples(10));
    bytes
        .map(|bytes| Scalar::from_bytes_reduced(&bytes))
        .collect()
}

#[test]
fn all_multiplications_agree_with_doubling_and_adding() {
    let base = points().pop().unwrap();
    let narrow = FixedBase::<5>::new(&base);
    for k in scalars() {
        let expected = affine(textbook::multiply_point(&k.to_limbs(), base));
        assert_eq!(complete(&secret_multiple(&k, &base)), expected);
        assert_eq!(jacobian(&public_multiple(&k, &base)), expected);
        assert_eq!(jacobian(&narrow.multiply(&k)), expected);
        assert_eq!(
            jacobian(&narrow.add_public_multiple(Jacobian::INFINITY, &k)),
            expected
        );

        let of_generator = affine(textbook::multiply_point(&k.to_limbs(), GENERATOR));
        assert_eq!(jacobian(&SECRET_GENERATOR.multiply(&k)), of_generator);
        let public = PUBLIC_GENERATOR.add_public_multiple(Jacobian::INFINITY, &k);
        assert_eq!(jacobian(&public), of_generator);
    }
}

#[test]
fn sum_of_multiples_meets_doubling_and_infinity() {
    for k in scalars() {
        let multiple = public_multiple(&k, &GENERATOR);
        let twice = textbook::multiply_point(&k.double().to_limbs(), GENERATOR);
        assert_eq!(
            jacobian(&PUBLIC_GENERATOR.add_public_multiple(multiple, &k)),
            affine(twice)
        );
        assert_eq!(
            jacobian(&PUBLIC_GENERATOR.add_public_multiple(multiple, &k.negate())),
            None
        );
    }
}

#[test]
fn n_times_any_point_is_infinity() {
    for point in points() {
        assert_eq!(affine(textbook::multiply_point(&N::VALUE, point)), None);
    }
}
