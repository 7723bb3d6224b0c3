//! The text of a code, up to its keys: text to bytes to fields, and back to the same text.

use std::sync::LazyLock;

use sscard_codes::{KeyRing, OfflineCode, Refusal, Request, assemble, assemble_credential, check};

use super::Target;
use crate::choices::Choices;
use crate::code_bytes::{
    CREDENTIAL_CONTEXT, CREDENTIAL_SIZE, NOW, OFFLINE_CONTEXT, OFFLINE_SIZE, ONLINE_CONTEXT,
    ONLINE_SIZE, TERMINAL, from_text, to_text,
};
use crate::code_model::{Truth, judge};
use crate::reached::Reached;

pub const TARGET: Target = Target {
    name: "code_text",
    stages: &[
        "no code",
        "malformed",
        "unknown version",
        "read online",
        "read offline",
    ],
    run,
};

static NO_KEYS: LazyLock<KeyRing> = LazyLock::new(|| KeyRing::new(&[]).expect("none is fine"));

const NOTHING_KNOWN: Truth = Truth {
    no_keys: true,
    issuer_signed: false,
    device_signed: false,
};

const REQUEST: Request = Request {
    now: NOW as i64,
    purpose: 1,
    consumes: false,
    terminal: TERMINAL,
    amount_fen: None,
};

fn run(choices: &mut Choices<'_>, reached: &mut Reached) {
    let text = text(choices);
    let answer = check(&text, &NO_KEYS, &REQUEST).err();
    assert_eq!(answer, judge(&text, &REQUEST, &NOTHING_KNOWN).err());
    let bytes = from_text(&text);
    let is_read = answer == Some(Refusal::UnknownKey);
    if let Some(bytes) = &bytes {
        write_again(&text, bytes, is_read);
    }
    reached.note(match (answer, &bytes) {
        (_, None) => "no code",
        (Some(Refusal::UnknownVersion), _) => "unknown version",
        (Some(Refusal::UnknownKey), Some(bytes)) if bytes.len() == ONLINE_SIZE => "read online",
        (Some(Refusal::UnknownKey), _) => "read offline",
        _ => "malformed",
    });
}

/// What was read is assembled to the same text, and what was refused is not assembled at all.
fn write_again(text: &str, bytes: &[u8], is_read: bool) {
    let context = if bytes.len() == ONLINE_SIZE {
        ONLINE_CONTEXT
    } else {
        OFFLINE_CONTEXT
    };
    let (body, signature) = bytes.split_last_chunk().expect("longer than a signature");
    let again = assemble(&[context, body].concat(), signature).ok();
    assert_eq!(again.as_deref(), is_read.then_some(text));
    if bytes.len() == OFFLINE_SIZE {
        let credential = &bytes[..CREDENTIAL_SIZE];
        let (body, signature) = credential
            .split_last_chunk()
            .expect("longer than a signature");
        let again = assemble_credential(&[CREDENTIAL_CONTEXT, body].concat(), signature).ok();
        let parts = OfflineCode::read_credential(credential).ok();
        assert_eq!(again.is_some(), parts.is_some());
        assert!(again.is_some() || !is_read);
        if let (Some(again), Some((fields, kept))) = (again, parts) {
            assert_eq!(again, credential);
            assert_eq!(fields.to_be_signed(), [CREDENTIAL_CONTEXT, body].concat());
            assert_eq!(kept, *signature);
        }
    }
}

/// Any text, any digits, or the text of bytes whose fields are mostly defined.
fn text(choices: &mut Choices<'_>) -> String {
    let kind = choices.byte() % 16;
    let mut text = match kind {
        15 => return String::from_utf8_lossy(choices.rest()).into_owned(),
        14 => {
            let size = choices.one_of(&[248, 249, 250, 488, 489, 490, 508, 509]);
            let digits = choices.array::<509>();
            let digits = digits[..size]
                .iter()
                .map(|byte| char::from(b'0' + byte % 10));
            ["7406"]
                .into_iter()
                .map(String::from)
                .chain(digits.map(String::from))
                .collect()
        }
        0..=6 => {
            let mut bytes = choices.array::<ONLINE_SIZE>();
            define(&mut bytes, 0x11, 8, 12, kind);
            to_text(&bytes)
        }
        _ => {
            let mut bytes = choices.array::<OFFLINE_SIZE>();
            define(&mut bytes, 0x12, 117, 128, kind);
            bytes[8] = 1 + bytes[8] % 2;
            bytes[9] &= 1;
            bytes[16] = 2 + bytes[16] % 2;
            to_text(&bytes)
        }
    };
    // Half of the texts stay as they are.
    if choices.rarely(2) {
        for _ in 0..choices.below(3) {
            let position = usize::from(u16::from_be_bytes(choices.array())) % text.len();
            let digit = choices.one_of(&["0", "1", "9", "5", "", "00", "a", "-", " ", "０", "\0"]);
            if text.is_char_boundary(position) && text.is_char_boundary(position + 1) {
                text.replace_range(position..=position, digit);
            }
        }
    }
    text
}

/// Gives most fields a value that is defined, and leaves one kind of input as it came.
fn define(bytes: &mut [u8], version: u8, scope: usize, terminal: usize, kind: u8) {
    if kind == 1 || kind == 8 {
        return;
    }
    bytes[0] = if bytes[0] < 8 { bytes[0] << 4 } else { version };
    bytes[11] &= if kind == 2 || kind == 9 { 0xff } else { 0b1101 };
    bytes[scope] = 1 + bytes[scope] % 2;
    bytes[scope + 1] &= 1;
    bytes[scope + 2] |= u8::from(kind != 3 && kind != 10);
    if kind == 4 || kind == 11 {
        // An amount, or none, for any terminal.
        bytes[terminal..terminal + 10].fill(0);
        bytes[terminal + 10] %= 4;
    } else {
        bytes[terminal] |= 1;
    }
}
