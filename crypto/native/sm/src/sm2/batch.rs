use std::collections::BTreeMap;

use super::verifier::NARROW;
use super::{InvalidSignature, PublicKey, Verifier};

/// Signatures by one key in a batch from which on its table is built first: it then costs less
/// than it saves.
const SIGNATURES_FOR_TABLE: usize = 10;

/// Whose signature it should be.
#[derive(Clone, Copy)]
pub enum Signer<'a> {
    /// A key met for the first time.
    New(&'a PublicKey),
    /// A key that is kept.
    Kept(&'a Verifier),
}

/// One signature to check.
#[derive(Clone, Copy)]
pub struct Signed<'a> {
    /// The key that should have signed.
    pub signer: Signer<'a>,
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
    let tables = tables_of_frequent_keys(signed);
    signed
        .iter()
        .map(|one| match one.signer {
            Signer::Kept(kept) => kept.verify(one.signature, one.message, signer_id),
            Signer::New(key) => match tables.get(&key.to_sec1()) {
                Some(kept) => kept.verify(one.signature, one.message, signer_id),
                None => key.verify(one.signature, one.message, signer_id),
            },
        })
        .collect()
}

/// By the keys' encodings, sorted: a hashed map panics in a new thread while the system gives no
/// randomness to seed it with.
fn tables_of_frequent_keys(signed: &[Signed<'_>]) -> BTreeMap<[u8; 65], Verifier<NARROW>> {
    let mut signatures = BTreeMap::new();
    if signed.len() >= SIGNATURES_FOR_TABLE {
        for one in signed {
            if let Signer::New(key) = one.signer {
                signatures.entry(key.to_sec1()).or_insert((key, 0)).1 += 1;
            }
        }
    }
    signatures
        .into_iter()
        .filter(|(_, (_, count))| *count >= SIGNATURES_FOR_TABLE)
        .map(|(encoding, (key, _))| (encoding, Verifier::build(*key)))
        .collect()
}
