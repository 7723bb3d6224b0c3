use super::{InvalidSignature, PublicKey};

/// One signature to check, with its key and its message.
#[derive(Clone, Copy)]
pub struct Signed<'a> {
    /// The key that should have signed.
    pub public_key: &'a PublicKey,
    /// r and s.
    pub signature: &'a [u8],
    /// What was signed.
    pub message: &'a [u8],
}

/// Checks many signatures under one signer id; the answers are those of [`PublicKey::verify`],
/// in the same order.
///
/// Each signature is checked for itself. Equations added up to be checked together would let a
/// forger's signature hide behind another one, and a bad one would spoil its neighbours.
pub fn verify_batch(signed: &[Signed<'_>], signer_id: &[u8]) -> Vec<Result<(), InvalidSignature>> {
    signed
        .iter()
        .map(|one| one.public_key.verify(one.signature, one.message, signer_id))
        .collect()
}
