//! Keys of cards from a master key, and the MAC of their secure messaging.

use crate::wiping::{self, SHALLOW};

use super::{BLOCK_SIZE, Block, Sm4, once};
use crate::Backend;

/// Bytes of a diversification factor.
pub const FACTOR_SIZE: usize = 8;

/// First bytes of the encryption of zeros under a key, which tell two keys apart.
pub const CHECK_VALUE_SIZE: usize = 3;

/// Bytes of an encrypted key with its check value behind it.
pub const WRAPPED_SIZE: usize = BLOCK_SIZE + CHECK_VALUE_SIZE;

/// Derives the key of one card, or a session key where the factor is random: the encryption of
/// the factor and its complement under the master key.
pub fn diversify(master: &Block, factor: &[u8; FACTOR_SIZE]) -> Block {
    wiping::work::<SHALLOW, _>(|| once(Backend::current(), master, &both(factor)))
}

/// Derives a key from each of these, encrypts it under the transport key, and puts its check
/// value behind it. No derived key outlives the call.
///
/// masters: keys behind each other, as many as there are places.
pub fn wrap_diversified(
    masters: &[u8],
    factor: &[u8; FACTOR_SIZE],
    transport: &Sm4,
    wrapped: &mut [[u8; WRAPPED_SIZE]],
) {
    let (backend, block) = (Backend::current(), both(factor));
    wiping::work::<SHALLOW, _>(|| {
        let masters = masters.chunks_exact(BLOCK_SIZE).map(TryFrom::try_from);
        for (master, place) in masters.flatten().zip(wrapped) {
            let key = once(backend, master, &block);
            let check_value = once(backend, &key, &[0; BLOCK_SIZE]);
            place[..BLOCK_SIZE].copy_from_slice(&transport.encrypt(&key));
            place[BLOCK_SIZE..].copy_from_slice(&check_value[..CHECK_VALUE_SIZE]);
        }
    });
}

/// The factor and its complement.
fn both(factor: &[u8; FACTOR_SIZE]) -> Block {
    core::array::from_fn(|i| factor[i % FACTOR_SIZE] ^ if i < FACTOR_SIZE { 0 } else { 0xff })
}

/// Returns the last block of the CBC encryption of a message, which is padded by 80 and then by
/// zeros, always, up to whole blocks.
///
/// The blocks before the last one must never be told. Messages of several lengths under one key
/// and one `iv` can be forged from each other's MACs: a card draws the `iv` anew each time.
pub fn cbc_mac(key: &Block, iv: &Block, message: &[u8]) -> Block {
    let sm4 = Sm4::new(key);
    let blocks = message.chunks_exact(BLOCK_SIZE);
    let rest = blocks.remainder();
    let mut last = [0; BLOCK_SIZE];
    last[..rest.len()].copy_from_slice(rest);
    last[rest.len()] = 0x80;
    wiping::work::<SHALLOW, _>(|| {
        blocks.chain([&last[..]]).fold(*iv, |mut state, block| {
            for (byte, other) in state.iter_mut().zip(block) {
                *byte ^= other;
            }
            sm4.encrypt(&state)
        })
    })
}
