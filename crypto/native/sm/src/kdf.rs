//! The key derivation function over SM3 (GB/T 32918.4, section 5.4.3).

use crate::sm3::{DIGEST_SIZE, Sm3};
use crate::wiping::{self, SHALLOW};

/// Bytes that one derivation may give; the standard's own limit is (2^32 - 1) 32.
pub const OUTPUT_MAX: usize = 32 << 20;

/// Fills `output`, at most [`OUTPUT_MAX`] bytes, with SM3(z, 1), SM3(z, 2) ...
pub fn fill(z: &[u8], output: &mut [u8]) {
    wiping::work::<SHALLOW, _>(|| {
        let mut start = Sm3::new();
        start.update(z);
        for (counter, chunk) in (1u32..).zip(output.chunks_mut(DIGEST_SIZE)) {
            let mut hash = start.clone();
            hash.update(&counter.to_be_bytes());
            chunk.copy_from_slice(&hash.finish()[..chunk.len()]);
        }
    })
}
