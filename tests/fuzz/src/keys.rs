//! A few keys and nonces, known in full.

use std::sync::LazyLock;

use sscard_sm::sm2::{PrivateKey, PublicKey, Verifier};
use sscard_sm::sm3;

use crate::curve::{base_multiple, halves};
use crate::number::{Modulo, N, Number};

pub struct Known {
    pub d: Number,
    /// 1 / (1 + d).
    pub inverse: Number,
    pub private: PrivateKey,
    pub public: PublicKey,
    pub verifier: Verifier,
}

impl Known {
    fn new(d: Number) -> Self {
        let private = PrivateKey::from_bytes(&d.to_bytes()).expect("1 to n-2");
        let public = *private.public_key();
        Self {
            d,
            inverse: Modulo(N).invert(Modulo(N).add(d, Number::ONE)),
            private,
            public,
            verifier: Verifier::new(public),
        }
    }
}

/// k and x of k G.
pub struct Nonce {
    pub k: Number,
    pub x: Number,
}

impl Nonce {
    pub fn new(k: Number) -> Option<Self> {
        let (x, _) = halves(&base_multiple(k)?);
        Some(Self { k, x })
    }
}

/// Both ends of the range, and numbers without a pattern.
fn scalars(label: u8) -> Vec<Number> {
    let mut scalars = vec![Number::ONE, Number::small(2), N.sub(Number::small(2)).0];
    scalars.extend(
        (0..9).map(|index| Modulo(N).reduce(Number::from_bytes(&sm3::digest(&[label, index])))),
    );
    scalars
}

pub static KEYS: LazyLock<Vec<Known>> =
    LazyLock::new(|| scalars(b'd').into_iter().map(Known::new).collect());

/// Used again and again, as nonces never are where a key is secret.
pub static NONCES: LazyLock<Vec<Nonce>> =
    LazyLock::new(|| scalars(b'k').into_iter().filter_map(Nonce::new).collect());
