//! Division by divsteps, held against powers and against the textbook's products.

use super::{hex, samples, textbook};
use crate::backend::Backend;
use crate::divsteps::divide;
use crate::field::P;
use crate::limbs::{self, Limbs};
use crate::residue::{Modulus, Residue};
use crate::scalar::N;

const SAMPLES: u32 = 4000;

/// Numbers that take 548 and 547 steps modulo p, 547 and 546 modulo n, where one of thousands takes
/// 531: found from the lowest bit on, by what keeps f and g long.
const SLOW_MODULO_P: [&str; 2] = [
    "400000007912982af3c485a7423e1d6d8af2e5291ddf0118601c493e77e6a04e",
    "fd70a3d7457a2982d9c388d67c6a67a44ce04b8ca0fdb6d66dfed969b35cfb3c",
];
const SLOW_MODULO_N: [&str; 2] = [
    "b33333333e57b236c41b9f60bf09d10ef00acd30b0453c6321482008ad673f0c",
    "fd70a3d70711ee98eabe28f15b33aa80656a3c395415c8f9ec847a9879936acc",
];

/// 2^position - 1, for positions up to 256.
fn ones(position: usize) -> Limbs {
    core::array::from_fn(|i| match position.saturating_sub(64 * i) {
        0 => 0,
        bits @ 1..64 => (1 << bits) - 1,
        _ => u64::MAX,
    })
}

/// Runs of ones, of zeros and of both; powers of two and their neighbours; the ends of the range.
fn edges<M: Modulus>() -> Vec<Limbs> {
    let mut edges = vec![[0; 4], [1, 0, 0, 0], [2, 0, 0, 0]];
    for position in 0..=256 {
        edges.push(ones(position));
        edges.push(limbs::add(&ones(position), &[1, 0, 0, 0]).0);
        edges.extend(
            (0..position)
                .step_by(13)
                .map(|low| limbs::sub(&ones(position), &ones(low)).0),
        );
    }
    for word in [
        0x5555_5555_5555_5555,
        0xffff_ffff_0000_0000,
        0x0fff_ffff_ffff_ffff,
    ] {
        edges.extend([
            [word; 4],
            [word, !word, word, !word],
            [0, 0, 0, word],
            [word, 0, 0, 0],
        ]);
    }
    let below: Vec<Limbs> = edges
        .iter()
        .map(|edge| limbs::sub(&M::VALUE, edge).0)
        .collect();
    edges.extend(below);
    edges.retain(|edge| limbs::sub(edge, &M::VALUE).1 == 1);
    edges
}

/// x^(m-2), bit by bit.
fn power<M: Modulus>(x: &Residue<M>) -> Residue<M> {
    let exponent = limbs::sub(&M::VALUE, &[2, 0, 0, 0]).0;
    (0..256).rev().fold(Residue::ONE, |power, position| {
        let square = power.square();
        match exponent[position / 64] >> (position % 64) & 1 {
            1 => square.multiply(x),
            _ => square,
        }
    })
}

fn quotients_hold<M: Modulus>(divisors: &[Limbs]) {
    let dividends = [
        [0; 4],
        [1, 0, 0, 0],
        ones(255),
        limbs::sub(&M::VALUE, &[1, 0, 0, 0]).0,
    ];
    for x in divisors {
        for c in &dividends {
            let quotient = divide::<M>(c, x);
            assert_eq!(
                limbs::sub(&quotient, &M::VALUE).1,
                1,
                "{x:x?} is not reduced"
            );
            let product = textbook::multiply(&quotient, x, &M::VALUE);
            let expected = if *x == [0; 4] { &[0; 4] } else { c };
            assert_eq!(&product, expected, "{c:x?} / {x:x?}");
        }
    }
}

#[test]
fn a_quotient_times_its_divisor_is_the_dividend_and_over_zero_it_is_zero() {
    quotients_hold::<P>(&edges::<P>());
    quotients_hold::<N>(&edges::<N>());
}

#[test]
fn numbers_that_take_more_steps_than_others_are_divided_by() {
    let read = |digits: &str| limbs::from_bytes(&hex(digits).try_into().unwrap());
    quotients_hold::<P>(&SLOW_MODULO_P.map(read));
    quotients_hold::<N>(&SLOW_MODULO_N.map(read));
}

fn inverses_are_powers<M: Modulus>() {
    println!("{:?}", Backend::current());
    let reduce = |bytes| Residue::<M>::from_bytes_reduced(&bytes).to_limbs();
    for value in edges::<M>().into_iter().chain(samples(SAMPLES).map(reduce)) {
        let x = Residue::<M>::from_limbs(&value);
        let inverse = x.invert();
        assert_eq!(inverse.to_limbs(), power(&x).to_limbs(), "1 / {value:x?}");
        let one = Residue::<M>::select(x.is_zero(), &Residue::ZERO, &Residue::ONE);
        assert_eq!(x.multiply(&inverse).to_limbs(), one.to_limbs());
    }
}

#[test]
fn inverses_are_powers_and_that_of_zero_is_zero() {
    inverses_are_powers::<P>();
    inverses_are_powers::<N>();
}
