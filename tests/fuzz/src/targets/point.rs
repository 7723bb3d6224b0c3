//! Public keys: SEC 1 points.

use sscard_sm::sm2::PublicKey;

use super::Target;
use crate::choices::Choices;
use crate::curve::{base_multiple, halves, has_point, is_on_curve};
use crate::keys::KEYS;
use crate::number::{Modulo, N, Number};
use crate::reached::Reached;

pub const TARGET: Target = Target {
    name: "point",
    stages: &[
        "accepted",
        "accepted compressed",
        "other form",
        "off the curve",
        "no point there",
    ],
    run,
};

fn run(choices: &mut Choices<'_>, reached: &mut Reached) {
    let bytes = point_bytes(choices);
    let answer = PublicKey::from_sec1(&bytes);
    let expected = match (bytes.first(), bytes.len()) {
        (Some(2 | 3), 33) => {
            let is_there = has_point(x_of(&bytes));
            reached.note(if is_there {
                "accepted compressed"
            } else {
                "no point there"
            });
            is_there
        }
        (Some(4), 65) => {
            let coordinates = bytes[1..].try_into().expect("64 bytes");
            let is_there = is_on_curve(coordinates);
            reached.note(if is_there {
                "accepted"
            } else {
                "off the curve"
            });
            is_there
        }
        _ => {
            reached.note("other form");
            false
        }
    };
    assert_eq!(answer.is_ok(), expected);
    let Ok(key) = answer else { return };
    let (whole, compressed) = (key.to_sec1(), key.to_sec1_compressed());
    assert!(bytes == whole || bytes == compressed);
    let coordinates = whole[1..].try_into().expect("64 bytes");
    assert!(is_on_curve(coordinates));
    let (x, y) = halves(coordinates);
    assert_eq!(compressed[0], 2 + u8::from(y.is_odd()));
    assert_eq!(compressed[1..], x.to_bytes());
    assert_eq!(PublicKey::from_sec1(&whole), Ok(key));
    assert_eq!(PublicKey::from_sec1(&compressed), Ok(key));
}

/// A form byte and coordinates: of a point, of one spoilt, or any.
fn point_bytes(choices: &mut Choices<'_>) -> Vec<u8> {
    let kind = choices.byte() % 8;
    let mut bytes = match kind {
        7 => return choices.rest().to_vec(),
        6 => {
            let tag = choices.one_of(&[2, 3, 4, 6, 7, 0]);
            [
                &[tag][..],
                &choices.number().to_bytes(),
                &choices.number().to_bytes(),
            ]
            .concat()
        }
        4 | 5 => {
            let tag = choices.one_of(&[2, 3]);
            [&[tag][..], &choices.number().to_bytes()].concat()
        }
        3 => {
            let k = Modulo(N).reduce(choices.number());
            let coordinates = base_multiple(k).unwrap_or([0; 64]);
            let tag = choices.one_of(&[4, 4, 6, 7, 2, 0]);
            [&[tag][..], &coordinates].concat()
        }
        _ => {
            let key = &KEYS[choices.below(KEYS.len())].public;
            if choices.rarely(2) {
                key.to_sec1().to_vec()
            } else {
                key.to_sec1_compressed().to_vec()
            }
        }
    };
    if choices.rarely(3) {
        choices.spoil(&mut bytes);
    }
    bytes
}

fn x_of(bytes: &[u8]) -> Number {
    Number::from_bytes(bytes[1..].try_into().expect("32 bytes"))
}
