//! What exactly is signed: a context prefix, then the bytes.
//!
//! The prefix keeps the purposes apart under one signer ID: a signature over one kind of bytes
//! never holds for another, even if a key were misused for both. No prefix begins another.

pub(crate) const ONLINE_CONTEXT: &[u8] = b"sscard/online-code/v1\n";
pub(crate) const CREDENTIAL_CONTEXT: &[u8] = b"sscard/device-credential/v1\n";
pub(crate) const OFFLINE_CONTEXT: &[u8] = b"sscard/offline-code/v1\n";

/// Bytes of a signature: r, then s, 32 each.
pub(crate) const SIGNATURE_SIZE: usize = 64;

/// Splits the signature off the end of bytes, and puts the context before what it covers.
pub(crate) fn split_signature<'a>(
    context: &[u8],
    bytes: &'a [u8],
) -> Option<(Vec<u8>, &'a [u8; SIGNATURE_SIZE])> {
    let (body, signature) = bytes.split_last_chunk()?;
    Some(([context, body].concat(), signature))
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
