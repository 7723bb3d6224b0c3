//! SM4 in Galois/counter mode (GB/T 36624, chapter 9; RFC 8998), with a tag of 16 bytes.
//!
//! GHASH is that of the `ghash` crate: in constant time, with PCLMULQDQ where the processor has it.

use ghash::GHash;
use ghash::universal_hash::UniversalHash;
use zeroize::Zeroize;

use crate::mask::Mask;
use crate::wiping;

use super::{BLOCK_SIZE, Block, Sm4};

/// Bytes of a tag.
pub const TAG_SIZE: usize = 16;
/// Bytes of a nonce. Shorter ones invite one used twice; longer ones nobody has.
pub const NONCE_SIZES: core::ops::RangeInclusive<usize> = 8..=128;
/// Bytes of a text: more would use a counter twice.
pub const TEXT_SIZE_MAX: u64 = (1 << 36) - 32;

/// The nonce whose counter starts at 1 instead of at a hash.
const USUAL_NONCE_SIZE: usize = 12;
/// Enough stack for the blocks in work and GHASH's powers of the key.
const STACK: usize = 4 << 10;
/// Blocks of the key stream that are made at a time.
const LANES: usize = 8;

/// Why a text was not sealed or opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GcmFailed {
    /// The nonce is none of [`NONCE_SIZES`].
    NonceSize,
    /// The text has more than [`TEXT_SIZE_MAX`] bytes.
    TextTooLong,
    /// The sealed text is not what was sealed, or was cut.
    Tag,
}

/// A key with what GHASH computes from it once; wiped when dropped.
pub struct Gcm {
    sm4: Sm4,
    /// Before its first block; in a box, so that moving the key leaves no copy behind.
    hash: Box<GHash>,
}

impl Gcm {
    /// Expands a key.
    pub fn new(key: &Block) -> Self {
        Self::of(Sm4::new(key))
    }

    pub(crate) fn of(sm4: Sm4) -> Self {
        wiping::work::<STACK, _>(|| {
            let mut h = ghash::Key::from(sm4.encrypt(&[0; BLOCK_SIZE]));
            let hash = Box::new(GHash::new(&h));
            h.zeroize();
            Self { sm4, hash }
        })
    }

    /// Writes the ciphertext and the tag, which covers `aad` too. `sealed` has [`TAG_SIZE`] bytes
    /// more than the text.
    ///
    /// # Errors
    /// [`GcmFailed::NonceSize`], [`GcmFailed::TextTooLong`]; nothing is written then.
    pub fn seal(
        &self,
        nonce: &[u8],
        aad: &[u8],
        text: &[u8],
        sealed: &mut [u8],
    ) -> Result<(), GcmFailed> {
        check_sizes(nonce, text)?;
        let (ciphertext, tag) = sealed
            .split_last_chunk_mut::<TAG_SIZE>()
            .ok_or(GcmFailed::Tag)?;
        wiping::work::<STACK, _>(|| {
            let mut stream = self.key_stream(nonce, text.len());
            let last = *stream.next();
            stream.add_to(text, ciphertext);
            *tag = self.tag(aad, ciphertext, &last);
        });
        Ok(())
    }

    /// Writes the text, only after the tag was found right. `text` has [`TAG_SIZE`] bytes less
    /// than what was sealed.
    ///
    /// # Errors
    /// [`GcmFailed`]; nothing is written then.
    pub fn open(
        &self,
        nonce: &[u8],
        aad: &[u8],
        sealed: &[u8],
        text: &mut [u8],
    ) -> Result<(), GcmFailed> {
        let (ciphertext, tag) = sealed
            .split_last_chunk::<TAG_SIZE>()
            .ok_or(GcmFailed::Tag)?;
        check_sizes(nonce, ciphertext)?;
        wiping::work::<STACK, _>(|| {
            let mut stream = self.key_stream(nonce, ciphertext.len());
            let last = *stream.next();
            let expected = self.tag(aad, ciphertext, &last);
            if !Mask::if_equal_bytes(&expected, tag).reveal() {
                return Err(GcmFailed::Tag);
            }
            stream.add_to(ciphertext, text);
            Ok(())
        })
    }

