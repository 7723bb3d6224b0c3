//! A Merkle tree with SM3 (RFC 6962, section 2.1): a root, and each leaf's way up to it.
//!
//! A leaf is hashed behind a zero byte and a node behind a one, so that no node passes for a leaf.
//! The tree over n leaves splits at the largest power of two below n; level by level that is to
//! pair neighbours and to carry an odd last one up as it is.

use crate::sm3::{Digest, Sm3};

const LEAF: &[u8] = &[0];
const NODE: &[u8] = &[1];

/// All levels of a tree, the leaves' digests first and the root last.
pub struct Tree {
    levels: Vec<Vec<Digest>>,
}

impl Tree {
    /// Hashes the leaves, each of any length; none for no leaves.
    #[must_use]
    pub fn new(leaves: &[&[u8]]) -> Option<Self> {
        if leaves.is_empty() {
            return None;
        }
        let mut level: Vec<Digest> = leaves.iter().map(|leaf| hash(LEAF, leaf, &[])).collect();
        let mut levels = Vec::new();
        while level.len() > 1 {
            let above = level
                .chunks(2)
                .map(|pair| match pair {
                    [left, right] => hash(NODE, left, right),
                    rest => rest[0],
                })
                .collect();
            levels.push(core::mem::replace(&mut level, above));
        }
        levels.push(level);
        Some(Self { levels })
    }

    /// What a signature is over.
    #[must_use]
    pub fn root(&self) -> Digest {
        self.levels[self.levels.len() - 1][0]
    }

    /// The hashes beside a leaf's way up, the lowest first; none beyond the leaves.
    #[must_use]
    pub fn path(&self, leaf: usize) -> Option<Vec<u8>> {
        if leaf >= self.levels[0].len() {
            return None;
        }
        let mut path = Vec::new();
        let mut at = leaf;
        for level in &self.levels[..self.levels.len() - 1] {
            // An odd last one has no neighbour.
            if let Some(beside) = level.get(at ^ 1) {
                path.extend(beside);
            }
            at >>= 1;
        }
        Some(path)
    }
}

fn hash(kind: &[u8], left: &[u8], right: &[u8]) -> Digest {
    let mut hash = Sm3::new();
    hash.update(kind);
    hash.update(left);
    hash.update(right);
    hash.digest()
}
