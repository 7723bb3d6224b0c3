use super::{example_key, n_minus, n_plus, verify};
use crate::error_state::{Latch, SelfTest};
use crate::field::P;
use crate::limbs;
use crate::portable::Prime;
use crate::random::System;
use crate::sm2::{InvalidKey, PrivateKey, PublicKey};

#[test]
fn private_keys_are_between_1_and_n_minus_2() {
    for good in [[1, 0, 0, 0], [2, 0, 0, 0], n_minus(2)] {
        let key = PrivateKey::from_bytes(&limbs::to_bytes(&good)).unwrap();
        let signed = key.sign(b"message", b"id").unwrap();
        assert_eq!(verify(&key, &signed.to_bytes(), b"message", b"id"), Ok(()));
        assert_eq!(*key.to_bytes(), limbs::to_bytes(&good));
    }
    for bad in [[0; 4], n_minus(1), n_plus(0), n_plus(1), [u64::MAX; 4]] {
        assert!(PrivateKey::from_bytes(&limbs::to_bytes(&bad)).is_err());
    }
}

#[test]
fn public_keys_are_read_in_two_forms_and_no_other() {
    let key = *example_key().public_key();
    let (long, short) = (key.to_sec1(), key.to_sec1_compressed());
    assert_eq!(PublicKey::from_sec1(&long), Ok(key));
    assert_eq!(PublicKey::from_sec1(&short), Ok(key));
    for tag in [0, 1, 5, 6, 7, 8, 0xff] {
        assert_eq!(
            PublicKey::from_sec1(&[&[tag], &long[1..]].concat()),
            Err(InvalidKey)
        );
        assert_eq!(
            PublicKey::from_sec1(&[&[tag], &short[1..]].concat()),
            Err(InvalidKey)
        );
    }
    for length in 0..long.len() {
        assert_eq!(PublicKey::from_sec1(&long[..length]), Err(InvalidKey));
        assert_eq!(
            PublicKey::from_sec1(&short[..length.min(32)]),
            Err(InvalidKey)
        );
    }
    assert_eq!(
        PublicKey::from_sec1(&[&long[..], &[0]].concat()),
        Err(InvalidKey)
    );
    assert_eq!(PublicKey::from_sec1(&[4; 65]), Err(InvalidKey));
    assert_eq!(
        PublicKey::from_sec1(&[&[4], &[0; 64][..]].concat()),
        Err(InvalidKey)
    );
}

#[test]
fn compressed_points_of_both_signs_come_back() {
    for number in 1..20 {
        let key = PrivateKey::from_bytes(&limbs::to_bytes(&[number, 0, 0, 0])).unwrap();
        let mirrored = PrivateKey::from_bytes(&limbs::to_bytes(&n_minus(number + 1))).unwrap();
        for public in [key.public_key(), mirrored.public_key()] {
            let read = PublicKey::from_sec1(&public.to_sec1_compressed());
            assert_eq!(read, Ok(*public));
        }
    }
}

#[test]
fn any_flipped_bit_of_a_point_is_off_the_curve() {
    let point = example_key().public_key().to_sec1();
    for bit in 0..65 * 8 {
        let mut other = point;
        other[bit / 8] ^= 1 << (bit % 8);
        assert_eq!(PublicKey::from_sec1(&other), Err(InvalidKey));
    }
}

#[test]
fn coordinates_of_p_or_more_are_refused() {
    // x = 3 is the smallest x of a point; x + p is the same number modulo p.
    let found = (0..20u64).find_map(|x| {
        let x = [x, 0, 0, 0];
        let compressed = [&[2], &limbs::to_bytes(&x)[..]].concat();
        PublicKey::from_sec1(&compressed).ok().map(|key| (x, key))
    });
    let (x, key) = found.expect("a point with a small x");
    let wrapped = limbs::add(&P::VALUE, &x).0;
    let long = [&[4], &limbs::to_bytes(&wrapped)[..], &key.to_sec1()[33..]].concat();
    assert_eq!(PublicKey::from_sec1(&long), Err(InvalidKey));
    for tag in [2, 3] {
        let short = [&[tag], &limbs::to_bytes(&wrapped)[..]].concat();
        assert_eq!(PublicKey::from_sec1(&short), Err(InvalidKey));
    }
}

#[test]
fn half_of_all_x_have_no_point() {
    let refused = (0..64u64).filter(|x| {
        PublicKey::from_sec1(&[&[2], &limbs::to_bytes(&[*x, 0, 0, 1])[..]].concat()).is_err()
    });
    assert!((16..=48).contains(&refused.count()));
}

#[test]
fn debug_shows_nothing_of_a_private_key() {
    assert_eq!(format!("{:?}", example_key()), "PrivateKey(hidden)");
}

#[test]
fn new_key_that_is_no_pair_is_not_given_out() {
    let latch = Latch::new();
    let other = *PrivateKey::generate().unwrap().public_key();
    let pair = example_key().checked(&mut System, &latch).unwrap();
    assert!(latch.check().is_ok());
    let no_pair = pair.with_public_key(other);
    assert!(no_pair.checked(&mut System, &latch).is_err());
    assert!(latch.has_failed(SelfTest::KeyPair));
}
