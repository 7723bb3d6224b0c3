//! Texts and bytes of codes, after `docs/code-format.md`, and codes that are signed.

use sscard_codes::{Key, KeyPurpose, KeyRing, KeyState};
use sscard_sm::sm2::DEFAULT_SIGNER_ID;

use crate::choices::Choices;
use crate::keys::{KEYS, Known, NONCES};
use crate::signing::{message_digest, sign};

pub const ONLINE_CONTEXT: &[u8] = b"sscard/online-code/v1\n";
pub const CREDENTIAL_CONTEXT: &[u8] = b"sscard/device-credential/v1\n";
pub const OFFLINE_CONTEXT: &[u8] = b"sscard/offline-code/v1\n";
pub const ONLINE_SIZE: usize = 103;
pub const OFFLINE_SIZE: usize = 203;
pub const CREDENTIAL_SIZE: usize = 113;

/// When most codes are minted, in seconds since 1970.
pub const NOW: u32 = 1_800_000_000;
pub const TERMINAL: [u8; 8] = *b"terminal";

/// The keys of the ring: purpose, issuer, number, state, which of [`KEYS`].
pub const RING: &[(KeyPurpose, u16, u8, KeyState, usize)] = &[
    (KeyPurpose::CodeSigning, 1, 1, KeyState::Active, 0),
    (KeyPurpose::CodeSigning, 1, 2, KeyState::VerifyOnly, 3),
    (KeyPurpose::CodeSigning, 1, 3, KeyState::Pending, 4),
    (KeyPurpose::CodeSigning, 1, 4, KeyState::Revoked, 5),
    (KeyPurpose::CodeSigning, 0xffff, 0xff, KeyState::Active, 6),
    (KeyPurpose::DeviceCredential, 1, 1, KeyState::Active, 7),
    (KeyPurpose::DeviceCredential, 1, 2, KeyState::VerifyOnly, 8),
    (KeyPurpose::DeviceCredential, 1, 3, KeyState::Revoked, 9),
];

/// remembered_bytes_max: for the credentials that it finds good.
pub fn ring(remembered_bytes_max: usize) -> KeyRing {
    let keys: Vec<Key> = RING
        .iter()
        .map(|&(purpose, issuer, number, state, index)| Key {
            purpose,
            issuer,
            number,
            state,
            public_key: KEYS[index].public,
        })
        .collect();
    KeyRing::remembering(&keys, remembered_bytes_max).expect("the keys differ")
}

/// The digits that 256^size - 1 has.
fn digits_of(size: usize) -> usize {
    match size {
        ONLINE_SIZE => 249,
        _ => 489,
    }
}

/// The text of 103 or 203 bytes: the number is multiplied up from its first bytes.
pub fn to_text(bytes: &[u8]) -> String {
    const BASE: u64 = 1_000_000_000;
    let mut groups: Vec<u64> = Vec::with_capacity(60);
    let (head, words) = bytes.split_at(bytes.len() % 4);
    let head = head
        .iter()
        .fold(0, |value, byte| value << 8 | u64::from(*byte));
    let words = words.chunks(4).map(|word| {
        word.iter()
            .fold(0, |value, byte| value << 8 | u64::from(*byte))
    });
    for word in core::iter::once(head).chain(words) {
        let mut carry = word;
        for group in &mut groups {
            carry += *group << 32;
            *group = carry % BASE;
            carry /= BASE;
        }
        while carry > 0 {
            groups.push(carry % BASE);
            carry /= BASE;
        }
    }
    let digits: String = groups
        .iter()
        .rev()
        .map(|group| format!("{group:09}"))
        .collect();
    let digits = digits.trim_start_matches('0');
    format!("7406{digits:0>width$}", width = digits_of(bytes.len()))
}

