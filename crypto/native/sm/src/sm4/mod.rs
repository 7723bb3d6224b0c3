//! SM4 (GB/T 32907-2016): a cipher of 16-byte blocks under a key of 16 bytes.

mod s_box;

use zeroize::Zeroize;

use s_box::substitute;

/// Bytes of a key and of a block.
pub const BLOCK_SIZE: usize = 16;

/// A key or a block.
pub type Block = [u8; BLOCK_SIZE];

/// FK (section 7.3).
const SYSTEM_PARAMETER: [u32; 4] = [0xa3b1_bac6, 0x56aa_3350, 0x677d_9197, 0xb270_22dc];

/// CK (section 7.3): byte j of word i is 7 (4i + j) mod 256.
const FIXED_PARAMETER: [u32; 32] = fixed_parameter();

const fn fixed_parameter() -> [u32; 32] {
    let mut words = [0; 32];
    let mut position = 0;
    while position < 128 {
        words[position / 4] = (words[position / 4] << 8) | (7 * position as u32 % 256);
        position += 1;
    }
    words
}

/// A key, expanded to its round keys; wiped when dropped.
#[derive(Clone)]
pub struct Sm4 {
    round_keys: [u32; 32],
}

impl Sm4 {
    /// Expands a key (section 7.3).
    pub fn new(key: &Block) -> Self {
        let mut words = to_words(key);
        for (word, parameter) in words.iter_mut().zip(SYSTEM_PARAMETER) {
            *word ^= parameter;
        }
        let mut round_keys = [0; 32];
        for (round_key, parameter) in round_keys.iter_mut().zip(FIXED_PARAMETER) {
            let [k0, k1, k2, k3] = words;
            let b = substitute(k1 ^ k2 ^ k3 ^ parameter);
            *round_key = k0 ^ b ^ b.rotate_left(13) ^ b.rotate_left(23);
            words = [k1, k2, k3, *round_key];
        }
        words.zeroize();
        Self { round_keys }
    }

    /// Encrypts one block (section 7.1).
    pub fn encrypt_block(&self, block: &Block) -> Block {
        apply_rounds(block, self.round_keys.iter())
    }

    /// Decrypts one block: the same rounds, their keys in reverse (section 7.2).
    pub fn decrypt_block(&self, block: &Block) -> Block {
        apply_rounds(block, self.round_keys.iter().rev())
    }
}

impl Drop for Sm4 {
    fn drop(&mut self) {
        self.round_keys.zeroize();
    }
}

impl core::fmt::Debug for Sm4 {
    fn fmt(&self, formatter: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        formatter.write_str("Sm4(hidden)")
    }
}

/// 32 times F (section 6.2), and the words in reverse.
fn apply_rounds<'a>(block: &Block, round_keys: impl Iterator<Item = &'a u32>) -> Block {
    let [x0, x1, x2, x3] = round_keys.fold(to_words(block), |[x0, x1, x2, x3], round_key| {
        let b = substitute(x1 ^ x2 ^ x3 ^ round_key);
        let c = b ^ b.rotate_left(2) ^ b.rotate_left(10) ^ b.rotate_left(18) ^ b.rotate_left(24);
        [x1, x2, x3, x0 ^ c]
    });
    let mut output = [0; BLOCK_SIZE];
    for (bytes, word) in output.chunks_exact_mut(4).zip([x3, x2, x1, x0]) {
        bytes.copy_from_slice(&word.to_be_bytes());
    }
    output
}

fn to_words(block: &Block) -> [u32; 4] {
    let mut words = [0; 4];
    for (word, bytes) in words.iter_mut().zip(block.chunks_exact(4)) {
        *word = bytes
            .iter()
            .fold(0, |value, byte| (value << 8) | u32::from(*byte));
    }
    words
}
