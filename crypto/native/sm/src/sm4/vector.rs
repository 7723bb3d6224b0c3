//! Vectors of 128 bits on x86-64, with the few instructions that `aes` is made of.
//!
//! One exists only while [`crate::Backend::Adx`] is in use, which stands for AES-NI and SSSE3.
//! The methods must be inlined into a function that is compiled for both.

#![allow(unsafe_code)]

use core::arch::x86_64::*;

use super::maps::Map;

#[derive(Clone, Copy)]
pub(super) struct Vector(__m128i);

impl Vector {
    /// Reads bytes in their order.
    #[inline(always)]
    pub(super) fn from_bytes(bytes: &[u8; 16]) -> Self {
        // SAFETY: sixteen bytes are there, and the instruction takes any address.
        Self(unsafe { _mm_loadu_si128(bytes.as_ptr().cast()) })
    }

    /// Reads four words, the first into column 0.
    #[inline(always)]
    pub(super) fn from_words(words: &[u32; 4]) -> Self {
        // SAFETY: sixteen bytes are there, and the instruction takes any address.
        Self(unsafe { _mm_loadu_si128(words.as_ptr().cast()) })
    }

    /// Writes the bytes in their order.
    #[inline(always)]
    pub(super) fn to_bytes(self) -> [u8; 16] {
        let mut bytes = [0; 16];
        // SAFETY: there is room for sixteen bytes, and the instruction takes any address.
        unsafe { _mm_storeu_si128(bytes.as_mut_ptr().cast(), self.0) };
        bytes
    }

    /// The word in column 0.
    #[inline(always)]
    pub(super) fn word(self) -> u32 {
        // SAFETY: SSE2, which every x86-64 has.
        unsafe { _mm_cvtsi128_si32(self.0) as u32 }
    }

    /// Each word in all columns of a vector of its own.
    #[inline(always)]
    pub(super) fn spread(self) -> [Self; 4] {
        // SAFETY: SSE2, which every x86-64 has.
        unsafe {
            [
                Self(_mm_shuffle_epi32::<0x00>(self.0)),
                Self(_mm_shuffle_epi32::<0x55>(self.0)),
                Self(_mm_shuffle_epi32::<0xaa>(self.0)),
                Self(_mm_shuffle_epi32::<0xff>(self.0)),
            ]
        }
    }

    /// Column 0 of each, in order.
    #[inline(always)]
    pub(super) fn gather([a, b, c, d]: [Self; 4]) -> Self {
        // SAFETY: SSE2, which every x86-64 has.
        unsafe {
            Self(_mm_unpacklo_epi64(
                _mm_unpacklo_epi32(a.0, b.0),
                _mm_unpacklo_epi32(c.0, d.0),
            ))
        }
    }

    /// Column i of vector j becomes column j of vector i.
    #[inline(always)]
    pub(super) fn transposed([a, b, c, d]: [Self; 4]) -> [Self; 4] {
        // SAFETY: SSE2, which every x86-64 has.
        unsafe {
            let (ab, ab_high) = (_mm_unpacklo_epi32(a.0, b.0), _mm_unpackhi_epi32(a.0, b.0));
            let (cd, cd_high) = (_mm_unpacklo_epi32(c.0, d.0), _mm_unpackhi_epi32(c.0, d.0));
            [
                Self(_mm_unpacklo_epi64(ab, cd)),
                Self(_mm_unpackhi_epi64(ab, cd)),
                Self(_mm_unpacklo_epi64(ab_high, cd_high)),
                Self(_mm_unpackhi_epi64(ab_high, cd_high)),
            ]
        }
    }

    #[inline(always)]
    pub(super) fn xor(self, other: Self) -> Self {
        // SAFETY: SSE2, which every x86-64 has.
        Self(unsafe { _mm_xor_si128(self.0, other.0) })
    }

    /// The bytes at these places.
    #[inline(always)]
    pub(super) fn shuffle(self, places: [u8; 16]) -> Self {
        // SAFETY: SSSE3, see above.
        Self(unsafe { _mm_shuffle_epi8(self.0, Self::from_bytes(&places).0) })
    }

    /// AES's S-box of each byte. The rows of the columns are shifted first, which changes nothing
    /// where all columns hold the same word.
    #[inline(always)]
    pub(super) fn aes_s_box(self) -> Self {
        // SAFETY: AES-NI, see above.
        Self(unsafe { _mm_aesenclast_si128(self.0, _mm_setzero_si128()) })
    }

    /// The low and the high nibble of each byte, for [`Self::mapped`].
    #[inline(always)]
    pub(super) fn nibbles(self) -> (Self, Self) {
        // SAFETY: SSE2, which every x86-64 has.
        unsafe {
            let mask = _mm_set1_epi8(15);
            (
                Self(_mm_and_si128(self.0, mask)),
                Self(_mm_and_si128(_mm_srli_epi64::<4>(self.0), mask)),
            )
        }
    }

    /// The map of each byte, from its nibbles.
    #[inline(always)]
    pub(super) fn mapped((low, high): (Self, Self), map: &Map) -> Self {
        // SAFETY: SSSE3, see above.
        unsafe {
            Self(_mm_shuffle_epi8(Self::from_bytes(&map.low).0, low.0)).xor(Self(_mm_shuffle_epi8(
                Self::from_bytes(&map.high).0,
                high.0,
            )))
        }
    }
}
