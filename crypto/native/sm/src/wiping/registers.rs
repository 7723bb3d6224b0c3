#![allow(unsafe_code)]

use core::arch::asm;

/// Puts zeros into the vector registers and the others that a call may change.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
pub(super) fn clear() {
    // SAFETY: only registers change, all of them declared as changed by a call; the processor
    // has those that it is asked about, and the first sixteen in any case.
    unsafe {
        if std::arch::is_x86_feature_detected!("avx") {
            asm!("vzeroall", clobber_abi("C"), options(nomem, nostack));
        } else {
            asm!(
                "xorps xmm0, xmm0",
                "xorps xmm1, xmm1",
                "xorps xmm2, xmm2",
                "xorps xmm3, xmm3",
                "xorps xmm4, xmm4",
                "xorps xmm5, xmm5",
                "xorps xmm6, xmm6",
                "xorps xmm7, xmm7",
                "xorps xmm8, xmm8",
                "xorps xmm9, xmm9",
                "xorps xmm10, xmm10",
                "xorps xmm11, xmm11",
                "xorps xmm12, xmm12",
                "xorps xmm13, xmm13",
                "xorps xmm14, xmm14",
                "xorps xmm15, xmm15",
                clobber_abi("C"),
                options(nomem, nostack),
            );
        }
        if std::arch::is_x86_feature_detected!("avx512vl") {
            // Of these the lower halves name the whole: what is above a written one becomes 0. The
            // lanes use them, and the copying of memory in the C library does.
            asm!(
                "vpxorq ymm16, ymm16, ymm16",
                "vpxorq ymm17, ymm17, ymm17",
                "vpxorq ymm18, ymm18, ymm18",
                "vpxorq ymm19, ymm19, ymm19",
                "vpxorq ymm20, ymm20, ymm20",
                "vpxorq ymm21, ymm21, ymm21",
                "vpxorq ymm22, ymm22, ymm22",
                "vpxorq ymm23, ymm23, ymm23",
                "vpxorq ymm24, ymm24, ymm24",
                "vpxorq ymm25, ymm25, ymm25",
                "vpxorq ymm26, ymm26, ymm26",
                "vpxorq ymm27, ymm27, ymm27",
                "vpxorq ymm28, ymm28, ymm28",
                "vpxorq ymm29, ymm29, ymm29",
                "vpxorq ymm30, ymm30, ymm30",
                "vpxorq ymm31, ymm31, ymm31",
                "kxorw k0, k0, k0",
                "kxorw k1, k1, k1",
                "kxorw k2, k2, k2",
                "kxorw k3, k3, k3",
                "kxorw k4, k4, k4",
                "kxorw k5, k5, k5",
                "kxorw k6, k6, k6",
                "kxorw k7, k7, k7",
                clobber_abi("C"),
                options(nomem, nostack),
            );
        }
        asm!(
            "xor eax, eax",
            "xor ecx, ecx",
            "xor edx, edx",
            "xor esi, esi",
            "xor edi, edi",
            "xor r8d, r8d",
            "xor r9d, r9d",
            "xor r10d, r10d",
            "xor r11d, r11d",
            clobber_abi("C"),
            options(nomem, nostack),
        );
    }
}

/// Puts zeros into the vector registers and the others that a call may change.
#[cfg(target_arch = "aarch64")]
#[inline(always)]
pub(super) fn clear() {
    // SAFETY: only registers change, all of them declared as changed by a call. Of v8 to v15 a
    // call keeps the lower halves, so those hold what the caller had in them.
    unsafe {
        asm!(
            "movi v0.2d, #0",
            "movi v1.2d, #0",
            "movi v2.2d, #0",
            "movi v3.2d, #0",
            "movi v4.2d, #0",
            "movi v5.2d, #0",
            "movi v6.2d, #0",
            "movi v7.2d, #0",
            "movi v16.2d, #0",
            "movi v17.2d, #0",
            "movi v18.2d, #0",
            "movi v19.2d, #0",
            "movi v20.2d, #0",
            "movi v21.2d, #0",
            "movi v22.2d, #0",
            "movi v23.2d, #0",
            "movi v24.2d, #0",
            "movi v25.2d, #0",
            "movi v26.2d, #0",
            "movi v27.2d, #0",
            "movi v28.2d, #0",
            "movi v29.2d, #0",
            "movi v30.2d, #0",
            "movi v31.2d, #0",
            "mov x0, #0",
            "mov x1, #0",
            "mov x2, #0",
            "mov x3, #0",
            "mov x4, #0",
            "mov x5, #0",
            "mov x6, #0",
            "mov x7, #0",
            "mov x8, #0",
            "mov x9, #0",
            "mov x10, #0",
            "mov x11, #0",
            "mov x12, #0",
            "mov x13, #0",
            "mov x14, #0",
            "mov x15, #0",
            "mov x16, #0",
            "mov x17, #0",
            clobber_abi("C"),
            options(nomem, nostack),
        );
    }
}

/// Elsewhere only the stack is wiped.
#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
pub(super) fn clear() {}
