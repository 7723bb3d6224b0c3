//! What a check has to answer: the table in section 7 of `docs/code-format.md`, row by row, on
//! bytes and offsets.

use sscard_codes::{KeyPurpose, KeyState, Refusal, Request};

use crate::code_bytes::{OFFLINE_SIZE, ONLINE_SIZE, RING, from_text};

/// What is known about a code beforehand.
pub struct Truth {
    /// Whether the key ring is empty.
    pub no_keys: bool,
    /// Whether the issuer's and the device's signatures hold.
    pub issuer_signed: bool,
    pub device_signed: bool,
}

/// The bytes of the code, or the first reason against it.
pub fn judge(text: &str, request: &Request, truth: &Truth) -> Result<Vec<u8>, Refusal> {
    let bytes = from_text(text).ok_or(Refusal::Malformed)?;
    let is_online = bytes.len() == ONLINE_SIZE;
    fields(&bytes)?;
    key(&bytes, truth)?;
    let skew = if is_online { 5 } else { 30 };
    let (own, credential) = if is_online { (4, None) } else { (113, Some(4)) };
    if !truth.issuer_signed {
        return Err(Refusal::BadSignature);
    }
    if let Some(offset) = credential {
        let ends_at = instant(&bytes, offset);
        if request.now < ends_at - 86_400 - 30 {
            return Err(Refusal::CredentialNotYetValid);
        }
        if request.now > ends_at + 30 {
            return Err(Refusal::CredentialExpired);
        }
        if !truth.device_signed {
            return Err(Refusal::BadSignature);
        }
    }
    let minted_at = instant(&bytes, own);
    if request.now < minted_at - skew {
        return Err(Refusal::NotYetValid);
    }
    if request.now > minted_at + 60 + skew {
        return Err(Refusal::Expired);
    }
    scan(&bytes, own + 4, request)?;
    Ok(bytes)
}

fn instant(bytes: &[u8], offset: usize) -> i64 {
    bytes[offset..offset + 4]
        .iter()
        .fold(0, |value, byte| value * 256 + i64::from(*byte))
}

fn purposes(bytes: &[u8], offset: usize) -> u16 {
    u16::from(bytes[offset]) * 256 + u16::from(bytes[offset + 1])
}

/// Step 2.
fn fields(bytes: &[u8]) -> Result<(), Refusal> {
    let is_online = bytes.len() == ONLINE_SIZE;
    if bytes[0] / 16 != 1 {
        return Err(Refusal::UnknownVersion);
    }
    let scope_is_defined = |offset: usize| {
        matches!(bytes[offset], 1 | 2) && (1..0x200).contains(&purposes(bytes, offset + 1))
    };
    let binding_is_defined = |offset: usize| {
        bytes[offset..offset + 8] != [0; 8] || bytes[offset + 8..offset + 11] == [0; 3]
    };
    let flags_are_defined = bytes[11] < 32 && bytes[11] % 4 < 2 && bytes[11] / 4 < 4;
    let are_defined = scope_is_defined(8)
        && flags_are_defined
        && if is_online {
            bytes[0] == 0x11 && binding_is_defined(12)
        } else {
            bytes[0] == 0x12
                && matches!(bytes[16], 2 | 3)
                && scope_is_defined(117)
                && binding_is_defined(128)
        };
    if are_defined {
        Ok(())
    } else {
        Err(Refusal::Malformed)
    }
}

/// Step 3.
fn key(bytes: &[u8], truth: &Truth) -> Result<(), Refusal> {
    let purpose = if bytes.len() == OFFLINE_SIZE {
        KeyPurpose::DeviceCredential
    } else {
        KeyPurpose::CodeSigning
    };
    let named = (purpose, purposes(bytes, 1), bytes[3]);
    let state = RING
        .iter()
        .find(|key| !truth.no_keys && (key.0, key.1, key.2) == named)
        .map(|key| key.3);
    match state {
        None => Err(Refusal::UnknownKey),
        Some(KeyState::Active | KeyState::VerifyOnly) => Ok(()),
        Some(KeyState::Pending | KeyState::Revoked) => Err(Refusal::KeyNotActive),
    }
}

/// Step 6, the code's own scope being at this offset.
fn scan(bytes: &[u8], own: usize, request: &Request) -> Result<(), Refusal> {
    let is_offline = bytes.len() == OFFLINE_SIZE;
    let asked = purposes(bytes, own + 1);
    if is_offline {
        let is_wider = bytes[own] == 1 && bytes[8] == 2;
        if is_wider || asked & !purposes(bytes, 9) != 0 {
            return Err(Refusal::PurposeMismatch);
        }
    }
    let serves = request.purpose != 0 && asked & request.purpose == request.purpose;
    if !serves || request.consumes && bytes[own] != 1 {
        return Err(Refusal::PurposeMismatch);
    }
    if is_offline && request.consumes {
        return Err(Refusal::OfflineNotAllowed);
    }
    let offset = if is_offline { 128 } else { 12 };
    let terminal = &bytes[offset..offset + 8];
    if *terminal != [0; 8] && *terminal != request.terminal {
        return Err(Refusal::TerminalMismatch);
    }
    let amount = bytes[offset + 8..offset + 11]
        .iter()
        .fold(0, |amount, byte| amount * 256 + u64::from(*byte));
    if amount != 0 && request.amount_fen != Some(amount) {
        return Err(Refusal::AmountMismatch);
    }
    Ok(())
}
