//! SM4 in plain 64-bit Rust, its S-box from gates.

use zeroize::Zeroize;

use super::s_box::substitute;
use super::{
    BLOCK_SIZE, Block, FIXED_PARAMETER, KEY_ROTATIONS, ROTATIONS, RoundKeys, SYSTEM_PARAMETER,
};

/// L or L' (sections 6.2 and 7.3) of a word in the lower half.
#[inline(always)]
fn transform(word: u64, rotations: &[u32]) -> u32 {
    rotations
        .iter()
        .fold(0, |sum, count| sum ^ (word as u32).rotate_left(*count))
}

/// Expands a key to its round keys (section 7.3).
pub(super) fn expand(key: &Block) -> RoundKeys {
    let mut k = key_words(key);
    let mut round_keys = [0; 32];
    for (round_key, parameter) in round_keys.iter_mut().zip(FIXED_PARAMETER) {
        let output = substitute(u64::from(k[1] ^ k[2] ^ k[3] ^ parameter));
        *round_key = k[0] ^ transform(output, &KEY_ROTATIONS);
        k = [k[1], k[2], k[3], *round_key];
    }
    k.zeroize();
    round_keys
}

/// 32 times F (section 6.2), and the words in reverse.
pub(super) fn apply_rounds<'a>(block: &Block, round_keys: impl Iterator<Item = &'a u32>) -> Block {
    let mut x = to_words(block);
    for round_key in round_keys {
        let output = substitute(u64::from(x[1] ^ x[2] ^ x[3] ^ round_key));
        x = [x[1], x[2], x[3], x[0] ^ transform(output, &ROTATIONS)];
    }
    from_words(x)
}

/// Encrypts two blocks under one key: the S-box takes a word of each at the same time.
pub(super) fn encrypt_two(round_keys: &RoundKeys, first: &Block, second: &Block) -> [Block; 2] {
    let (mut x, mut y) = (to_words(first), to_words(second));
    for round_key in round_keys {
        let input_x = u64::from(x[1] ^ x[2] ^ x[3] ^ round_key);
        let input_y = u64::from(y[1] ^ y[2] ^ y[3] ^ round_key);
        let output = substitute(input_x << 32 | input_y);
        x = [x[1], x[2], x[3], x[0] ^ transform(output >> 32, &ROTATIONS)];
        y = [y[1], y[2], y[3], y[0] ^ transform(output, &ROTATIONS)];
    }
    [from_words(x), from_words(y)]
}

/// Encrypts under a key that is not kept: the S-box takes a word of the key and, one round
/// behind it, a word of the block at the same time.
pub(super) fn encrypt_once(key: &Block, block: &Block) -> Block {
    let mut k = key_words(key);
    let mut x = to_words(block);
    // The last round has no key after it; what is computed in its place is not used.
    for (i, parameter) in FIXED_PARAMETER.into_iter().chain([0]).enumerate() {
        let key_input = k[1] ^ k[2] ^ k[3] ^ parameter;
        let input = x[1] ^ x[2] ^ x[3] ^ k[3];
        let output = substitute(u64::from(key_input) << 32 | u64::from(input));
        k = [
            k[1],
            k[2],
            k[3],
            k[0] ^ transform(output >> 32, &KEY_ROTATIONS),
        ];
        if i > 0 {
            x = [x[1], x[2], x[3], x[0] ^ transform(output, &ROTATIONS)];
        }
    }
    k.zeroize();
    from_words(x)
}

fn key_words(key: &Block) -> [u32; 4] {
    let mut words = to_words(key);
    for (word, parameter) in words.iter_mut().zip(SYSTEM_PARAMETER) {
        *word ^= parameter;
    }
    words
}

/// The block of the words in reverse.
fn from_words([x0, x1, x2, x3]: [u32; 4]) -> Block {
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
