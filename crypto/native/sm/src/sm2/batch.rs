use std::collections::BTreeMap;

use crate::fixed_base::PUBLIC_GENERATOR;
use crate::jacobian::Jacobian;
use crate::lanes::EightLanes;
use crate::scalar::Scalar;
use crate::sm3::Digest;

use super::verifier::{NARROW, signed_scalars, verify_sum};
use super::{InvalidSignature, PublicKey, Signature, Verifier};

/// Signatures by one key in a batch from which on its table is built first: it then costs less
/// than it saves.
const SIGNATURES_FOR_TABLE: usize = 10;

/// Signatures under kept keys from which on eight lanes with one each are faster than eight
/// with parts of one.
const KEPT_FOR_LANES: usize = 6;
/// Signatures under new keys from which on eight lanes are faster than one after the other.
pub(super) const NEW_FOR_LANES: usize = 3;

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

type Verdict = Result<(), InvalidSignature>;

/// A signature whose range is right, and what it should be of.
struct Waiting<'a, K> {
    place: usize,
    key: &'a K,
    signature: Signature,
    /// r + s.
    t: Scalar,
    e: Digest,
}

impl<'a, K> Waiting<'a, K> {
    fn new(
        place: usize,
        key: &'a K,
        signature: &[u8],
        e: Result<Digest, InvalidSignature>,
    ) -> Option<Self> {
        let (signature, t) = signed_scalars(signature).ok()?;
        Some(Self {
            place,
            key,
            signature,
            t,
            e: e.ok()?,
        })
    }

    fn verdict(&self, sum: &Jacobian) -> Verdict {
        verify_sum(sum, &self.signature.r, &self.e)
    }
}

/// Checks many signatures under one signer id; the answers are those of [`PublicKey::verify`],
/// in the same order.
///
/// Each signature is checked for itself. Equations added up to be checked together would let a
/// forger's signature hide behind another one, and a bad one would spoil its neighbours.
pub fn verify_batch(signed: &[Signed<'_>], signer_id: &[u8]) -> Vec<Verdict> {
    let mut verdicts = vec![Err(InvalidSignature); signed.len()];
    let mut kept_waiting = Vec::new();
    // Sorted: a hashed map panics in a new thread while the system gives no randomness.
    let mut places_by_key = BTreeMap::new();
    for (place, one) in signed.iter().enumerate() {
        match one.signer {
            Signer::Kept(kept) => {
                let e = kept.digest(one.message, signer_id);
                kept_waiting.extend(Waiting::new(place, kept, one.signature, e));
            }
            Signer::New(key) => places_by_key
                .entry(key.to_sec1())
                .or_insert((key, Vec::new()))
                .1
                .push(place),
        }
    }
    settle_kept(&kept_waiting, &mut verdicts);
    let mut new_waiting = Vec::new();
    for (key, places) in places_by_key.into_values() {
        let ours = places.iter().map(|place| (*place, &signed[*place]));
        if let Some(kept) = table_worth_building(key, ours.clone()) {
            let waiting: Vec<_> = ours
                .filter_map(|(place, one)| {
                    let e = kept.digest(one.message, signer_id);
                    Waiting::new(place, &kept, one.signature, e)
                })
                .collect();
            settle_kept(&waiting, &mut verdicts);
        } else {
            new_waiting.extend(ours.filter_map(|(place, one)| {
                let e = key.digest(one.message, signer_id);
                Waiting::new(place, key, one.signature, e)
            }));
        }
    }
    settle_new(&new_waiting, &mut verdicts);
    verdicts
}

fn settle_kept<const WIDTH: usize>(
    waiting: &[Waiting<'_, Verifier<WIDTH>>],
    verdicts: &mut [Verdict],
) {
    for group in waiting.chunks(8) {
        let sums = match EightLanes::in_use() {
            Some(lanes) => kept_sums(lanes, group),
            None => [None; 8],
        };
        for (one, sum) in group.iter().zip(sums) {
            let sum = sum.unwrap_or_else(|| one.key.sum(&one.signature.s, &one.t));
            verdicts[one.place] = one.verdict(&sum);
        }
    }
}

fn kept_sums<const WIDTH: usize>(
    lanes: EightLanes,
    group: &[Waiting<'_, Verifier<WIDTH>>],
) -> [Option<Jacobian>; 8] {
    let points: Vec<_> = group
        .iter()
        .map(|one| one.key.points(&one.signature.s, &one.t))
        .collect();
    if group.len() >= KEPT_FOR_LANES {
        return lanes.sums(&spread(&points));
    }
    core::array::from_fn(|i| points.get(i).and_then(|points| lanes.sum(points)))
}

fn settle_new(waiting: &[Waiting<'_, PublicKey>], verdicts: &mut [Verdict]) {
    for group in waiting.chunks(8) {
        let sums = match (EightLanes::in_use(), group) {
            (Some(lanes), [first, ..]) if group.len() >= NEW_FOR_LANES => {
                let points: Vec<Vec<_>> = group
                    .iter()
                    .map(|one| PUBLIC_GENERATOR.public_points(&one.signature.s).collect())
                    .collect();
                let of = |i: usize| group.get(i).unwrap_or(first);
                lanes.products(
                    &core::array::from_fn(|i| of(i).t),
                    &core::array::from_fn(|i| of(i).key.point),
                    &spread(&points),
                )
            }
            _ => [None; 8],
        };
        for (one, sum) in group.iter().zip(sums) {
            let sum = sum.unwrap_or_else(|| one.key.sum(&one.signature.s, &one.t));
            verdicts[one.place] = one.verdict(&sum);
        }
    }
}

/// A list for each lane, empty where there are fewer.
fn spread<T>(lists: &[Vec<T>]) -> [&[T]; 8] {
    core::array::from_fn(|lane| lists.get(lane).map_or(&[][..], Vec::as_slice))
}

/// One table at a time, and only for signatures that are not refused at a glance: garbage may not
/// buy memory or time.
fn table_worth_building<'a>(
    key: &PublicKey,
    signed: impl Iterator<Item = (usize, &'a Signed<'a>)>,
) -> Option<Verifier<NARROW>> {
    let in_range = signed
        .filter(|(_, one)| Signature::from_bytes(one.signature).is_ok())
        .take(SIGNATURES_FOR_TABLE)
        .count();
    (in_range == SIGNATURES_FOR_TABLE).then(|| Verifier::build(*key))
}