/// The bytes of a text, section 1 of the page.
pub fn from_text(text: &str) -> Option<Vec<u8>> {
    let size = match text.len() {
        253 => ONLINE_SIZE,
        493 => OFFLINE_SIZE,
        _ => return None,
    };
    let digits = text.strip_prefix("7406")?.as_bytes();
    let mut limbs: Vec<u64> = Vec::new();
    // Groups of 18 digits, the first one shorter where need be.
    for group in digits.rchunks(18).rev() {
        let mut carry = 0u128;
        for digit in group {
            carry = carry * 10 + u128::from(digit.checked_sub(b'0').filter(|digit| *digit < 10)?);
        }
        let scale = 10u128.pow(group.len() as u32);
        for limb in &mut limbs {
            carry += u128::from(*limb) * scale;
            *limb = carry as u64;
            carry >>= 64;
        }
        limbs.push(carry as u64);
    }
    let bytes: Vec<u8> = limbs
        .iter()
        .rev()
        .flat_map(|limb| limb.to_be_bytes())
        .collect();
    let (above, kept) = bytes.split_at(bytes.len().checked_sub(size)?);
    above.iter().all(|byte| *byte == 0).then(|| kept.to_vec())
}

/// A code as bytes, and what of it was really signed.
pub struct Built {
    pub bytes: Vec<u8>,
    /// The issuer signed this code, or its credential, with the key that the ring has.
    pub issuer_signed: bool,
    /// The device signed this code with the key in its credential.
    pub device_signed: bool,
    /// About when, in seconds since 1970.
    pub minted_at: u32,
}

pub fn online(choices: &mut Choices<'_>) -> Built {
    let mut bytes = vec![version(choices, 0x11)];
    issuer(choices, &mut bytes);
    let minted_at = instant(choices);
    bytes.extend(minted_at.to_be_bytes());
    scope(choices, &mut bytes);
    bytes.push(flags(choices));
    binding(choices, &mut bytes);
    bytes.extend(choices.array::<16>());
    let issuer_signed =
        sign_by_issuer(choices, KeyPurpose::CodeSigning, ONLINE_CONTEXT, &mut bytes);
    Built {
        bytes,
        issuer_signed,
        device_signed: false,
        minted_at,
    }
}

pub fn offline(choices: &mut Choices<'_>) -> Built {
    let mut bytes = vec![version(choices, 0x12)];
    issuer(choices, &mut bytes);
    let minted_at = instant(choices);
    let left = choices.one_of(&[3600, 43_200, 86_400, 0, 90_000]);
    bytes.extend(minted_at.wrapping_add(left).to_be_bytes());
    scope(choices, &mut bytes);
    bytes.push(flags(choices));
    bytes.extend(choices.array::<4>());
    let device = &KEYS[choices.one_of(&[1, 2, 10, 11])];
    let mut point = device.public.to_sec1_compressed();
    if choices.rarely(24) {
        point[choices.below(2)] = choices.byte();
    }
    bytes.extend(point);
    let purpose = KeyPurpose::DeviceCredential;
    let issuer_signed = sign_by_issuer(choices, purpose, CREDENTIAL_CONTEXT, &mut bytes);
    let own = if choices.rarely(16) {
        instant(choices)
    } else {
        minted_at
    };
    bytes.extend(own.to_be_bytes());
    scope(choices, &mut bytes);
    bytes.extend(choices.array::<8>());
    binding(choices, &mut bytes);
    let is_own = point == device.public.to_sec1_compressed();
    let device_signed = append_signature(choices, device, OFFLINE_CONTEXT, &mut bytes) && is_own;
    Built {
        bytes,
        issuer_signed,
        device_signed,
        minted_at,
    }
}

fn version(choices: &mut Choices<'_>, usual: u8) -> u8 {
    if choices.rarely(24) {
        choices.byte()
    } else {
        usual
    }
}

fn issuer(choices: &mut Choices<'_>, bytes: &mut Vec<u8>) {
    match choices.byte() % 16 {
        15 => bytes.extend(choices.array::<3>()),
        14 => bytes.extend([0xff; 3]),
        13 => bytes.extend([0, 1, choices.byte() % 8]),
        kind => bytes.extend([0, 1, 1 + u8::from(kind > 9)]),
    }
}

/// Mostly the usual instant; near the ends of what four bytes hold; any.
fn instant(choices: &mut Choices<'_>) -> u32 {
    match choices.byte() % 16 {
        15 => u32::from_be_bytes(choices.array()),
        14 => u32::from(choices.byte()).wrapping_sub(100),
        13 => NOW + u32::from(choices.byte()),
        _ => NOW,
    }
}

