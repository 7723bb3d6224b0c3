use std::collections::HashSet;

use super::{example_key, n_minus, n_plus, verify};
use crate::limbs::{self, Limbs};
use crate::random::{RandomSource, RandomSourceFailed, System};
use crate::scalar::Scalar;
use crate::sm2::nonce::random_scalar;
use crate::sm2::{EncryptionFailed, PrivateKey, Signature, SigningFailed};

/// A source that gives these numbers one after the other, then the last one for ever.
struct Scripted(Vec<Limbs>);

impl RandomSource for Scripted {
    fn fill(&mut self, bytes: &mut [u8]) -> Result<(), RandomSourceFailed> {
        let next = if self.0.len() > 1 {
            self.0.remove(0)
        } else {
            self.0[0]
        };
        bytes.copy_from_slice(&limbs::to_bytes(&next));
        Ok(())
    }
}

/// A source that fails.
struct Failing;

impl RandomSource for Failing {
    fn fill(&mut self, _: &mut [u8]) -> Result<(), RandomSourceFailed> {
        Err(RandomSourceFailed)
    }
}

/// k = s (1 + d) + r d, which whoever knows d can work out.
fn nonce_of(key: &PrivateKey, signature: &Signature) -> [u8; 32] {
    let d = key.scalar();
    let k = d
        .add(&Scalar::ONE)
        .multiply(&signature.s)
        .add(&d.multiply(&signature.r));
    k.to_bytes()
}

#[test]
fn stuck_source_still_gives_a_nonce_of_its_own_to_each_message_id_and_key() {
    let keys = [example_key(), PrivateKey::generate().unwrap()];
    let mut nonces = HashSet::new();
    for key in &keys {
        for id in [&b"one"[..], b"two"] {
            for message in 0..20u8 {
                let mut stuck = Scripted(vec![[7; 4]]);
                let signature = key.sign_with(&[message], id, &mut stuck).unwrap();
                assert_eq!(verify(key, &signature.to_bytes(), &[message], id), Ok(()));
                nonces.insert(nonce_of(key, &signature));
            }
        }
    }
    assert_eq!(nonces.len(), 80);
}

#[test]
fn same_message_twice_gets_two_nonces() {
    let key = example_key();
    let nonces: HashSet<_> = (0..50)
        .map(|_| nonce_of(&key, &key.sign(b"same", b"id").unwrap()))
        .collect();
    assert_eq!(nonces.len(), 50);
}

#[test]
fn nothing_is_made_without_randomness() {
    let key = example_key();
    assert_eq!(
        key.sign_with(b"message", b"id", &mut Failing).err(),
        Some(SigningFailed::RandomSource)
    );
    assert_eq!(
        key.public_key().encrypt_with(b"text", &mut Failing).err(),
        Some(EncryptionFailed::RandomSource)
    );
    assert_eq!(
        PrivateKey::generate_from(&mut Failing).err(),
        Some(RandomSourceFailed)
    );
}

#[test]
fn numbers_out_of_range_are_drawn_again_and_never_reduced() {
    for bad in [[0; 4], n_plus(0), n_plus(1), n_plus(2), [u64::MAX; 4]] {
        let drawn = random_scalar(&mut Scripted(vec![bad, bad, [9, 0, 0, 0]])).unwrap();
        assert_eq!(drawn.to_limbs(), [9, 0, 0, 0]);
        assert_eq!(
            random_scalar(&mut Scripted(vec![bad])).err(),
            Some(RandomSourceFailed)
        );
    }
    for good in [[1, 0, 0, 0], n_minus(1)] {
        assert_eq!(
            random_scalar(&mut Scripted(vec![good])).unwrap().to_limbs(),
            good
        );
    }
}

#[test]
fn new_key_is_between_1_and_n_minus_2() {
    for bad in [[0; 4], n_minus(1), n_plus(0), [u64::MAX; 4]] {
        let key = PrivateKey::generate_from(&mut Scripted(vec![bad, n_minus(2)])).unwrap();
        assert_eq!(*key.to_bytes(), limbs::to_bytes(&n_minus(2)));
        assert!(PrivateKey::generate_from(&mut Scripted(vec![bad])).is_err());
    }
}

#[test]
fn nonces_that_the_standard_sends_back_are_not_used() {
    let key = example_key();
    let k = Scalar::from_limbs(&[5, 0, 0, 0]);
    let x = crate::fixed_base::SECRET_GENERATOR
        .multiply(&k)
        .to_affine()
        .x
        .to_bytes();
    let x = Scalar::from_bytes_reduced(&x);
    // e is chosen for each case of steps A5 and A6: r = 0, r + k = n, s = 0 (k = r d).
    let inverse_d = key.scalar().invert();
    for r in [Scalar::ZERO, k.negate(), k.multiply(&inverse_d)] {
        assert!(key.sign_under(&r.sub(&x).to_bytes(), &k).is_none());
    }
    assert!(key.sign_under(&[1; 32], &k).is_some());
}

#[test]
fn encryption_uses_every_bit_of_its_nonce() {
    let key = example_key();
    for bit in 0..256 {
        // A number of its own for each bit, below n: the highest bits are cleared but for that one.
        let mut k = [0x5555_5555_5555_5555, 0xaaaa_aaaa_aaaa_aaaa, 0x0f0f, 0];
        k[bit / 64] ^= 1 << (bit % 64);
        let made = key
            .public_key()
            .encrypt_with(b"text", &mut Scripted(vec![k]))
            .unwrap();
        let expected = PrivateKey::from_bytes(&limbs::to_bytes(&k)).unwrap();
        assert_eq!(made.to_bytes()[..65], expected.public_key().to_sec1());
    }
}

#[test]
fn random_scalars_have_256_random_bits() {
    const COUNT: u32 = 4096;
    let mut ones = [0u32; 256];
    for _ in 0..COUNT {
        let bytes = random_scalar(&mut System).unwrap().to_bytes();
        for (bit, ones) in ones.iter_mut().enumerate() {
            *ones += u32::from(bytes[bit / 8] >> (7 - bit % 8) & 1);
        }
    }
    // Seven deviations of 32; n's own highest bits are ones, so that none of its bits is rarer.
    for ones in ones {
        assert!(ones.abs_diff(COUNT / 2) < 7 * 32, "{ones} of {COUNT}");
    }
}
