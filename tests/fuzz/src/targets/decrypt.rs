//! Decryption: what the textbook encrypted comes back, and of all else nothing does.

use sscard_sm::sm2::{Ciphertext, DecryptionFailed};
use sscard_sm::{kdf, sm3};

use super::Target;
use crate::choices::Choices;
use crate::curve::base_multiple;
use crate::keys::{KEYS, Known};
use crate::number::{Modulo, N, Number};
use crate::reached::Reached;

pub const TARGET: Target = Target {
    name: "decrypt",
    stages: &[
        "decrypted",
        "own encryption",
        "not parsed",
        "no stream",
        "spoilt",
        "older order",
    ],
    run,
};

fn run(choices: &mut Choices<'_>, reached: &mut Reached) {
    let key = &KEYS[choices.below(KEYS.len())];
    let kind = choices.byte() % 8;
    let k = Modulo(N).reduce(choices.number());
    // Of a single byte the key stream is zero once in 256 times.
    let size = choices.one_of(&[1, 1, 1, 2, 20, 33, 97, 200]);
    let mut plaintext = vec![0; size];
    let given = choices.up_to(size);
    plaintext[..given.len()].copy_from_slice(given);
    if kind == 7 {
        return own_encryption(key, &plaintext, reached);
    }
    let Some((good, has_stream)) = encrypt(key, k, &plaintext) else {
        return;
    };
    let mut bytes = good.clone();
    let mut stage = "spoilt";
    match kind {
        6 => {
            // C1 C2 C3, the order of 2010
            bytes[65..].rotate_left(32);
            stage = "older order";
        }
        3..=5 => choices.spoil(&mut bytes),
        _ => {}
    }
    let answer = Ciphertext::from_bytes(&bytes).map(|parsed| key.private.decrypt(&parsed));
    let expected = bytes == good && has_stream;
    match answer {
        Err(DecryptionFailed) => {
            assert!(bytes != good);
            reached.note("not parsed");
        }
        Ok(Ok(decrypted)) => {
            assert!(expected, "{stage}");
            assert_eq!(*decrypted, plaintext);
            reached.note("decrypted");
        }
        Ok(Err(DecryptionFailed)) => {
            assert!(!expected);
            reached.note(if bytes == good { "no stream" } else { stage });
        }
    }
}

fn own_encryption(key: &Known, plaintext: &[u8], reached: &mut Reached) {
    let ciphertext = key.public.encrypt(plaintext).expect("there is randomness");
    let parsed = Ciphertext::from_der(&ciphertext.to_der()).expect("what was written is read");
    let decrypted = key
        .private
        .decrypt(&parsed)
        .expect("it was encrypted to this key");
    assert_eq!(*decrypted, plaintext);
    reached.note("own encryption");
}

/// Section 6.1 of GB/T 32918.4 with a given k, and whether the key stream has a bit set.
///
/// d is known, so the shared point is (k d) G.
fn encrypt(key: &Known, k: Number, plaintext: &[u8]) -> Option<(Vec<u8>, bool)> {
    let c1 = base_multiple(k)?;
    let shared = base_multiple(Modulo(N).multiply(k, key.d))?;
    let mut c2 = vec![0; plaintext.len()];
    kdf::fill(&shared, &mut c2);
    let has_stream = c2.iter().any(|byte| *byte != 0);
    for (masked, byte) in c2.iter_mut().zip(plaintext) {
        *masked ^= byte;
    }
    let c3 = sm3::digest(&[&shared[..32], plaintext, &shared[32..]].concat());
    Some(([&[4], &c1[..], &c3, &c2].concat(), has_stream))
}
