//! The whole check of a code against a key ring: the first reason, or the very fields, whatever
//! the ring remembers.

use std::sync::LazyLock;

use sscard_codes::{CheckedCode, KeyRing, REMEMBERED_BYTES, Refusal, Request, check};

use super::Target;
use crate::choices::Choices;
use crate::code_bytes::{
    CREDENTIAL_SIZE, OFFLINE_CONTEXT, ONLINE_CONTEXT, TERMINAL, from_text, offline, online, ring,
    to_text,
};
use crate::code_model::{Truth, judge};
use crate::reached::Reached;

pub const TARGET: Target = Target {
    name: "code_check",
    stages: &[
        "accepted online",
        "accepted offline",
        "accepted offline, remembered",
        "malformed",
        "unknown_version",
        "unknown_key",
        "key_not_active",
        "bad_signature",
        "bad signature of the device",
        "credential_not_yet_valid",
        "credential_expired",
        "not_yet_valid",
        "expired",
        "purpose_mismatch",
        "offline_not_allowed",
        "terminal_mismatch",
        "amount_mismatch",
    ],
    run,
};

static KEYS: LazyLock<KeyRing> = LazyLock::new(|| ring(REMEMBERED_BYTES));
static FORGETFUL: LazyLock<KeyRing> = LazyLock::new(|| ring(0));

fn run(choices: &mut Choices<'_>, reached: &mut Reached) {
    let built = if choices.rarely(2) {
        offline(choices)
    } else {
        online(choices)
    };
    let request = request(choices, built.minted_at);
    let text = spoilt_text(choices, &built.bytes);
    // Whoever changes a byte that was signed has no signature for it.
    let bytes = from_text(&text).unwrap_or_default();
    let is_whole = bytes == built.bytes;
    let has_credential = bytes.len() > CREDENTIAL_SIZE
        && bytes.len() == built.bytes.len()
        && bytes[..CREDENTIAL_SIZE] == built.bytes[..CREDENTIAL_SIZE];
    let truth = Truth {
        no_keys: false,
        issuer_signed: built.issuer_signed && (is_whole || has_credential),
        device_signed: built.device_signed && is_whole,
    };
    let expected = judge(&text, &request, &truth);
    let remembered = KEYS.remembered().len();
    let answer = check(&text, &KEYS, &request);
    assert_eq!(answer, check(&text, &FORGETFUL, &request));
    reached.note(match (&answer, &expected) {
        (Ok(CheckedCode::Online(_)), _) => "accepted online",
        (Ok(CheckedCode::Offline(_)), _) if KEYS.remembered().len() == remembered => {
            "accepted offline, remembered"
        }
        (Ok(CheckedCode::Offline(_)), _) => "accepted offline",
        (Err(Refusal::BadSignature), _) if truth.issuer_signed => "bad signature of the device",
        (Err(refusal), _) => refusal.name(),
    });
    match (answer, expected) {
        (Ok(code), Ok(bytes)) => {
            let (context, message) = match code {
                CheckedCode::Online(code) => (ONLINE_CONTEXT, code.to_be_signed()),
                CheckedCode::Offline(code) => (OFFLINE_CONTEXT, code.to_be_signed()),
            };
            assert_eq!(message, [context, &bytes[..bytes.len() - 64]].concat());
        }
        (answer, expected) => assert_eq!(answer.err(), expected.err()),
    }
}

fn request(choices: &mut Choices<'_>, minted_at: u32) -> Request {
    let edges = [
        0, 0, 0, 0, 30, -5, -6, 65, 66, -30, -31, 90, 91, 3630, 3631, -82_830, -82_831,
    ];
    let now = match choices.byte() % 16 {
        15 => i64::from_be_bytes(choices.array()),
        14 => choices.one_of(&[i64::MIN, i64::MAX, 0, -1, 1 << 32]),
        8..=13 => i64::from(minted_at) + choices.one_of(&edges),
        _ => i64::from(minted_at),
    };
    Request {
        now,
        purpose: choices.one_of(&[1, 1, 1, 2, 2, 4, 0x100, 0, 3, 0x200, 0xffff]),
        consumes: choices.rarely(4),
        terminal: if choices.rarely(8) {
            choices.array()
        } else {
            TERMINAL
        },
        amount_fen: choices.one_of(&[None, Some(7), Some(7), Some(0x00ff_ffff), Some(0), Some(8)]),
    }
}

/// Mostly as it was built; else with bytes or digits changed.
fn spoilt_text(choices: &mut Choices<'_>, bytes: &[u8]) -> String {
    match choices.byte() % 16 {
        15 => {
            let mut bytes = bytes.to_vec();
            let position = choices.below(bytes.len());
            bytes[position] ^= choices.byte().max(1);
            to_text(&bytes)
        }
        14 => {
            let mut text = to_text(bytes);
            let position = usize::from(u16::from_be_bytes(choices.array())) % text.len();
            let digit = choices.one_of(&["0", "1", "2", "3", "4", "9", ""]);
            text.replace_range(position..=position, digit);
            text
        }
        _ => to_text(bytes),
    }
}
