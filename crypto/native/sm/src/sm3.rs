//! SM3 (GB/T 32905-2016): a digest of 32 bytes.

use zeroize::Zeroize;

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
    hash.digest()
}

/// A digest in the making; wiped when dropped, because what it has read may be a secret.
#[derive(Clone)]
pub struct Sm3 {
    state: [u32; 8],
    block: [u8; BLOCK_SIZE],
    length: u64,
}

impl Sm3 {
    /// Starts a digest.
    pub fn new() -> Self {
        Self {
            state: INITIAL,
            block: [0; BLOCK_SIZE],
            length: 0,
        }
    }

    /// Reads on.
    pub fn update(&mut self, mut data: &[u8]) {
        let filled = (self.length % BLOCK_SIZE as u64) as usize;
        self.length = self.length.wrapping_add(data.len() as u64);
        if filled > 0 {
            let (head, rest) = data.split_at(data.len().min(BLOCK_SIZE - filled));
            self.block[filled..filled + head.len()].copy_from_slice(head);
            if filled + head.len() < BLOCK_SIZE {
                return;
            }
            compress(&mut self.state, &self.block);
            data = rest;
        }
        let blocks = data.chunks_exact(BLOCK_SIZE);
        let rest = blocks.remainder();
        blocks.for_each(|block| compress(&mut self.state, block));
        self.block[..rest.len()].copy_from_slice(rest);
    }

    /// Returns the digest of what was read so far; reading can go on.
    pub fn digest(&self) -> Digest {
        let mut last = self.clone();
        let filled = (self.length % BLOCK_SIZE as u64) as usize;
        last.block[filled] = 0x80;
        last.block[filled + 1..].fill(0);
        if filled + 1 > BLOCK_SIZE - 8 {
            compress(&mut last.state, &last.block);
            last.block.fill(0);
        }
        let bits = self.length.wrapping_mul(8);
        last.block[BLOCK_SIZE - 8..].copy_from_slice(&bits.to_be_bytes());
        compress(&mut last.state, &last.block);
        let mut digest = [0; DIGEST_SIZE];
        for (bytes, word) in digest.chunks_exact_mut(4).zip(last.state) {
            bytes.copy_from_slice(&word.to_be_bytes());
        }
        digest
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
fn compress(state: &mut [u32; 8], block: &[u8]) {
    let mut w = [0u32; 68];
    for (word, bytes) in w.iter_mut().zip(block.chunks_exact(4)) {
        *word = bytes
            .iter()
            .fold(0, |value, byte| (value << 8) | u32::from(*byte));
    }
    for j in 16..68 {
        w[j] = p1(w[j - 16] ^ w[j - 9] ^ w[j - 3].rotate_left(15))
            ^ w[j - 13].rotate_left(7)
            ^ w[j - 6];
    }
    let mut v = *state;
    for j in 0..16 {
        round(&mut v, j, &w, |x, y, z| x ^ y ^ z, |x, y, z| x ^ y ^ z);
    }
    for j in 16..64 {
        round(
            &mut v,
            j,
            &w,
            |x, y, z| (x & y) | ((x | y) & z),
            |x, y, z| z ^ (x & (y ^ z)),
        );
    }
    for (word, new) in state.iter_mut().zip(v) {
        *word ^= new;
    }
}

/// One round (section 5.3.3) with the boolean functions FF_j and GG_j.
#[inline(always)]
fn round(
    v: &mut [u32; 8],
    j: usize,
    w: &[u32; 68],
    ff: impl Fn(u32, u32, u32) -> u32,
    gg: impl Fn(u32, u32, u32) -> u32,
) {
    let [a, b, c, d, e, f, g, h] = *v;
    let a12 = a.rotate_left(12);
    let ss1 = a12
        .wrapping_add(e)
        .wrapping_add(ROUND_CONSTANTS[j])
        .rotate_left(7);
    let ss2 = ss1 ^ a12;
    let tt1 = ff(a, b, c)
        .wrapping_add(d)
        .wrapping_add(ss2)
        .wrapping_add(w[j] ^ w[j + 4]);
    let tt2 = gg(e, f, g)
        .wrapping_add(h)
        .wrapping_add(ss1)
        .wrapping_add(w[j]);
    *v = [
        tt1,
        a,
        b.rotate_left(9),
        c,
        p0(tt2),
        e,
        f.rotate_left(19),
        g,
    ];
}
