//! [`Eight`] in one register of AVX-512, with its multiplication of 52 bits (IFMA).
//!
//! All of it is inlined into the functions of [`super`] that ask the compiler for these
//! instructions, and those run only where the processor has them. Lanes go through loops, not through
//! the `map` of an array: that is a function of its own, made without the instructions, and calls
//! each of them.

#![allow(unsafe_code)]

use core::arch::asm;
use core::arch::x86_64::{
    __m512i, _mm512_add_epi64, _mm512_and_si512, _mm512_cmpeq_epi64_mask, _mm512_loadu_epi64,
    _mm512_madd52hi_epu64, _mm512_madd52lo_epu64, _mm512_mask_blend_epi64,
    _mm512_permutexvar_epi64, _mm512_set1_epi64, _mm512_slli_epi64, _mm512_srai_epi64,
    _mm512_storeu_epi64, _mm512_sub_epi64,
};

use super::eight::{Eight, Lanes};

#[derive(Clone, Copy)]
pub(super) struct Zmm(__m512i);

/// Of a load and a choice compilers make one instruction, a load under a mask, and what is masked out
/// need not be read.
#[target_feature(enable = "avx512f")]
#[inline]
unsafe fn load_unmasked(numbers: &[u64; 8]) -> __m512i {
    let loaded;
    // SAFETY: 64 bytes are read, which are there; nothing else changes.
    unsafe {
        asm!(
            "vmovdqu64 {}, zmmword ptr [{}]",
            out(zmm_reg) loaded,
            in(reg) numbers.as_ptr(),
            options(pure, readonly, nostack, preserves_flags),
        );
    }
    loaded
}

// SAFETY, for each block here: the instructions are there, because what is inlined here runs in a
// function of `super` that was called after the processor was asked; and nothing but the two
// arrays of eight numbers, which any alignment suits, is read or written.
impl Eight for Zmm {
    #[inline(always)]
    fn splat(number: u64) -> Self {
        Self(unsafe { _mm512_set1_epi64(number.cast_signed()) })
    }

    #[inline(always)]
    fn load(numbers: &[u64; 8]) -> Self {
        Self(unsafe { _mm512_loadu_epi64(numbers.as_ptr().cast()) })
    }

    #[inline(always)]
    fn load_in_any_case(numbers: &[u64; 8]) -> Self {
        Self(unsafe { load_unmasked(numbers) })
    }

    #[inline(always)]
    fn store(self) -> [u64; 8] {
        let mut numbers = [0; 8];
        unsafe { _mm512_storeu_epi64(numbers.as_mut_ptr().cast(), self.0) };
        numbers
    }

    #[inline(always)]
    fn add(self, other: Self) -> Self {
        Self(unsafe { _mm512_add_epi64(self.0, other.0) })
    }

    #[inline(always)]
    fn subtract(self, other: Self) -> Self {
        Self(unsafe { _mm512_sub_epi64(self.0, other.0) })
    }

    #[inline(always)]
    fn and(self, other: Self) -> Self {
        Self(unsafe { _mm512_and_si512(self.0, other.0) })
    }

    #[inline(always)]
    fn shift_left<const BITS: u32>(self) -> Self {
        Self(unsafe { _mm512_slli_epi64::<BITS>(self.0) })
    }

    #[inline(always)]
    fn shift_right<const BITS: u32>(self) -> Self {
        Self(unsafe { _mm512_srai_epi64::<BITS>(self.0) })
    }

    #[inline(always)]
    fn add_low(self, a: Self, b: Self) -> Self {
        Self(unsafe { _mm512_madd52lo_epu64(self.0, a.0, b.0) })
    }

    #[inline(always)]
    fn add_high(self, a: Self, b: Self) -> Self {
        Self(unsafe { _mm512_madd52hi_epu64(self.0, a.0, b.0) })
    }

    #[inline(always)]
    fn equal(self, other: Self) -> Lanes {
        Lanes::from_bits(unsafe { _mm512_cmpeq_epi64_mask(self.0, other.0) })
    }

    #[inline(always)]
    fn select(lanes: Lanes, chosen: Self, other: Self) -> Self {
        Self(unsafe { _mm512_mask_blend_epi64(lanes.bits(), other.0, chosen.0) })
    }

    #[inline(always)]
    fn rotate(self, by: usize) -> Self {
        let from = Self::load(&core::array::from_fn(|lane| (lane + by) as u64 % 8));
        Self(unsafe { _mm512_permutexvar_epi64(from.0, self.0) })
    }
}
