//! From what was signed, and its signature, to what travels.

use crate::credential::Credential;
use crate::offline::OfflineCode;
use crate::online::OnlineCode;
use crate::refusal::Refusal;
use crate::signed::{CREDENTIAL_CONTEXT, OFFLINE_CONTEXT, ONLINE_CONTEXT, SIGNATURE_SIZE};
use crate::text;

/// The text of an online or an offline code.
///
/// What could not be read again is not let out; whether the signature holds is not looked at.
///
/// # Errors
/// [`Refusal::Malformed`] and [`Refusal::UnknownVersion`].
pub fn assemble(to_be_signed: &[u8], signature: &[u8; SIGNATURE_SIZE]) -> Result<String, Refusal> {
    let body = if let Some(body) = to_be_signed.strip_prefix(ONLINE_CONTEXT) {
        OnlineCode::read(body)?;
        body
    } else if let Some(body) = to_be_signed.strip_prefix(OFFLINE_CONTEXT) {
        OfflineCode::read(body)?;
        body
    } else {
        return Err(Refusal::Malformed);
    };
    text::encode(&[body, signature].concat()).ok_or(Refusal::Malformed)
}

/// The bytes of a device credential; as [`assemble`].
///
/// # Errors
/// [`Refusal::Malformed`] and [`Refusal::UnknownVersion`].
pub fn assemble_credential(
    to_be_signed: &[u8],
    signature: &[u8; SIGNATURE_SIZE],
) -> Result<Vec<u8>, Refusal> {
    let body = to_be_signed
        .strip_prefix(CREDENTIAL_CONTEXT)
        .ok_or(Refusal::Malformed)?;
    Credential::read(body)?;
    Ok([body, signature].concat())
}
