use super::{example_key, n_plus};
use crate::affine::AffinePoint;
use crate::kdf;
use crate::limbs;
use crate::scalar::Scalar;
use crate::sm2::{Ciphertext, DecryptionFailed, EncryptionFailed, PLAINTEXT_MAX, PrivateKey};
use crate::sm3;

fn decrypt(key: &PrivateKey, bytes: &[u8]) -> Result<Vec<u8>, DecryptionFailed> {
    key.decrypt(&Ciphertext::from_bytes(bytes)?)
        .map(|plaintext| plaintext.to_vec())
}

#[test]
fn every_length_comes_back() {
    let key = example_key();
    let text: Vec<u8> = (0..200).map(|i| i as u8).collect();
    for length in (1..100).chain([127, 128, 129, 200]) {
        let ciphertext = key.public_key().encrypt(&text[..length]).unwrap();
        assert_eq!(
            decrypt(&key, &ciphertext.to_bytes()),
            Ok(text[..length].to_vec())
        );
        let again = Ciphertext::from_der(&ciphertext.to_der()).unwrap();
        assert_eq!(again.to_bytes(), ciphertext.to_bytes());
    }
}

#[test]
fn empty_and_endless_plaintexts_are_refused() {
    let public = *example_key().public_key();
    assert_eq!(
        public.encrypt(&[]).err(),
        Some(EncryptionFailed::EmptyPlaintext)
    );
    let long = vec![0; PLAINTEXT_MAX + 1];
    assert_eq!(
        public.encrypt(&long).err(),
        Some(EncryptionFailed::PlaintextTooLong)
    );
    let mut bytes = public.encrypt(b"text").unwrap().to_bytes();
    bytes.resize(97 + PLAINTEXT_MAX + 1, 0);
    assert!(Ciphertext::from_bytes(&bytes).is_err());
}

#[test]
fn any_flipped_bit_is_refused() {
    let key = example_key();
    let good = key
        .public_key()
        .encrypt(b"sixteen bytes...")
        .unwrap()
        .to_bytes();
    for bit in (0..good.len() * 8).step_by(5) {
        let mut bad = good.clone();
        bad[bit / 8] ^= 1 << (bit % 8);
        assert_eq!(decrypt(&key, &bad), Err(DecryptionFailed));
    }
}

#[test]
fn cut_at_every_byte_it_is_refused() {
    let key = example_key();
    let ciphertext = key.public_key().encrypt(b"text").unwrap();
    let (raw, der) = (ciphertext.to_bytes(), ciphertext.to_der());
    for length in 0..raw.len() {
        assert_eq!(decrypt(&key, &raw[..length]), Err(DecryptionFailed));
    }
    for length in 0..der.len() {
        assert!(Ciphertext::from_der(&der[..length]).is_err());
    }
    assert_eq!(
        decrypt(&key, &[&raw[..], &[0]].concat()),
        Err(DecryptionFailed)
    );
    assert!(Ciphertext::from_der(&[&der[..], &[0]].concat()).is_err());
}

#[test]
fn older_order_and_other_keys_are_refused() {
    let key = example_key();
    let good = key
        .public_key()
        .encrypt(b"some text of the old order")
        .unwrap();
    let old = [&good.to_bytes()[..65], &good.c2, &good.c3].concat();
    assert_eq!(decrypt(&key, &old), Err(DecryptionFailed));
    let other = PrivateKey::generate().unwrap();
    assert_eq!(decrypt(&other, &good.to_bytes()), Err(DecryptionFailed));
}

/// A ciphertext with its own C1 and shared point, C3 and C2 as they should be.
fn consistent(c1: &[u8; 64], shared: &AffinePoint, plaintext: &[u8]) -> Vec<u8> {
    let shared = shared.to_coordinates();
    let mut c2 = vec![0; plaintext.len()];
    kdf::fill(&shared, &mut c2);
    c2.iter_mut()
        .zip(plaintext)
        .for_each(|(masked, byte)| *masked ^= byte);
    let c3 = sm3::digest(&[&shared[..32], plaintext, &shared[32..]].concat());
    [&[4], &c1[..], &c3, &c2].concat()
}

#[test]
fn point_off_the_curve_is_refused_even_when_all_else_fits() {
    // With b left out of the formulas, (x, y) with another y lies on a weaker curve. The sender
    // knows d here, so C3 and C2 would pass if the curve were not checked first.
    let key = example_key();
    let mut point = key.public_key().point;
    point.y = point.y.add(&point.y);
    let off = crate::multiply::secret_multiple(key.scalar(), &point).to_affine();
    let bytes = consistent(&point.to_coordinates(), &off, b"text");
    assert_eq!(decrypt(&key, &bytes), Err(DecryptionFailed));

    // The same construction on the curve is accepted: the refusal is the curve's doing.
    let point = key.public_key().point;
    let on = crate::multiply::secret_multiple(key.scalar(), &point).to_affine();
    let bytes = consistent(&point.to_coordinates(), &on, b"text");
    assert_eq!(decrypt(&key, &bytes), Ok(b"text".to_vec()));
}

#[test]
fn coordinates_of_zero_or_beyond_p_are_refused() {
    let key = example_key();
    let good = key.public_key().encrypt(b"text").unwrap().to_bytes();
    for bad in [[0; 32], [0xff; 32], limbs::to_bytes(&n_plus(0))] {
        for start in [1, 33] {
            let mut bytes = good.clone();
            bytes[start..start + 32].copy_from_slice(&bad);
            assert_eq!(decrypt(&key, &bytes), Err(DecryptionFailed));
        }
    }
    let mut infinity = good.clone();
    infinity[1..65].fill(0);
    assert_eq!(decrypt(&key, &infinity), Err(DecryptionFailed));
}

#[test]
fn key_stream_of_zeros_is_never_used_or_accepted() {
    // One k in 256 hides a single byte under nothing. The standard sends such a k back.
    let key = example_key();
    let public = key.public_key();
    let bare = (1..5000u64)
        .map(|k| Scalar::from_limbs(&[k, 0, 0, 0]))
        .find(|k| public.encrypt_under(b"x", k).is_none())
        .expect("a k with an empty stream");
    let c1 = crate::fixed_base::SECRET_GENERATOR
        .multiply(&bare)
        .to_affine();
    let shared = crate::multiply::secret_multiple(&bare, &public.point).to_affine();
    let bytes = consistent(&c1.to_coordinates(), &shared, b"x");
    assert_eq!(bytes.last(), Some(&b'x'));
    assert_eq!(decrypt(&key, &bytes), Err(DecryptionFailed));
}
