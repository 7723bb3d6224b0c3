//! SM4 on x86-64, its S-box from the processor's AES instructions: `maps` says how.
//!
//! No memory is indexed by a secret: maps are tables in registers, looked up by PSHUFB. A word
//! of the cipher fills all four columns of a vector, in the rounds' names. A round waits for one
//! sum, the S-box, a map, and two sums; a second chain of rounds runs in its gaps.
//!
//! The functions of this module are for [`crate::Backend::Adx`] alone.

#![allow(unsafe_code)]

use super::maps::{INPUT_CONSTANT, Map};
use super::vector::Vector;
use super::{Block, FIXED_PARAMETER, RoundKeys, SYSTEM_PARAMETER};

/// FK in the rounds' names.
static KEY_START: [u32; 4] = {
    let mut words = [0; 4];
    let mut i = 0;
    while i < 4 {
        words[i] = Map::IN.of_word(SYSTEM_PARAMETER[i]);
        i += 1;
    }
    words
};
/// CK in the rounds' names, with what is added before the S-box.
static KEY_CONSTANTS: [[u32; 4]; 8] = {
    let mut words = [[0; 4]; 8];
    let mut i = 0;
    while i < 32 {
        words[i / 4][i % 4] = Map::IN.of_word(FIXED_PARAMETER[i]) ^ INPUT_CONSTANT;
        i += 1;
    }
    words
};
static IN: Map = Map::IN;
static OUT: Map = Map::OUT;
static L: [Map; 4] = Map::L;
static L_PRIME: [Map; 4] = Map::L_PRIME;

/// Four words, each in all columns of its vector.
type Words = [Vector; 4];

/// Expands a key; the round keys are in the rounds' names, with what is added before the S-box.
pub(super) fn expand(key: &Block) -> RoundKeys {
    #[target_feature(enable = "aes,ssse3")]
    unsafe fn compiled(key: &Block) -> RoundKeys {
        expand_inline(key)
    }
    // SAFETY: the back end in use stands for AES-NI and SSSE3.
    unsafe { compiled(key) }
}

/// Encrypts one block.
pub(super) fn encrypt(round_keys: &RoundKeys, block: &Block) -> Block {
    #[target_feature(enable = "aes,ssse3")]
    unsafe fn compiled(round_keys: &RoundKeys, block: &Block) -> Block {
        encrypt_inline(round_keys, block)
    }
    // SAFETY: the back end in use stands for AES-NI and SSSE3.
    unsafe { compiled(round_keys, block) }
}

/// Decrypts one block.
pub(super) fn decrypt(round_keys: &RoundKeys, block: &Block) -> Block {
    #[target_feature(enable = "aes,ssse3")]
    unsafe fn compiled(round_keys: &RoundKeys, block: &Block) -> Block {
        decrypt_inline(round_keys, block)
    }
    // SAFETY: the back end in use stands for AES-NI and SSSE3.
    unsafe { compiled(round_keys, block) }
}

/// Encrypts one block under a key that is not kept: a round of the key, then one of the block,
/// so that neither waits for the other's S-box.
pub(super) fn encrypt_once(key: &Block, block: &Block) -> Block {
    #[target_feature(enable = "aes,ssse3")]
    unsafe fn compiled(key: &Block, block: &Block) -> Block {
        encrypt_once_inline(key, block)
    }
    // SAFETY: the back end in use stands for AES-NI and SSSE3.
    unsafe { compiled(key, block) }
}

/// Encrypts so many blocks at a time.
pub(super) const LANES: usize = 8;

/// Encrypts blocks side by side. Here each column of a vector holds the word of another block,
/// so the shift of rows that comes with the S-box is undone before it; and a second chain of
/// four blocks runs in the first one's gaps.
pub(super) fn encrypt_lanes(round_keys: &RoundKeys, blocks: &mut [Block; LANES]) {
    #[target_feature(enable = "aes,ssse3")]
    unsafe fn compiled(round_keys: &RoundKeys, blocks: &mut [Block; LANES]) {
        encrypt_lanes_inline(round_keys, blocks);
    }
    // SAFETY: the back end in use stands for AES-NI and SSSE3.
    unsafe { compiled(round_keys, blocks) }
}

#[inline(always)]
fn encrypt_lanes_inline(round_keys: &RoundKeys, blocks: &mut [Block; LANES]) {
    let [b0, b1, b2, b3, b4, b5, b6, b7] = blocks;
    let mut x = Vector::transposed([read(b0), read(b1), read(b2), read(b3)]);
    let mut y = Vector::transposed([read(b4), read(b5), read(b6), read(b7)]);
    for start in (0..32).step_by(4) {
        let keys = four(round_keys, start).spread();
        for (i, key) in keys.into_iter().enumerate() {
            next_of::<true>(&mut x, i, key, &L);
            next_of::<true>(&mut y, i, key, &L);
        }
    }
    for (four, words) in blocks.chunks_exact_mut(4).zip([x, y]) {
        let [w0, w1, w2, w3] = words;
        for (block, words) in four.iter_mut().zip(Vector::transposed([w3, w2, w1, w0])) {
            *block = write_words(words);
        }
    }
}