    /// The key stream whose first block is for the tag, and whose others are for a text.
    fn key_stream(&self, nonce: &[u8], text_size: usize) -> KeyStream<'_> {
        let mut counter = [0; BLOCK_SIZE];
        if nonce.len() == USUAL_NONCE_SIZE {
            counter[..USUAL_NONCE_SIZE].copy_from_slice(nonce);
            counter[BLOCK_SIZE - 1] = 1;
        } else {
            counter = self.hashed(&[], nonce, nonce.len());
        }
        KeyStream {
            sm4: &self.sm4,
            counter,
            blocks_left: 1 + text_size.div_ceil(BLOCK_SIZE),
            lanes: [[0; BLOCK_SIZE]; LANES],
            used: LANES,
        }
    }

    fn tag(&self, aad: &[u8], ciphertext: &[u8], last: &Block) -> [u8; TAG_SIZE] {
        let hashed = self.hashed(aad, ciphertext, ciphertext.len());
        core::array::from_fn(|i| hashed[i] ^ last[i])
    }

    fn hashed(&self, aad: &[u8], data: &[u8], size: usize) -> Block {
        let mut hash = (*self.hash).clone();
        hash.update_padded(aad);
        hash.update_padded(data);
        let bits = |bytes: usize| (bytes as u64).wrapping_mul(8).to_be_bytes();
        let mut sizes = [0; BLOCK_SIZE];
        sizes[..8].copy_from_slice(&bits(aad.len()));
        sizes[8..].copy_from_slice(&bits(size));
        hash.update(&[sizes.into()]);
        hash.finalize().into()
    }
}

impl core::fmt::Debug for Gcm {
    fn fmt(&self, formatter: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        formatter.write_str("Gcm(hidden)")
    }
}

fn check_sizes(nonce: &[u8], text: &[u8]) -> Result<(), GcmFailed> {
    if !NONCE_SIZES.contains(&nonce.len()) {
        return Err(GcmFailed::NonceSize);
    }
    if text.len() as u64 > TEXT_SIZE_MAX {
        return Err(GcmFailed::TextTooLong);
    }
    Ok(())
}

/// The encryptions of counters that follow each other, some at a time.
struct KeyStream<'a> {
    sm4: &'a Sm4,
    counter: Block,
    blocks_left: usize,
    lanes: [Block; LANES],
    used: usize,
}

impl KeyStream<'_> {
    #[inline(always)]
    fn next(&mut self) -> &Block {
        if self.used == LANES {
            self.fill();
        }
        self.used += 1;
        &self.lanes[self.used - 1]
    }

    #[inline(never)]
    fn fill(&mut self) {
        // No more than will be asked for: a back end without vectors takes long for each.
        let count = self.blocks_left.clamp(1, LANES);
        self.blocks_left -= count.min(self.blocks_left);
        for lane in &mut self.lanes[..count] {
            *lane = self.counter;
            count_up(&mut self.counter);
        }
        self.sm4.encrypt_all(&mut self.lanes[..count]);
        self.used = 0;
    }

    fn add_to(&mut self, from: &[u8], to: &mut [u8]) {
        for (from, to) in from.chunks(BLOCK_SIZE).zip(to.chunks_mut(BLOCK_SIZE)) {
            let stream = self.next();
            for ((to, from), key) in to.iter_mut().zip(from).zip(stream) {
                *to = from ^ key;
            }
        }
    }
}

/// The last four bytes are the counter, big-endian, and begin again at 0.
fn count_up(block: &mut Block) {
    if let Some(counter) = block.last_chunk_mut() {
        *counter = u32::from_be_bytes(*counter).wrapping_add(1).to_be_bytes();
    }
}
