//! SM3 (GB/T 32905-2016): a digest of 32 bytes.

use zeroize::{DefaultIsZeroes, Zeroize};

/// Bytes of a digest.
pub const DIGEST_SIZE: usize = 32;
/// Bytes that are compressed at a time.
pub(crate) const BLOCK_SIZE: usize = 64;

/// A digest.
pub type Digest = [u8; DIGEST_SIZE];

/// Section 4.1.
const INITIAL: [u32; 8] = [
    0x7380_166f,
    0x4914_b2b9,
    0x1724_42d7,
    0xda8a_0600,
    0xa96f_30bc,
    0x1631_38aa,
    0xe38d_ee4d,
    0xb0fb_0e4e,
];

/// T_j rotated left by j (sections 4.2 and 5.3.3).
const ROUND_CONSTANTS: [u32; 64] = round_constants();

const fn round_constants() -> [u32; 64] {
    let mut constants = [0; 64];
    let mut j = 0;
    while j < 64 {
        let t: u32 = if j < 16 { 0x79cc_4519 } else { 0x7a87_9d8a };
        constants[j] = t.rotate_left(j as u32 % 32);
        j += 1;
    }
    constants
}

/// Returns the digest of some bytes.
pub fn digest(data: &[u8]) -> Digest {
    let mut hash = Sm3::new();
    hash.update(data);
    hash.finish()
}

/// Bytes that are wiped as a whole: byte by byte, a short digest would show it.
#[derive(Clone, Copy)]
struct Block([u8; BLOCK_SIZE]);

impl Default for Block {
    fn default() -> Self {
        Self([0; BLOCK_SIZE])
    }
}

impl DefaultIsZeroes for Block {}

/// A digest in the making; wiped when dropped, because what it has read may be a secret.
#[derive(Clone)]
pub struct Sm3 {
    state: [u32; 8],
    block: Block,
    length: u64,
}

impl Sm3 {
    /// Starts a digest.
    pub fn new() -> Self {
        Self {
            state: INITIAL,
            block: Block::default(),
            length: 0,
        }
    }

    /// Reads on.
    pub fn update(&mut self, mut data: &[u8]) {
        let filled = self.filled();
        self.length = self.length.wrapping_add(data.len() as u64);
        if filled > 0 {
            let (head, rest) = data.split_at(data.len().min(BLOCK_SIZE - filled));
            self.block.0[filled..filled + head.len()].copy_from_slice(head);
            if filled + head.len() < BLOCK_SIZE {
                return;
            }
            compress(&mut self.state, &self.block.0);
            data = rest;
        }
        while let Some((block, rest)) = data.split_first_chunk() {
            compress(&mut self.state, block);
            data = rest;
        }
        self.block.0[..data.len()].copy_from_slice(data);
    }

    /// Returns the digest of what was read so far; reading can go on.
    pub fn digest(&self) -> Digest {
        self.clone().finish()
    }

    /// Returns the digest of what was read.
    pub(crate) fn finish(mut self) -> Digest {
        let filled = self.filled();
        self.block.0[filled] = 0x80;
        self.block.0[filled + 1..].fill(0);
        if filled + 1 > BLOCK_SIZE - 8 {
            compress(&mut self.state, &self.block.0);
            self.block.0.fill(0);
        }
        let bits = self.length.wrapping_mul(8);
        self.block.0[BLOCK_SIZE - 8..].copy_from_slice(&bits.to_be_bytes());
        compress(&mut self.state, &self.block.0);
        let mut digest = [0; DIGEST_SIZE];
        for (bytes, word) in digest.chunks_exact_mut(4).zip(self.state) {
            bytes.copy_from_slice(&word.to_be_bytes());
        }
        digest
    }

    /// Bytes in `block` that wait for more.
    const fn filled(&self) -> usize {
        (self.length % BLOCK_SIZE as u64) as usize
    }
}

impl Drop for Sm3 {
    fn drop(&mut self) {
        self.state.zeroize();
        self.block.zeroize();
    }
}

impl Default for Sm3 {
    fn default() -> Self {
        Self::new()
    }
}

const fn p0(x: u32) -> u32 {
    x ^ x.rotate_left(9) ^ x.rotate_left(17)
}

const fn p1(x: u32) -> u32 {
    x ^ x.rotate_left(15) ^ x.rotate_left(23)
}