#[inline(always)]
fn expand_inline(key: &Block) -> RoundKeys {
    let mut k = key_words(key);
    let mut round_keys = [0; 32];
    for (keys, constants) in round_keys.chunks_exact_mut(4).zip(&KEY_CONSTANTS) {
        let constants = Vector::from_words(constants).spread();
        for i in 0..4 {
            next(&mut k, i, constants[i], &L_PRIME);
            keys[i] = k[i].word() ^ INPUT_CONSTANT;
        }
    }
    round_keys
}

#[inline(always)]
fn encrypt_inline(round_keys: &RoundKeys, block: &Block) -> Block {
    let mut x = read(block).spread();
    for start in (0..32).step_by(4) {
        let keys = four(round_keys, start).spread();
        for (i, key) in keys.into_iter().enumerate() {
            next(&mut x, i, key, &L);
        }
    }
    write(x)
}

#[inline(always)]
fn decrypt_inline(round_keys: &RoundKeys, block: &Block) -> Block {
    let mut x = read(block).spread();
    for start in (0..32).step_by(4).rev() {
        let keys = four(round_keys, start).spread();
        for (i, key) in keys.into_iter().rev().enumerate() {
            next(&mut x, i, key, &L);
        }
    }
    write(x)
}

#[inline(always)]
fn encrypt_once_inline(key: &Block, block: &Block) -> Block {
    let mut k = key_words(key);
    let mut x = read(block).spread();
    let input_constant = Vector::from_words(&[INPUT_CONSTANT; 4]);
    for constants in &KEY_CONSTANTS {
        let constants = Vector::from_words(constants).spread();
        for i in 0..4 {
            next(&mut k, i, constants[i], &L_PRIME);
            next(&mut x, i, k[i].xor(input_constant), &L);
        }
    }
    write(x)
}

/// One round: the word in place i becomes the fourth after it.
#[inline(always)]
fn next(x: &mut Words, i: usize, key: Vector, maps: &[Map; 4]) {
    next_of::<false>(x, i, key, maps);
}

/// The same; `DIFFER`: the columns hold words of several blocks.
#[inline(always)]
fn next_of<const DIFFER: bool>(x: &mut Words, i: usize, key: Vector, maps: &[Map; 4]) {
    // The last word comes last: it alone was not there before.
    let earlier = x[(i + 1) % 4].xor(x[(i + 2) % 4]).xor(key);
    let mut input = earlier.xor(x[(i + 3) % 4]);
    if DIFFER {
        input = input.shuffle(ROWS_SHIFTED_BACK);
    }
    let output = input.aes_s_box().nibbles();
    let [same, up_1, up_2, up_3] = [0, 1, 2, 3].map(|k| Vector::mapped(output, &maps[k]));
    let up_1 = up_1.shuffle(moved_up(1));
    let up_2 = up_2.shuffle(moved_up(2));
    let up_3 = up_3.shuffle(moved_up(3));
    x[i] = x[i].xor(same).xor(up_3).xor(up_1.xor(up_2));
}

/// Where the bytes of words come from that go up by some places.
const fn moved_up(places: u8) -> [u8; 16] {
    let mut from = [0; 16];
    let mut i = 0;
    while i < 16 {
        from[i as usize] = i / 4 * 4 + (i + 4 - places) % 4;
        i += 1;
    }
    from
}

#[inline(always)]
fn key_words(key: &Block) -> Words {
    read(key).xor(Vector::from_words(&KEY_START)).spread()
}

#[inline(always)]
fn four(round_keys: &RoundKeys, start: usize) -> Vector {
    Vector::from_words(&core::array::from_fn(|i| round_keys[start + i]))
}

/// The words of a block, in the rounds' names.
#[inline(always)]
fn read(block: &Block) -> Vector {
    let words = Vector::from_bytes(block).shuffle(REVERSED_IN_WORDS);
    Vector::mapped(words.nibbles(), &IN)
}

/// Where the bytes come from so that AES's shift of rows brings them back: byte 4c + r stands in
/// column c and row r, and row r goes r columns down (FIPS 197, section 5.1.2).
const ROWS_SHIFTED_BACK: [u8; 16] = {
    let mut from = [0; 16];
    let mut i = 0;
    while i < 16 {
        let (column, row) = (i / 4, i % 4);
        from[i] = ((column + 4 - row) % 4 * 4 + row) as u8;
        i += 1;
    }
    from
};

/// The block of the words in reverse.
#[inline(always)]
fn write([x0, x1, x2, x3]: Words) -> Block {
    write_words(Vector::gather([x3, x2, x1, x0]))
}

#[inline(always)]
fn write_words(words: Vector) -> Block {
    Vector::mapped(words.nibbles(), &OUT)
        .shuffle(REVERSED_IN_WORDS)
        .to_bytes()
}

/// Big-endian words and back.
const REVERSED_IN_WORDS: [u8; 16] = [3, 2, 1, 0, 7, 6, 5, 4, 11, 10, 9, 8, 15, 14, 13, 12];
