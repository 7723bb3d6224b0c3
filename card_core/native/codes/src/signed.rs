//! What exactly is signed: a context prefix, then the bytes.
//!
//! The prefix keeps the purposes apart under one signer ID: a signature over one kind of bytes
//! never holds for another, even if a key were misused for both. No prefix begins another.

use crate::offline;
use crate::refusal::Refusal;

pub(crate) const ONLINE_CONTEXT: &[u8] = b"sscard/online-code/v1\n";
pub(crate) const CREDENTIAL_CONTEXT: &[u8] = b"sscard/device-credential/v1\n";
pub(crate) const OFFLINE_CONTEXT: &[u8] = b"sscard/offline-code/v1\n";

/// Bytes of a signature: r, then s, 32 each.
pub(crate) const SIGNATURE_SIZE: usize = 64;

/// Bytes of the longest message: an offline code's.
const MESSAGE_MAX: usize = OFFLINE_CONTEXT.len() + offline::BODY_SIZE;

/// Splits the signature off the end of bytes, puts the context before what it covers, and asks
/// whether it holds.
///
/// # Errors
/// [`Refusal::BadSignature`].
pub(crate) fn verify(
    context: &[u8],
    bytes: &[u8],
    holds: impl FnOnce(&[u8], &[u8]) -> bool,
) -> Result<(), Refusal> {
    let (body, signature) = bytes
        .split_last_chunk::<SIGNATURE_SIZE>()
        .ok_or(Refusal::Malformed)?;
    // On the stack: a check allocates nothing.
    let mut message = [0; MESSAGE_MAX];
    let (prefix, rest) = message
        .split_at_mut_checked(context.len())
        .ok_or(Refusal::Malformed)?;
    prefix.copy_from_slice(context);
    rest.get_mut(..body.len())
        .ok_or(Refusal::Malformed)?
        .copy_from_slice(body);
    if holds(signature, &message[..context.len() + body.len()]) {
        Ok(())
    } else {
        Err(Refusal::BadSignature)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_context_begins_another() {
        let contexts = [ONLINE_CONTEXT, CREDENTIAL_CONTEXT, OFFLINE_CONTEXT];
        for (i, one) in contexts.iter().enumerate() {
            for other in &contexts[i + 1..] {
                assert!(!one.starts_with(other) && !other.starts_with(one));
            }
        }
    }
}