/// The compression function (section 5.3), in the standard's letters.
///
/// Rounds wait for each other, so the speed lies in what they need not wait for: all 64 are
/// written out, no register is moved, and a word of the message is expanded when it is needed.
fn compress(state: &mut [u32; 8], block: &[u8; BLOCK_SIZE]) {
    let mut w: [u32; 16] =
        core::array::from_fn(|i| u32::from_be_bytes([0, 1, 2, 3].map(|byte| block[4 * i + byte])));
    let mut v = *state;
    sixteen_rounds(&mut v, &mut w, 0, parity, parity);
    sixteen_rounds(&mut v, &mut w, 16, majority, choice);
    sixteen_rounds(&mut v, &mut w, 32, majority, choice);
    sixteen_rounds(&mut v, &mut w, 48, majority, choice);
    for (word, new) in state.iter_mut().zip(v) {
        *word ^= new;
    }
    w.zeroize();
}

/// FF_j and GG_j for j below 16.
const fn parity(x: u32, y: u32, z: u32) -> u32 {
    x ^ y ^ z
}

/// FF_j for j from 16.
const fn majority(x: u32, y: u32, z: u32) -> u32 {
    (x & y) | ((x | y) & z)
}

/// GG_j for j from 16.
const fn choice(x: u32, y: u32, z: u32) -> u32 {
    z ^ (x & (y ^ z))
}

#[inline(always)]
fn sixteen_rounds(
    v: &mut [u32; 8],
    w: &mut [u32; 16],
    start: usize,
    ff: impl Fn(u32, u32, u32) -> u32,
    gg: impl Fn(u32, u32, u32) -> u32,
) {
    // A loop would not be unrolled, and `v[i]` must be a register.
    macro_rules! rounds {
        ($($j:literal)*) => {
            $(round(v, w, start + $j, &ff, &gg);)*
        };
    }
    rounds!(0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15);
}

/// Round j (section 5.3.3). The letters move along `v` by one place each round instead of the
/// words: A stands in `v[-j mod 4]`, E four further on.
///
/// `w` is a ring of the last 16 words (section 5.3.2): W_j in place j mod 16.
#[inline(always)]
fn round(
    v: &mut [u32; 8],
    w: &mut [u32; 16],
    j: usize,
    ff: &impl Fn(u32, u32, u32) -> u32,
    gg: &impl Fn(u32, u32, u32) -> u32,
) {
    let [a, b, c, d] = [0, 1, 2, 3].map(|letter| (letter + 64 - j) % 4);
    let [e, f, g, h] = [a, b, c, d].map(|place| place + 4);
    if j >= 12 {
        let before = |distance: usize| w[(j + 4 + 16 - distance) % 16];
        w[(j + 4) % 16] = p1(before(16) ^ before(9) ^ before(3).rotate_left(15))
            ^ before(13).rotate_left(7)
            ^ before(6);
    }
    let a12 = v[a].rotate_left(12);
    let ss1 = a12
        .wrapping_add(v[e].wrapping_add(ROUND_CONSTANTS[j]))
        .rotate_left(7);
    let ss2 = ss1 ^ a12;
    let w_prime = w[j % 16] ^ w[(j + 4) % 16];
    // Summed up in pairs: what is known early first.
    let tt1 = ff(v[a], v[b], v[c])
        .wrapping_add(v[d].wrapping_add(w_prime))
        .wrapping_add(ss2);
    let tt2 = gg(v[e], v[f], v[g])
        .wrapping_add(v[h].wrapping_add(w[j % 16]))
        .wrapping_add(ss1);
    v[b] = v[b].rotate_left(9);
    v[d] = tt1;
    v[f] = v[f].rotate_left(19);
    v[h] = p0(tt2);
}

#[cfg(test)]
mod tests {
    use core::mem::ManuallyDrop;

    use super::*;

    #[test]
    #[allow(unsafe_code)]
    fn state_and_bytes_are_wiped_when_dropped() {
        let mut hash = ManuallyDrop::new(Sm3::new());
        hash.update(&[7; BLOCK_SIZE]);
        hash.update(&[7; BLOCK_SIZE - 1]);
        assert!(hash.state.iter().all(|word| *word != 0));
        assert_eq!(hash.block.0[..BLOCK_SIZE - 1], [7; BLOCK_SIZE - 1]);
        // SAFETY: dropped once, and what is read afterwards are whole numbers in memory that is
        // still there.
        let left = unsafe {
            ManuallyDrop::drop(&mut hash);
            ManuallyDrop::new(core::ptr::addr_of!(*hash).read())
        };
        assert_eq!(left.state, [0; 8]);
        assert_eq!(left.block.0, [0; BLOCK_SIZE]);
    }
}
