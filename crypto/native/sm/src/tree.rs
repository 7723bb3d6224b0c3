//! Merkle trees over SM3 (RFC 6962, section 2.1).
//!
//! A leaf is hashed behind a zero byte and a node behind a one, so that no node passes for a leaf.
//! The tree over n leaves splits at the largest power of two below n; level by level that is to
//! pair neighbours and to carry an odd last one up as it is.

use crate::sm3::{Digest, Sm3};

const LEAF: u8 = 0;
const NODE: u8 = 1;

/// Returns the root over some leaves, and for each leaf the hashes beside its way up, the lowest
/// first. `None` where there is no leaf.
pub fn root_and_paths<T: AsRef<[u8]>>(leaves: &[T]) -> Option<(Digest, Vec<Vec<u8>>)> {
    let mut level: Vec<Digest> = leaves
        .iter()
        .map(|leaf| hashed(LEAF, &[leaf.as_ref()]))
        .collect();
    let mut paths = vec![Vec::new(); leaves.len()];
    // How many leaves a node of this level stands for, but the last one.
    let mut width = 1;
    while level.len() > 1 {
        for (at, path) in paths.iter_mut().enumerate() {
            if let Some(beside) = level.get((at / width) ^ 1) {
                path.extend_from_slice(beside);
            }
        }
        level = level
            .chunks(2)
            .map(|pair| match pair {
                [left, right] => hashed(NODE, &[left, right]),
                _ => pair[0],
            })
            .collect();
        width *= 2;
    }
    Some((*level.first()?, paths))
}

fn hashed(kind: u8, parts: &[&[u8]]) -> Digest {
    let mut hash = Sm3::new();
    hash.update(&[kind]);
    for part in parts {
        hash.update(part);
    }
    hash.digest()
}
