//! Signatures as they travel: r and s in 64 bytes, and in DER.

use sscard_sm::sm2::Signature;

use super::Target;
use crate::choices::Choices;
use crate::der;
use crate::number::{N, Number};
use crate::reached::Reached;
use crate::signing::{join, split};

pub const RAW: Target = Target {
    name: "signature_raw",
    stages: &["accepted", "other length", "out of range"],
    run: run_raw,
};

pub const DER: Target = Target {
    name: "signature_der",
    stages: &["accepted", "not DER", "out of range"],
    run: run_der,
};

fn run_raw(choices: &mut Choices<'_>, reached: &mut Reached) {
    let mut bytes = join(choices.number(), choices.number()).to_vec();
    choices.spoil(&mut bytes);
    let answer = Signature::from_bytes(&bytes);
    assert_eq!(answer.is_ok(), split(&bytes).is_some());
    let Ok(signature) = answer else {
        reached.note(if bytes.len() == 64 {
            "out of range"
        } else {
            "other length"
        });
        return;
    };
    reached.note("accepted");
    assert_eq!(signature.to_bytes()[..], bytes);
    let again = Signature::from_der(&signature.to_der()).expect("what was written is read");
    assert_eq!(again.to_bytes()[..], bytes);
}

fn run_der(choices: &mut Choices<'_>, reached: &mut Reached) {
    let bytes = if choices.rarely(4) {
        choices.rest().to_vec()
    } else {
        let (r, s) = (choices.number(), choices.number());
        let halves = [r, s].map(|half| der::any_integer(choices, half));
        let mut bytes = der::any_value(choices, 0x30, &halves.concat());
        choices.spoil(&mut bytes);
        bytes
    };
    let meant = strict(&bytes);
    let answer = Signature::from_der(&bytes);
    let in_range = |half: Number| half != Number::ZERO && half < N;
    match (meant, answer) {
        (None, Err(_)) => reached.note("not DER"),
        (Some((r, s)), Err(_)) if !in_range(r) || !in_range(s) => reached.note("out of range"),
        (Some((r, s)), Ok(signature)) if in_range(r) && in_range(s) => {
            reached.note("accepted");
            assert_eq!(signature.to_bytes(), join(r, s));
            assert_eq!(signature.to_der(), bytes);
        }
        (meant, answer) => panic!("{meant:?}, and yet accepted: {}", answer.is_ok()),
    }
}

/// r and s, when the bytes are their one encoding.
fn strict(bytes: &[u8]) -> Option<(Number, Number)> {
    let mut content = der::loose_value(&mut &*bytes)?;
    let r = der::loose_integer(&mut content)?;
    let s = der::loose_integer(&mut content)?;
    (der::value(0x30, &[r, s].map(der::integer).concat()) == bytes).then_some((r, s))
}
