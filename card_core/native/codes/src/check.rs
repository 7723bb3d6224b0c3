//! Checking a code: steps 1 to 6 of the order in `docs/code-format.md`, section 7.

use sscard_sm::sm2::DEFAULT_SIGNER_ID;

use crate::credential;
use crate::fields::{Binding, Scope};
use crate::key_ring::{KeyPurpose, KeyRing};
use crate::offline::{self, OfflineCode};
use crate::online::{self, OnlineCode};
use crate::refusal::Refusal;
use crate::remembered::Device;
use crate::signed::{CREDENTIAL_CONTEXT, OFFLINE_CONTEXT, ONLINE_CONTEXT, verify};
use crate::text::{Decoded, decode};

/// How long a code lives.
pub const CODE_LIFE_SECONDS: i64 = 60;
/// How long a device credential serves: the day before its end.
pub const CREDENTIAL_LIFE_SECONDS: i64 = 86_400;
/// How far two servers' clocks may lie apart.
pub const ONLINE_SKEW_SECONDS: i64 = 5;
/// How far a phone's clock may lie from the terminal's.
pub const OFFLINE_SKEW_SECONDS: i64 = 30;

/// What a code is held against.
#[derive(Clone, Copy, Debug)]
pub struct Request {
    /// Whole seconds since 1970, UTC.
    pub now: i64,
    /// The business type's bit in the purpose mask.
    pub purpose: u16,
    /// Whether money or goods move.
    pub consumes: bool,
    /// The terminal that scanned.
    pub terminal: [u8; 8],
    /// What is to be paid, where money moves.
    pub amount_fen: Option<u64>,
}

/// A code that passed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CheckedCode {
    /// Minted by the holder service.
    Online(OnlineCode),
    /// Minted by a phone.
    Offline(OfflineCode),
}

/// What the code says, or the first reason why it may not be relied on.
///
/// The order is part of the rule: the signature comes before the dates, so that an unsigned date
/// never decides, and the purpose comes last, so that only a genuine code in its time learns it.
///
/// # Errors
/// The first [`Refusal`].
pub fn check(text: &str, keys: &KeyRing, request: &Request) -> Result<CheckedCode, Refusal> {
    // 1 length, alphabet, marker, range
    match decode(text)? {
        Decoded::Online(bytes) => check_online(&bytes, keys, request).map(CheckedCode::Online),
        Decoded::Offline(bytes) => check_offline(&bytes, keys, request).map(CheckedCode::Offline),
    }
}

fn check_online(
    bytes: &[u8; online::SIZE],
    keys: &KeyRing,
    request: &Request,
) -> Result<OnlineCode, Refusal> {
    // 2 version, kind and fields
    let code = OnlineCode::read(&bytes[..online::BODY_SIZE])?;
    // 3 issuer and key
    let issuer = keys.find(KeyPurpose::CodeSigning, code.issuer, code.key_number)?;
    // 4 signature
    verify(ONLINE_CONTEXT, bytes, |signature, message| {
        issuer.verify(signature, message, DEFAULT_SIGNER_ID).is_ok()
    })?;
    // 5 time window
    check_window(code.minted_at, request.now, ONLINE_SKEW_SECONDS)?;
    // 6 purpose, terminal, amount
    check_scope(code.scope, request)?;
    check_binding(&code.binding, request)?;
    Ok(code)
}

fn check_offline(
    bytes: &[u8; offline::SIZE],
    keys: &KeyRing,
    request: &Request,
) -> Result<OfflineCode, Refusal> {
    // 2 version, kind and fields, of the credential first
    let code = OfflineCode::read(&bytes[..offline::BODY_SIZE])?;
    let credential = &code.credential;
    // 3 issuer and key
    let issuer = keys.find(
        KeyPurpose::DeviceCredential,
        credential.issuer,
        credential.key_number,
    )?;
    // 4 issuer's signature (not again for a credential whose codes were good under this ring),
    // the credential's day, device's signature
    let signed: &[u8; credential::SIZE] = bytes.first_chunk().ok_or(Refusal::Malformed)?;
    let remembered = keys.remembered().find(signed);
    if remembered.is_none() {
        verify(CREDENTIAL_CONTEXT, signed, |signature, message| {
            issuer.verify(signature, message, DEFAULT_SIGNER_ID).is_ok()
        })?;
    }
    check_day(credential.expires_at, request.now)?;
    let device = match remembered {
        Some(device) => device,
        None => Device::read(&credential.device_key).ok_or(Refusal::BadSignature)?,
    };
    verify(OFFLINE_CONTEXT, bytes, |signature, message| {
        device.verify(signature, message)
    })?;
    keys.remembered().signed_well(signed, &device);
    // 5 time window
    check_window(code.minted_at, request.now, OFFLINE_SKEW_SECONDS)?;
    // 6 purpose within the credential's, offline consuming, terminal, amount
    if !credential.scope.covers(code.scope) {
        return Err(Refusal::PurposeMismatch);
    }
    check_scope(code.scope, request)?;
    if request.consumes {
        return Err(Refusal::OfflineNotAllowed);
    }
    check_binding(&code.binding, request)?;
    Ok(code)
}

/// Valid while starts_at - skew <= now <= ends_at + skew, in whole seconds.
fn check_day(expires_at: u32, now: i64) -> Result<(), Refusal> {
    let ends_at = i64::from(expires_at);
    if now < ends_at - CREDENTIAL_LIFE_SECONDS - OFFLINE_SKEW_SECONDS {
        Err(Refusal::CredentialNotYetValid)
    } else if now > ends_at + OFFLINE_SKEW_SECONDS {
        Err(Refusal::CredentialExpired)
    } else {
        Ok(())
    }
}

fn check_window(minted_at: u32, now: i64, skew: i64) -> Result<(), Refusal> {
    let minted_at = i64::from(minted_at);
    if now < minted_at - skew {
        Err(Refusal::NotYetValid)
    } else if now > minted_at + CODE_LIFE_SECONDS + skew {
        Err(Refusal::Expired)
    } else {
        Ok(())
    }
}

fn check_scope(scope: Scope, request: &Request) -> Result<(), Refusal> {
    if scope.serves(request.purpose, request.consumes) {
        Ok(())
    } else {
        Err(Refusal::PurposeMismatch)
    }
}

fn check_binding(binding: &Binding, request: &Request) -> Result<(), Refusal> {
    if !binding.allows_terminal(request.terminal) {
        Err(Refusal::TerminalMismatch)
    } else if !binding.allows_amount(request.amount_fen) {
        Err(Refusal::AmountMismatch)
    } else {
        Ok(())
    }
}
