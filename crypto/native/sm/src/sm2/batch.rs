use std::collections::BTreeMap;

use super::verifier::NARROW;
use super::{InvalidSignature, PublicKey, Signature, Verifier};

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
    let mut verdicts = vec![Err(InvalidSignature); signed.len()];
    // Sorted: a hashed map panics in a new thread while the system gives no randomness.
    let mut places_by_key = BTreeMap::new();
    for (place, one) in signed.iter().enumerate() {
        match one.signer {
            Signer::Kept(kept) => {
                verdicts[place] = kept.verify(one.signature, one.message, signer_id);
            }
            Signer::New(key) => places_by_key
                .entry(key.to_sec1())
                .or_insert((key, Vec::new()))
                .1
                .push(place),
        }
    }
    for (key, places) in places_by_key.into_values() {
        let table = table_worth_building(key, places.iter().map(|place| &signed[*place]));
        for place in places {
            let one = &signed[place];
            verdicts[place] = match &table {
                Some(kept) => kept.verify(one.signature, one.message, signer_id),
                None => key.verify(one.signature, one.message, signer_id),
            };
        }
    }
    verdicts
}

/// One table at a time, and only for signatures that are not refused at a glance: garbage may not
/// buy memory or time.
fn table_worth_building<'a>(
    key: &PublicKey,
    signed: impl Iterator<Item = &'a Signed<'a>>,
) -> Option<Verifier<NARROW>> {
    let in_range = signed
        .filter(|one| Signature::from_bytes(one.signature).is_ok())
        .take(SIGNATURES_FOR_TABLE)
        .count();
    (in_range == SIGNATURES_FOR_TABLE).then(|| Verifier::build(*key))
}
