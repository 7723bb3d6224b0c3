//! Ciphertexts as they travel: 04, x, y, C3, C2, and in DER.

use sscard_sm::sm2::Ciphertext;

use super::Target;
use crate::choices::Choices;
use crate::curve::{halves, is_on_curve};
use crate::der;
use crate::keys::KEYS;
use crate::number::Number;
use crate::reached::Reached;

pub const RAW: Target = Target {
    name: "ciphertext_raw",
    stages: &["accepted", "too short", "other form", "off the curve"],
    run: run_raw,
};

pub const DER: Target = Target {
    name: "ciphertext_der",
    stages: &[
        "accepted",
        "accepted long",
        "not DER",
        "off the curve",
        "other length",
    ],
    run: run_der,
};

/// x and y of C1, C3 and C2: mostly of a point of the curve.
fn parts(choices: &mut Choices<'_>) -> ([u8; 64], Vec<u8>, Vec<u8>) {
    let mut point = [0; 64];
    if choices.rarely(6) {
        point[..32].copy_from_slice(&choices.number().to_bytes());
        point[32..].copy_from_slice(&choices.number().to_bytes());
    } else {
        point.copy_from_slice(&KEYS[choices.below(KEYS.len())].public.to_sec1()[1..]);
    }
    let c3_size = if choices.rarely(12) {
        choices.below(40)
    } else {
        32
    };
    let c3 = choices.array::<40>()[..c3_size].to_vec();
    let c2_size = choices.one_of(&[0, 1, 2, 19, 20, 21, 32, 99, 127, 128, 200, 255, 256, 300]);
    let c2 = choices.array::<300>()[..c2_size].to_vec();
    (point, c3, c2)
}

fn run_raw(choices: &mut Choices<'_>, reached: &mut Reached) {
    let (point, c3, c2) = parts(choices);
    let form = if choices.rarely(12) {
        choices.byte()
    } else {
        4
    };
    let mut bytes = [&[form][..], &point, &c3, &c2].concat();
    if choices.rarely(3) {
        choices.spoil(&mut bytes);
    }
    let stage = match bytes.split_first_chunk::<65>() {
        None => "too short",
        Some((_, rest)) if rest.len() < 33 => "too short",
        Some((head, _)) if head[0] != 4 => "other form",
        Some(([_, point @ ..], _)) if !is_on_curve(point) => "off the curve",
        Some(_) => "accepted",
    };
    reached.note(stage);
    let answer = Ciphertext::from_bytes(&bytes);
    assert_eq!(answer.is_ok(), stage == "accepted");
    if let Ok(ciphertext) = answer {
        assert_eq!(ciphertext.to_bytes(), bytes);
        let again = Ciphertext::from_der(&ciphertext.to_der()).expect("what was written is read");
        assert_eq!(again.to_bytes(), bytes);
    }
}

fn run_der(choices: &mut Choices<'_>, reached: &mut Reached) {
    let bytes = if choices.rarely(6) {
        choices.rest().to_vec()
    } else {
        let (point, c3, c2) = parts(choices);
        let (x, y) = halves(&point);
        let integers = [x, y].map(|half| der::any_integer(choices, half));
        let strings = [&c3, &c2].map(|string| der::any_value(choices, 4, string));
        let content = [integers, strings].concat().concat();
        let mut bytes = der::any_value(choices, 0x30, &content);
        if choices.rarely(3) {
            choices.spoil(&mut bytes);
        }
        bytes
    };
    let (stage, raw) = judge(&bytes);
    reached.note(stage);
    let answer = Ciphertext::from_der(&bytes);
    assert_eq!(answer.is_ok(), raw.is_some(), "{stage}");
    if let (Ok(ciphertext), Some(raw)) = (answer, raw) {
        assert_eq!(ciphertext.to_bytes(), raw);
        assert_eq!(ciphertext.to_der(), bytes);
        assert!(Ciphertext::from_bytes(&raw).is_ok());
    }
}

fn written(x: Number, y: Number, c3: &[u8], c2: &[u8]) -> Vec<u8> {
    let integers = [x, y].map(der::integer).concat();
    let content = [integers, der::value(4, c3), der::value(4, c2)].concat();
    der::value(0x30, &content)
}

/// How far the bytes get, and their other form when they get to the end.
fn judge(bytes: &[u8]) -> (&'static str, Option<Vec<u8>>) {
    let read = || {
        let mut content = der::loose_value(&mut &*bytes)?;
        let (x, y) = (
            der::loose_integer(&mut content)?,
            der::loose_integer(&mut content)?,
        );
        let (c3, c2) = (
            der::loose_value(&mut content)?,
            der::loose_value(&mut content)?,
        );
        (written(x, y, c3, c2) == bytes).then_some((x, y, c3, c2))
    };
    let Some((x, y, c3, c2)) = read() else {
        return ("not DER", None);
    };
    let point: Vec<u8> = [x.to_bytes(), y.to_bytes()].concat();
    if c3.len() != 32 || c2.is_empty() {
        ("other length", None)
    } else if !is_on_curve(point[..].try_into().expect("64 bytes")) {
        ("off the curve", None)
    } else {
        let stage = if c2.len() < 128 {
            "accepted"
        } else {
            "accepted long"
        };
        (stage, Some([&[4], &point[..], c3, c2].concat()))
    }
}
