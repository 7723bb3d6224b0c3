//! SM2 signatures (GB/T 32918.2) by the textbook, for keys that are known.

use sscard_sm::sm2::PublicKey;
use sscard_sm::sm3::{self, Digest};

use crate::curve::{B, BASE, base_multiple, halves};
use crate::keys::{Known, Nonce};
use crate::number::{Modulo, N, Number, P};

/// e = SM3(Z, message); nothing for an id whose bits 16 bits can't count.
pub fn message_digest(key: &PublicKey, signer_id: &[u8], message: &[u8]) -> Option<Digest> {
    let bits = u16::try_from(signer_id.len() * 8).ok()?;
    let a = P.sub(Number::small(3)).0;
    let z = sm3::digest(
        &[
            &bits.to_be_bytes()[..],
            signer_id,
            &a.to_bytes(),
            &B,
            &BASE,
            &key.to_sec1()[1..],
        ]
        .concat(),
    );
    Some(sm3::digest(&[&z[..], message].concat()))
}

/// Steps A4 to A7; nothing when the standard asks for another nonce.
pub fn sign(key: &Known, nonce: &Nonce, e: &Digest) -> Option<[u8; 64]> {
    let n = Modulo(N);
    let r = n.add(n.reduce(Number::from_bytes(e)), n.reduce(nonce.x));
    // (k - r d) / (1 + d), by one multiplication.
    let sum = n.add(nonce.k, r);
    let s = n.sub(n.multiply(sum, key.inverse), r);
    let usable = r != Number::ZERO && s != Number::ZERO && sum != Number::ZERO;
    usable.then(|| join(r, s))
}

/// r and s in 64 bytes.
pub fn join(r: Number, s: Number) -> [u8; 64] {
    let mut signature = [0; 64];
    signature[..32].copy_from_slice(&r.to_bytes());
    signature[32..].copy_from_slice(&s.to_bytes());
    signature
}

/// r and s, both from 1 to n-1.
pub fn split(signature: &[u8]) -> Option<(Number, Number)> {
    let (r, s) = halves(signature.try_into().ok()?);
    let is_in_range = |half: &Number| *half != Number::ZERO && *half < N;
    (is_in_range(&r) && is_in_range(&s)).then_some((r, s))
}

/// Whether a signature of e verifies (section 7.1), by the private key: sG + tP = (s + td) G.
pub fn holds(d: Number, signature: &[u8], e: &Digest) -> bool {
    let Some((r, s)) = split(signature) else {
        return false;
    };
    let n = Modulo(N);
    let t = n.add(r, s);
    if t == Number::ZERO {
        return false;
    }
    let Some(point) = base_multiple(n.add(s, n.multiply(t, d))) else {
        return false;
    };
    let x = n.reduce(halves(&point).0);
    n.add(n.reduce(Number::from_bytes(e)), x) == r
}
