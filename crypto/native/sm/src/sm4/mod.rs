//! SM4 (GB/T 32907-2016): a cipher of 16-byte blocks under a key of 16 bytes.
//!
//! [`Sm4`] keeps a key; [`encrypt_once`] is faster for one block under a key of its own. Over
//! them lie [`Gcm`], for what is stored or sent, and [`diversify`] and [`cbc_mac`], as bank and
//! social security cards use them.
//!
//! No back end reads a table at a place that depends on a secret.

#[cfg(target_arch = "x86_64")]
mod aes;
mod card_keys;
mod gcm;
#[cfg(target_arch = "x86_64")]
mod maps;
mod portable;
mod s_box;
#[cfg(target_arch = "x86_64")]
mod vector;

use zeroize::Zeroize;

pub use card_keys::{
    CHECK_VALUE_SIZE, FACTOR_SIZE, WRAPPED_SIZE, cbc_mac, diversify, wrap_diversified,
};
pub use gcm::{Gcm, GcmFailed, NONCE_SIZES, TAG_SIZE, TEXT_SIZE_MAX};

use crate::Backend;
use crate::wiping::{self, SHALLOW};

/// Bytes of a key and of a block.
pub const BLOCK_SIZE: usize = 16;

/// A key or a block.
pub type Block = [u8; BLOCK_SIZE];

/// In the form of the back end that expanded them.
pub(crate) type RoundKeys = [u32; 32];

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

/// The rotations whose sum is L (section 6.2).
const ROTATIONS: [u32; 5] = [0, 2, 10, 18, 24];
/// The rotations whose sum is L' (section 7.3).
const KEY_ROTATIONS: [u32; 3] = [0, 13, 23];

/// A key, expanded to its round keys; wiped when dropped.
#[derive(Clone)]
pub struct Sm4 {
    backend: Backend,
    /// In a box, so that moving the key leaves no copy behind.
    round_keys: Box<RoundKeys>,
}

impl Sm4 {
    /// Expands a key (section 7.3).
    pub fn new(key: &Block) -> Self {
        Self::on(Backend::current(), key)
    }

    /// Expands a key for a back end that this processor has.
    pub(crate) fn on(backend: Backend, key: &Block) -> Self {
        wiping::work::<SHALLOW, _>(|| {
            let round_keys = Box::new(match backend {
                #[cfg(target_arch = "x86_64")]
                Backend::Adx | Backend::Ifma => aes::expand(key),
                _ => portable::expand(key),
            });
            Self {
                backend,
                round_keys,
            }
        })
    }

    /// The round keys in the form of the back end, for whoever searches memory for
    /// them; never in what is delivered.
    #[cfg(feature = "inspection")]
    pub fn round_keys(&self) -> &[u32; 32] {
        &self.round_keys
    }

    /// Encrypts one block (section 7.1).
    pub fn encrypt_block(&self, block: &Block) -> Block {
        wiping::work::<SHALLOW, _>(|| self.encrypt(block))
    }

    /// The same, for work that wipes behind it.
    fn encrypt(&self, block: &Block) -> Block {
        match self.backend {
            #[cfg(target_arch = "x86_64")]
            Backend::Adx | Backend::Ifma => aes::encrypt(&self.round_keys, block),
            _ => portable::apply_rounds(block, self.round_keys.iter()),
        }
    }

    /// Encrypts each block, several at a time, for work that wipes behind it.
    fn encrypt_all(&self, blocks: &mut [Block]) {
        match self.backend {
            #[cfg(target_arch = "x86_64")]
            Backend::Adx | Backend::Ifma => {
                for some in blocks.chunks_mut(aes::LANES) {
                    let mut lanes = [[0; BLOCK_SIZE]; aes::LANES];
                    lanes[..some.len()].copy_from_slice(some);
                    aes::encrypt_lanes(&self.round_keys, &mut lanes);
                    some.copy_from_slice(&lanes[..some.len()]);
                }
            }
            _ => {
                for some in blocks.chunks_mut(2) {
                    match some {
                        [first, second] => {
                            [*first, *second] =
                                portable::encrypt_two(&self.round_keys, first, second);
                        }
                        _ => some.fill(self.encrypt(&some[0])),
                    }
                }
            }
        }
    }

    /// Decrypts one block: the same rounds, their keys in reverse (section 7.2).
    pub fn decrypt_block(&self, block: &Block) -> Block {
        wiping::work::<SHALLOW, _>(|| match self.backend {
            #[cfg(target_arch = "x86_64")]
            Backend::Adx | Backend::Ifma => aes::decrypt(&self.round_keys, block),
            _ => portable::apply_rounds(block, self.round_keys.iter().rev()),
        })
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

/// Encrypts one block under a key that is not needed again: its expansion and the rounds run
/// side by side.
pub fn encrypt_once(key: &Block, block: &Block) -> Block {
    encrypt_once_on(Backend::current(), key, block)
}

pub(crate) fn encrypt_once_on(backend: Backend, key: &Block, block: &Block) -> Block {
    wiping::work::<SHALLOW, _>(|| once(backend, key, block))
}

/// The same, for work that wipes behind it.
fn once(backend: Backend, key: &Block, block: &Block) -> Block {
    match backend {
        #[cfg(target_arch = "x86_64")]
        Backend::Adx | Backend::Ifma => aes::encrypt_once(key, block),
        _ => portable::encrypt_once(key, block),
    }
}
