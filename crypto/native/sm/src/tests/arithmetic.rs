use super::{samples, textbook};
use crate::backend::Backend;
use crate::field::P;
use crate::limbs::{self, Limbs};
use crate::portable;
use crate::residue::{Modulus, Residue};
use crate::scalar::N;

/// Values where carries and borrows go wrong, and some like any other; all below m.
fn values<M: Modulus>() -> Vec<Limbs> {
    let less = |amount: u64| limbs::sub(&M::VALUE, &[amount, 0, 0, 0]).0;
    let ones = u64::MAX;
    let mut values = vec![
        [0; 4],
        [1, 0, 0, 0],
        [2, 0, 0, 0],
        less(1),
        less(2),
        less(3),
        [ones, 0, 0, 0],
        [0, ones, 0, 0],
        [ones, ones, ones, 0],
        [0, 0, 0, 1 << 63],
        [ones, ones, ones, 0x7fff_ffff_ffff_ffff],
        [1 << 32, 0, 1 << 32, 0],
        limbs::sub(&[0; 4], &M::VALUE).0,
    ];
    let reduce = |bytes| Residue::<M>::from_bytes_reduced(&bytes).to_limbs();
    values.extend(samples(12).map(reduce));
    values
}

fn agrees_with_the_textbook<M: Modulus>() {
    println!("{:?}", Backend::current());
    for a in values::<M>() {
        let x = Residue::<M>::from_limbs(&a);
        assert_eq!(x.to_limbs(), a);
        assert_eq!(x.square().to_limbs(), textbook::multiply(&a, &a, &M::VALUE));
        assert_eq!(x.add(&x.negate()).to_limbs(), [0; 4]);
        assert_eq!(x.halve().double().to_limbs(), a);
        assert_eq!(x.is_zero().reveal(), a == [0; 4]);
        for b in values::<M>() {
            let y = Residue::<M>::from_limbs(&b);
            assert_eq!(
                x.multiply(&y).to_limbs(),
                textbook::multiply(&a, &b, &M::VALUE)
            );
            assert_eq!(x.add(&y).to_limbs(), textbook::add(&a, &b, &M::VALUE));
            assert_eq!(x.sub(&y).add(&y).to_limbs(), a);
            assert_eq!(x.equals(&y).reveal(), a == b);
        }
    }
}

/// Holds the functions of a back end against the portable ones. Sums and differences take any
/// reduced values, products those and their own results.
fn agrees_with_the_portable<M: Modulus>(
    multiply: fn(&Limbs, &Limbs) -> Limbs,
    square: fn(&Limbs) -> Limbs,
    add: fn(&Limbs, &Limbs) -> Limbs,
    subtract: fn(&Limbs, &Limbs) -> Limbs,
) {
    let mut chained = [1, 0, 0, 0];
    for a in values::<M>() {
        for b in values::<M>() {
            assert_eq!(add(&a, &b), portable::add::<M>(&a, &b));
            assert_eq!(subtract(&a, &b), portable::subtract::<M>(&a, &b));
            let product = portable::multiply::<M>(&a, &b);
            assert_eq!(multiply(&a, &b), product);
            assert_eq!(square(&product), portable::square::<M>(&product));
            assert_eq!(square(&b), portable::square::<M>(&b));
            if product != [0; 4] {
                chained = multiply(&chained, &product);
                let expected = portable::multiply::<M>(&chained, &a);
                assert_eq!(multiply(&chained, &a), expected);
            }
        }
    }
}

#[test]
#[cfg(target_arch = "x86_64")]
fn assembly_agrees_with_the_portable_arithmetic() {
    use crate::adx;
    if !Backend::available().any(|backend| backend == Backend::Adx) {
        println!("not run: this processor has no adx");
        return;
    }
    agrees_with_the_portable::<P>(adx::multiply_p, adx::square_p, adx::add_p, adx::subtract_p);
    agrees_with_the_portable::<N>(
        adx::multiply_n,
        adx::square_n,
        portable::add::<N>,
        portable::subtract::<N>,
    );
}

#[test]
fn field_agrees_with_the_textbook() {
    agrees_with_the_textbook::<P>();
}

#[test]
fn scalars_agree_with_the_textbook() {
    agrees_with_the_textbook::<N>();
}

#[test]
fn a_root_is_found_of_squares_and_of_nothing_else() {
    Backend::current();
    let mut without = 0;
    for value in values::<P>() {
        let x = Residue::<P>::from_limbs(&value);
        let root = x.square().square_root().unwrap();
        assert!(root.equals(&x).reveal() || root.equals(&x.negate()).reveal());
        match x.square_root() {
            Some(root) => assert_eq!(root.square().to_limbs(), value),
            None => without += 1,
        }
    }
    assert!(without > 5);
}

fn bytes_are_read_below_the_modulus_only<M: Modulus>() {
    for value in values::<M>() {
        let bytes = limbs::to_bytes(&value);
        assert_eq!(Residue::<M>::from_bytes(&bytes).unwrap().to_bytes(), bytes);
    }
    let above = limbs::add(&M::VALUE, &[1, 0, 0, 0]).0;
    for (value, reduced) in [
        (M::VALUE, [0; 4]),
        (above, [1, 0, 0, 0]),
        ([u64::MAX; 4], limbs::sub(&[u64::MAX; 4], &M::VALUE).0),
    ] {
        let bytes = limbs::to_bytes(&value);
        assert!(Residue::<M>::from_bytes(&bytes).is_none());
        assert_eq!(Residue::<M>::from_bytes_reduced(&bytes).to_limbs(), reduced);
    }
}

#[test]
fn a_number_of_the_modulus_or_more_is_not_read() {
    bytes_are_read_below_the_modulus_only::<P>();
    bytes_are_read_below_the_modulus_only::<N>();
}
