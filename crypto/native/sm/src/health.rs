//! Health tests of the random source, after NIST SP 800-90B, section 4.4, and GM/T 0005.
//!
//! | test | over | refused | a good source is refused |
//! |---|---|---|---|
//! | repetition count | 64-bit samples, one for each draw | the same twice | once in 2^64 draws |
//! | repetition count | the 64-bit words of a draw | the same twice | once in 2^64 words |
//! | adaptive proportion | 512 bytes, from 64 draws | the first of them 26 times | once in 2^62 windows |
//! | ones (start-up) | 32,768 bits | 800 off the half | once in 2^59 starts |
//! | poker (start-up) | 8192 half bytes | chi-squared above 125 | once in 2^62 starts |
//!
//! The system's source is a generator that was conditioned already, so a byte is expected to hold
//! 8 bits and the limits are as narrow as a service that draws for years can bear. They find a
//! source that is stuck, swings between two outputs, fills half of what was asked for, or is
//! biased. A generator seeded with a guessable value passes them all: no test of the output finds
//! that.
//!
//! What is remembered from one draw to the next comes from 8 bytes drawn with it that nobody else
//! ever gets: no part of a key or a nonce is kept. Two atomic words hold it, so no lock can be
//! left closed in a forked child; that a child inherits them takes nothing from the tests.

use core::sync::atomic::{AtomicU64, Ordering};

use crate::mask::Mask;

/// Bytes drawn beside each draw, for the tests alone.
pub(crate) const SAMPLE_SIZE: usize = 8;

/// Bytes of the start-up test.
pub(crate) const START_SIZE: usize = 4096;

/// Bytes of a window of the adaptive proportion test.
const WINDOW_SIZE: u64 = 512;

/// How often a window's first byte may not come in it: P(binomial(511, 1/256) >= 25) < 2^-62.
pub(crate) const PROPORTION_CUTOFF: u64 = 26;

/// How far the number of ones may be from the half: 8.8 standard deviations.
pub(crate) const ONES_DEVIATION_MAX: u32 = 800;

/// Chi-squared with 15 degrees of freedom: P(above 125) < 2^-62.
pub(crate) const POKER_CHI_SQUARED_MAX: u64 = 125;

/// The continuous tests, over the samples of all draws of a process.
pub(crate) struct Monitor {
    /// The sample before; 0 while there was none.
    last: AtomicU64,
    /// The window: its first byte, how often it came, how many bytes were seen.
    window: AtomicU64,
}

impl Monitor {
    pub(crate) const fn new() -> Self {
        Self {
            last: AtomicU64::new(0),
            window: AtomicU64::new(0),
        }
    }

    /// Takes one sample; false when a test refuses the source.
    pub(crate) fn accepts(&self, sample: [u8; SAMPLE_SIZE]) -> bool {
        let word = u64::from_le_bytes(sample);
        // A first sample of 0 is refused too, which is as rare as a repeated one.
        let repeated = self.last.swap(word, Ordering::SeqCst) == word;
        let mut healthy = !repeated;
        let update = |packed| {
            let (window, accepted) = Window::unpack(packed).take(sample);
            healthy = accepted && !repeated;
            Some(window.pack())
        };
        // Never an error: the closure always has a value.
        let _ = self
            .window
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, update);
        healthy
    }
}

/// A window of the adaptive proportion test. The first byte and its count tell nothing of a key:
/// they come from samples.
#[derive(Clone, Copy)]
struct Window {
    first: u8,
    count: u64,
    seen: u64,
}

impl Window {
    fn unpack(packed: u64) -> Self {
        Self {
            first: packed as u8,
            count: packed >> 8 & 0xffff,
            seen: packed >> 24,
        }
    }

    fn pack(self) -> u64 {
        u64::from(self.first) | self.count << 8 | self.seen << 24
    }

    /// Takes some bytes; false with it when the first byte of the window came too often.
    fn take(mut self, bytes: [u8; SAMPLE_SIZE]) -> (Self, bool) {
        let mut accepted = true;
        for byte in bytes {
            if self.seen == 0 {
                self.first = byte;
                self.count = 0;
            }
            self.count += u64::from(byte == self.first);
            accepted &= self.count < PROPORTION_CUTOFF;
            self.seen = (self.seen + 1) % WINDOW_SIZE;
        }
        (self, accepted)
    }
}

/// Set when two neighbouring 64-bit words are the same. The bytes may be secret.
pub(crate) fn has_repeated_word(bytes: &[u8]) -> Mask {
    bytes
        .chunks_exact(8)
        .zip(bytes.chunks_exact(8).skip(1))
        .fold(Mask::from_bit(0), |found, (one, next)| {
            found.or(Mask::if_equal_bytes(one, next))
        })
}

/// The start-up tests that look at the whole: as many ones as zeros, all half bytes alike. The
/// bytes are thrown away, so that branches may depend on them.
pub(crate) fn looks_random(bytes: &[u8; START_SIZE]) -> bool {
    let ones: u32 = bytes.iter().map(|byte| byte.count_ones()).sum();
    let mut counts = [0u64; 16];
    for byte in bytes {
        counts[usize::from(byte >> 4)] += 1;
        counts[usize::from(byte & 15)] += 1;
    }
    // Chi-squared is 16/k times the sum of the squares, less k, for k half bytes.
    let k = 2 * START_SIZE as u64;
    let squares: u64 = counts.iter().map(|count| count * count).sum();
    ones.abs_diff(4 * START_SIZE as u32) <= ONES_DEVIATION_MAX
        && 16 * squares <= k * (k + POKER_CHI_SQUARED_MAX)
}
