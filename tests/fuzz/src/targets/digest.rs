//! Verification of e itself, where any r and s can be made good by a fitting e: so the corners
//! are reached that no message leads to.

use sscard_sm::sm2::{PrivateKey, PublicKey};

use super::Target;
use crate::choices::Choices;
use crate::curve::{base_multiple, halves};
use crate::keys::{KEYS, Known, NONCES};
use crate::number::{Modulo, N, Number};
use crate::reached::Reached;
use crate::signing::{holds, join, sign, split};

pub const TARGET: Target = Target {
    name: "verify_digest",
    stages: &[
        "accepted any",
        "accepted doubling",
        "refused",
        "refused infinity",
        "refused t = 0",
        "out of range",
        "accepted e of n or more",
    ],
    run,
};

struct Corner {
    name: &'static str,
    r: Number,
    s: Number,
    e: Number,
}

fn run(choices: &mut Choices<'_>, reached: &mut Reached) {
    let known = &KEYS[choices.below(KEYS.len())];
    let other = choices.rarely(4).then(|| other_key(choices)).flatten();
    let (d, key) = other
        .as_ref()
        .map_or((known.d, &known.public), |(d, key)| (*d, key));
    let corner = match choices.byte() % 8 {
        7 if other.is_none() => large_digest(choices, known),
        _ => corner(choices, d),
    };
    let (signature, e) = (join(corner.r, corner.s), corner.e.to_bytes());
    let expected = holds(d, &signature, &e);
    assert_eq!(key.verify_digest(&signature, &e).is_ok(), expected);
    if other.is_none() {
        assert_eq!(
            known.verifier.verify_digest(&signature, &e).is_ok(),
            expected
        );
    }
    reached.note(match (expected, corner.name) {
        (true, "doubling") => "accepted doubling",
        (true, _) if corner.e >= N => "accepted e of n or more",
        (true, _) => "accepted any",
        (false, _) if split(&signature).is_none() => "out of range",
        (false, "infinity") => "refused infinity",
        (false, "t = 0") => "refused t = 0",
        (false, _) => "refused",
    });
}

fn other_key(choices: &mut Choices<'_>) -> Option<(Number, PublicKey)> {
    let d = choices.number();
    let private = PrivateKey::from_bytes(&d.to_bytes()).ok()?;
    Some((d, *private.public_key()))
}

/// r and s for which there is something special, with the e that fits in most cases.
fn corner(choices: &mut Choices<'_>, d: Number) -> Corner {
    let n = Modulo(N);
    let kind = choices.byte() % 8;
    let t = n.reduce(choices.number());
    let td = n.multiply(t, d);
    let (name, r, s) = match kind {
        // sG + tP = O
        7 => ("infinity", n.add(t, td), n.sub(Number::ZERO, td)),
        // sG = tP
        6 => ("doubling", n.sub(t, td), td),
        5 => ("t = 0", t, n.sub(Number::ZERO, t)),
        _ => ("any", choices.number(), choices.number()),
    };
    let t = n.add(n.reduce(r), n.reduce(s));
    let k = n.add(n.reduce(s), n.multiply(t, d));
    let x = base_multiple(k).map_or(Number::ZERO, |point| halves(&point).0);
    let fitting = n.sub(n.reduce(r), n.reduce(x));
    let e = match choices.byte() % 8 {
        7 => choices.number(),
        6 => n.add(fitting, Number::small(u64::from(choices.byte()))),
        _ => fitting,
    };
    Corner { name, r, s, e }
}

/// A good signature of a small e, which n more is another name of.
fn large_digest(choices: &mut Choices<'_>, key: &Known) -> Corner {
    let small = Number::small(u64::from_be_bytes(choices.array()));
    let nonce = &NONCES[choices.below(NONCES.len())];
    let signature = sign(key, nonce, &small.to_bytes());
    let (r, s) = halves(&signature.unwrap_or([0; 64]));
    Corner {
        name: "any",
        r,
        s,
        e: small.add(N).0,
    }
}
