//! What is measured: for each operation, a class whose secret is the same and as extreme as it
//! may be, and a class whose secret is random.

use core::hint::black_box;

use sscard_sm::hmac;
use sscard_sm::sm2::{Ciphertext, PrivateKey};
use sscard_sm::sm3::Digest;
use sscard_sm::sm4::encrypt_once;

use crate::noise::Noise;

/// Keys that a class chooses from. The fixed class has as many, all alike, so that both classes
/// use the caches alike.
const KEYS: usize = 32;
/// Short work is done so often in one sample.
const REPEATS: usize = 8;

/// An operation under two classes of inputs.
pub(crate) trait Measured {
    /// Prepares one input for each class in a list.
    fn make_ready(&mut self, classes: &[bool], noise: &mut Noise);

    /// Works on one of them.
    fn run(&self, index: usize);
}

pub(crate) struct Target {
    pub(crate) name: &'static str,
    pub(crate) work: Box<dyn Measured>,
}

/// All targets; nothing if a key was refused.
pub(crate) fn all(noise: &mut Noise) -> Option<Vec<Target>> {
    let key = PrivateKey::from_bytes(&noise.scalar()).ok()?;
    let nonces = PrivateKey::from_bytes(&noise.scalar()).ok()?;
    let sealed = key.public_key().encrypt(b"plaintext").ok()?;
    let (mac_key, e) = (noise.bytes(), noise.bytes());
    let tag = hmac::hmac(&mac_key, &e);
    let leaky_tag = tag;
    let refused = sealed.to_bytes();
    let keyed_sign = move |key: &PrivateKey| {
        black_box(key.sign_digest(&e)).ok();
    };
    let keyed_decrypt = move |key: &PrivateKey| drop(black_box(key.decrypt(&sealed)));
    let targets = [
        target("sign, d", Keys::new(noise, keyed_sign)?),
        target(
            "sign, k",
            Inputs::new(extreme_nonce, {
                move |k| {
                    black_box(nonces.sign_digest_under(&e, k));
                }
            }),
        ),
        target("decrypt, d", Keys::new(noise, keyed_decrypt)?),
        target(
            "decrypt, C3",
            Inputs::new(move |class, noise| spoilt(&refused, class, noise), {
                move |bytes: &Vec<u8>| {
                    if let Ok(ciphertext) = Ciphertext::from_bytes(bytes) {
                        drop(black_box(key.decrypt(&ciphertext)));
                    }
                }
            }),
        ),
        target(
            "sm4, key",
            Inputs::new(extreme_bytes, |bytes: &Digest| {
                if let Some(key) = bytes.first_chunk() {
                    for _ in 0..REPEATS {
                        black_box(encrypt_once(black_box(key), key));
                    }
                }
            }),
        ),
        target(
            "hmac, tag",
            Inputs::new(move |class, noise| wrong(&tag, class, noise), {
                move |guess: &Digest| {
                    black_box(hmac::verify(&mac_key, &e, guess)).ok();
                }
            }),
        ),
        // The same class twice: what a machine shows where there is nothing.
        target(
            "noise floor",
            Inputs::new(|_, noise| noise.bytes(), {
                move |guess: &Digest| {
                    black_box(hmac::verify(&mac_key, &e, guess)).ok();
                }
            }),
        ),
        // A leak on purpose: if it does not show, nothing would.
        target(
            "leaky control",
            Inputs::new(move |class, noise| wrong(&leaky_tag, class, noise), {
                move |guess: &Digest| {
                    for _ in 0..REPEATS {
                        black_box(stops_at_a_difference(&leaky_tag, guess));
                    }
                }
            }),
        ),
    ];
    Some(targets.into())
}

fn target(name: &'static str, work: impl Measured + 'static) -> Target {
    let work = Box::new(work);
    Target { name, work }
}

/// 1, of which all windows but one are zero, or any nonce.
fn extreme_nonce(class: bool, noise: &mut Noise) -> [u8; 32] {
    let mut one = [0; 32];
    one[31] = 1;
    let random = noise.scalar();
    if class { random } else { one }
}

fn extreme_bytes(class: bool, noise: &mut Noise) -> Digest {
    let random = noise.bytes();
    if class { random } else { [0; 32] }
}

/// Wrong in its last byte, or a guess that is wrong from the beginning.
fn wrong(right: &Digest, class: bool, noise: &mut Noise) -> Digest {
    let random = noise.bytes();
    let mut last = *right;
    last[31] ^= 1;
    if class { random } else { last }
}

/// C3 is wrong in its last byte, or from the beginning.
fn spoilt(ciphertext: &[u8], class: bool, noise: &mut Noise) -> Vec<u8> {
    let mut bytes = ciphertext.to_vec();
    if let Some(c3) = bytes
        .get_mut(65..97)
        .and_then(|part| <&mut Digest>::try_from(part).ok())
    {
        *c3 = wrong(c3, class, noise);
    }
    bytes
}

fn stops_at_a_difference(right: &Digest, guess: &Digest) -> bool {
    right.iter().zip(guess).all(|(a, b)| black_box(*a) == *b)
}

/// An input is the secret itself.
struct Inputs<T, M, W> {
    make: M,
    work: W,
    ready: Vec<T>,
}

impl<T, M: Fn(bool, &mut Noise) -> T, W: Fn(&T)> Inputs<T, M, W> {
    fn new(make: M, work: W) -> Self {
        let ready = Vec::new();
        Self { make, work, ready }
    }
}

impl<T, M: Fn(bool, &mut Noise) -> T, W: Fn(&T)> Measured for Inputs<T, M, W> {
    fn make_ready(&mut self, classes: &[bool], noise: &mut Noise) {
        self.ready = classes
            .iter()
            .map(|class| (self.make)(*class, noise))
            .collect();
    }

    fn run(&self, index: usize) {
        if let Some(input) = self.ready.get(index) {
            (self.work)(input);
        }
    }
}

/// An input is one of the keys, which are made once.
struct Keys<W> {
    keys: [Vec<PrivateKey>; 2],
    work: W,
    ready: Vec<(usize, usize)>,
}

impl<W: Fn(&PrivateKey)> Keys<W> {
    fn new(noise: &mut Noise, work: W) -> Option<Self> {
        let mut keys = [Vec::new(), Vec::new()];
        for _ in 0..KEYS {
            // Made in turns, one class would always begin in the middle of a cache line.
            let first = noise.bit();
            for class in [first, !first] {
                let secret = extreme_nonce(class, noise);
                keys[usize::from(class)].push(PrivateKey::from_bytes(&secret).ok()?);
            }
        }
        let ready = Vec::new();
        Some(Self { keys, work, ready })
    }
}

impl<W: Fn(&PrivateKey)> Measured for Keys<W> {
    fn make_ready(&mut self, classes: &[bool], noise: &mut Noise) {
        self.ready = classes
            .iter()
            .map(|class| (usize::from(*class), usize::from(noise.bytes()[0]) % KEYS))
            .collect();
    }

    fn run(&self, index: usize) {
        if let Some(&(class, number)) = self.ready.get(index) {
            (self.work)(&self.keys[class][number]);
        }
    }
}
