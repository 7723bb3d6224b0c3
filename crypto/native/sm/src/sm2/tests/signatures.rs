use super::{example_key, n_minus, n_plus, verify};
use crate::affine::GENERATOR;
use crate::field::FieldElement;
use crate::jacobian::Jacobian;
use crate::limbs::{self, Limbs};
use crate::scalar::Scalar;
use crate::sm2::verifier::{signed_scalars, verify_sum};
use crate::sm2::{InvalidSignature, PublicKey, SIGNER_ID_MAX, Signature, SigningFailed};

const REFUSED: Result<(), InvalidSignature> = Err(InvalidSignature);

fn signature(r: &Limbs, s: &Limbs) -> Vec<u8> {
    [limbs::to_bytes(r), limbs::to_bytes(s)].concat()
}

#[test]
fn any_flipped_bit_of_a_signature_or_message_is_refused() {
    let key = example_key();
    let (message, id) = (*b"a message of 32 bytes, as it is.", b"id");
    let good = key.sign(&message, id).unwrap().to_bytes();
    assert_eq!(verify(&key, &good, &message, id), Ok(()));
    for bit in (0..512).step_by(3) {
        let mut bad = good;
        bad[bit / 8] ^= 1 << (bit % 8);
        assert_eq!(key.public_key().verify(&bad, &message, id), REFUSED);
    }
    for bit in (0..256).step_by(3) {
        let mut other = message;
        other[bit / 8] ^= 1 << (bit % 8);
        assert_eq!(key.public_key().verify(&good, &other, id), REFUSED);
    }
}

#[test]
fn halves_out_of_range_are_refused_before_any_reduction() {
    let key = example_key();
    let good = key.sign(b"message", b"id").unwrap();
    let (r, s) = (good.r.to_limbs(), good.s.to_limbs());
    for out in [[0; 4], n_plus(0), n_plus(1), [u64::MAX; 4]] {
        assert_eq!(
            verify(&key, &signature(&out, &s), b"message", b"id"),
            REFUSED
        );
        assert_eq!(
            verify(&key, &signature(&r, &out), b"message", b"id"),
            REFUSED
        );
        assert!(Signature::from_bytes(&signature(&out, &s)).is_err());
        assert!(Signature::from_bytes(&signature(&r, &out)).is_err());
    }
    assert_eq!(verify(&key, &signature(&s, &r), b"message", b"id"), REFUSED);
    let mirrored = good.s.negate().to_limbs();
    assert_eq!(
        verify(&key, &signature(&r, &mirrored), b"message", b"id"),
        REFUSED
    );
}

#[test]
fn small_r_that_comes_back_with_n_added_is_refused() {
    // With e = r - x(kG) the signature of any wanted r is valid, 1 here; r + n is no other name.
    let key = example_key();
    let (k, r) = (Scalar::from_limbs(&[77, 0, 0, 0]), Scalar::ONE);
    let x = crate::fixed_base::SECRET_GENERATOR
        .multiply(&k)
        .to_affine()
        .x
        .to_bytes();
    let e = r.sub(&Scalar::from_bytes_reduced(&x)).to_bytes();
    let signed = key.sign_under(&e, &k).unwrap();
    assert_eq!(signed.r.to_limbs(), [1, 0, 0, 0]);
    let bytes = signature(&n_plus(1), &signed.s.to_limbs());
    assert!(Signature::from_bytes(&bytes).is_err());
}

#[test]
fn sum_of_halves_equal_to_n_is_refused() {
    let key = example_key();
    for r in [[1, 0, 0, 0], [12_345, 6, 7, 8], n_minus(1)] {
        let bytes = signature(&r, &limbs::sub(&n_plus(0), &r).0);
        assert!(Signature::from_bytes(&bytes).is_ok());
        assert!(signed_scalars(&bytes).is_err());
        assert_eq!(verify(&key, &bytes, b"message", b"id"), REFUSED);
    }
}

#[test]
fn infinity_as_the_sum_is_refused() {
    // s G + t P = O for s = -r d / (1 + d), whatever the message.
    let key = example_key();
    let d = key.scalar();
    let r = Scalar::from_limbs(&[99, 0, 0, 0]);
    let inverse = d.add(&Scalar::ONE).invert();
    let s = r.multiply(d).multiply(&inverse).negate();
    let forged = signature(&r.to_limbs(), &s.to_limbs());
    assert_eq!(verify(&key, &forged, b"message", b"id"), REFUSED);
    assert_eq!(verify_sum(&Jacobian::INFINITY, &r, &[0; 32]), REFUSED);
}

#[test]
fn x_between_n_and_p_is_reduced_for_the_comparison() {
    // The first such x on the curve; a verification that compares x alone would refuse it.
    let (x, y) = (0..50)
        .find_map(|more| {
            let x = limbs::to_bytes(&n_plus(more));
            let key = PublicKey::from_sec1(&[&[2], &x[..]].concat()).ok()?;
            Some((key.point.x, key.point.y))
        })
        .expect("a point with x of n or more");
    let z = FieldElement::from_limbs(&[5, 0, 0, 0]);
    let zz = z.square();
    let sum = Jacobian {
        x: x.multiply(&zz),
        y: y.multiply(&zz).multiply(&z),
        z,
    };
    let digest = [7; 32];
    let e = Scalar::from_bytes_reduced(&digest);
    let reduced = Scalar::from_bytes_reduced(&x.to_bytes());
    assert_eq!(verify_sum(&sum, &e.add(&reduced), &digest), Ok(()));
    let next = e.add(&reduced).add(&Scalar::ONE);
    assert_eq!(verify_sum(&sum, &next, &digest), REFUSED);
    assert_eq!(
        verify_sum(&Jacobian::from(GENERATOR), &e.add(&reduced), &digest),
        REFUSED
    );
}

#[test]
fn other_lengths_are_refused() {
    let key = example_key();
    let good = key.sign(b"message", b"id").unwrap().to_bytes();
    for length in 0..64 {
        assert_eq!(
            key.public_key().verify(&good[..length], b"message", b"id"),
            REFUSED
        );
    }
    assert_eq!(
        verify(&key, &[&good[..], &[0]].concat(), b"message", b"id"),
        REFUSED
    );
    let der = Signature::from_bytes(&good).unwrap().to_der();
    assert_eq!(verify(&key, &der, b"message", b"id"), REFUSED);
}

#[test]
fn signer_id_is_part_of_what_is_signed() {
    let key = example_key();
    let longest = vec![b'i'; SIGNER_ID_MAX];
    for id in [&b""[..], b"id", &longest] {
        let signed = key.sign(b"message", id).unwrap().to_bytes();
        assert_eq!(verify(&key, &signed, b"message", id), Ok(()));
        assert_eq!(verify(&key, &signed, b"message", b"other"), REFUSED);
    }
    let too_long = vec![b'i'; SIGNER_ID_MAX + 1];
    assert_eq!(
        key.sign(b"m", &too_long).err(),
        Some(SigningFailed::SignerIdTooLong)
    );
    let signed = key.sign(b"m", b"").unwrap().to_bytes();
    assert_eq!(verify(&key, &signed, b"m", &too_long), REFUSED);
}