fn scope(choices: &mut Choices<'_>, bytes: &mut Vec<u8>) {
    match choices.byte() % 16 {
        15 => bytes.extend(choices.array::<3>()),
        14 => bytes.extend([choices.byte(), 1, 0xff]),
        13 => bytes.extend([1, 0, 0]),
        12 => bytes.extend([2, choices.byte() % 2, choices.byte() | 1]),
        10 | 11 => bytes.extend([2, 1, 0xff]),
        8 | 9 => bytes.extend([1, 0, 0b11]),
        _ => bytes.extend([1, 1, 0xff]),
    }
}

fn flags(choices: &mut Choices<'_>) -> u8 {
    if choices.rarely(24) {
        choices.byte()
    } else {
        choices.byte() & 0b1101
    }
}

fn binding(choices: &mut Choices<'_>, bytes: &mut Vec<u8>) {
    match choices.byte() % 8 {
        7 => bytes.extend(choices.array::<11>()),
        6 => bytes.extend([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, choices.byte() % 2]),
        5 => bytes.extend([&b"terminus"[..], &[0, 0, 7]].concat()),
        4 => bytes.extend([&TERMINAL[..], &[0, 0, 7]].concat()),
        3 => bytes.extend([&TERMINAL[..], &[0xff; 3]].concat()),
        2 => bytes.extend([&TERMINAL[..], &[0; 3]].concat()),
        _ => bytes.extend([0; 11]),
    }
}

/// With the key that the bytes name; with another where the ring has none of that name.
fn sign_by_issuer(
    choices: &mut Choices<'_>,
    purpose: KeyPurpose,
    context: &[u8],
    bytes: &mut Vec<u8>,
) -> bool {
    let named = (purpose, u16::from_be_bytes([bytes[1], bytes[2]]), bytes[3]);
    let known = RING.iter().find(|key| (key.0, key.1, key.2) == named);
    let key = &KEYS[known.map_or(0, |key| key.4)];
    append_signature(choices, key, context, bytes) && known.is_some()
}

/// Mostly by this key, in this context; else by what must not do.
fn append_signature(
    choices: &mut Choices<'_>,
    key: &Known,
    context: &[u8],
    bytes: &mut Vec<u8>,
) -> bool {
    let fault = choices.byte() % 32;
    let nonce = &NONCES[choices.below(NONCES.len())];
    let contexts = [ONLINE_CONTEXT, CREDENTIAL_CONTEXT, OFFLINE_CONTEXT];
    let (signer, used, id) = match fault {
        1 => (&KEYS[choices.below(KEYS.len())], context, DEFAULT_SIGNER_ID),
        2 => (key, choices.one_of(&contexts), DEFAULT_SIGNER_ID),
        3 => (key, &[][..], DEFAULT_SIGNER_ID),
        4 => (key, context, &b"another id"[..]),
        _ => (key, context, DEFAULT_SIGNER_ID),
    };
    let message = [used, bytes].concat();
    let signature =
        message_digest(&signer.public, id, &message).and_then(|e| sign(signer, nonce, &e));
    bytes.extend(signature.unwrap_or([0; 64]));
    signature.is_some() && signer.d == key.d && used == context && id == DEFAULT_SIGNER_ID
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_and_bytes_name_each_other() {
        for size in [ONLINE_SIZE, OFFLINE_SIZE] {
            for bytes in [vec![0; size], vec![0xff; size], (0..size as u8).collect()] {
                assert_eq!(from_text(&to_text(&bytes)), Some(bytes));
            }
        }
        let mut number = vec![0; ONLINE_SIZE];
        number[ONLINE_SIZE - 9..].copy_from_slice(&[1, 0, 0, 0, 0, 0, 0, 0, 1]);
        let text = format!("7406{}18446744073709551617", "0".repeat(229));
        assert_eq!(to_text(&number), text);
        assert_eq!(from_text(&format!("7406{}", "9".repeat(249))), None);
        assert_eq!(from_text(&text.replace('6', "+")), None);
    }
}
