//! Valgrind's client requests: instructions that change nothing on a processor, and that
//! valgrind reads as a call. It calls bytes undefined; here they are secret.
//!
//! The numbers and the two instruction sequences are valgrind's published interface (valgrind.h
//! and memcheck.h), fixed for good.

#![allow(unsafe_code)]

#[cfg(not(all(
    target_os = "linux",
    any(target_arch = "x86_64", target_arch = "aarch64")
)))]
compile_error!("secrecy-check knows valgrind's requests on Linux on x86-64 and AArch64 only");

const RUNNING_ON_VALGRIND: usize = 0x1001;
const COUNT_ERRORS: usize = 0x1201;
/// Those of its tool memcheck begin with the letters M and C.
const MAKE_MEMORY_UNDEFINED: usize = 0x4d43_0001;
const MAKE_MEMORY_DEFINED: usize = 0x4d43_0002;
const GET_VALIDITY_BITS: usize = 0x4d43_0008;

pub(super) fn make_undefined(bytes: &mut [u8]) {
    request([
        MAKE_MEMORY_UNDEFINED,
        bytes.as_mut_ptr().expose_provenance(),
        bytes.len(),
        0,
    ]);
}

pub(super) fn make_defined(bytes: &mut [u8]) {
    request([
        MAKE_MEMORY_DEFINED,
        bytes.as_mut_ptr().expose_provenance(),
        bytes.len(),
        0,
    ]);
}

/// Asks without making a report of it, as a branch on the bytes would.
pub(super) fn is_defined(bytes: &[u8; 8]) -> bool {
    let mut validity = [0u8; 8];
    request([
        GET_VALIDITY_BITS,
        bytes.as_ptr().expose_provenance(),
        validity.as_mut_ptr().expose_provenance(),
        bytes.len(),
    ]);
    validity == [0; 8]
}

pub(super) fn is_running() -> bool {
    request([RUNNING_ON_VALGRIND, 0, 0, 0]) != 0
}

pub(super) fn error_count() -> usize {
    request([COUNT_ERRORS, 0, 0, 0])
}

/// Makes one request; without valgrind the answer is 0.
#[inline(never)]
fn request([number, first, second, third]: [usize; 4]) -> usize {
    let arguments = [number, first, second, third, 0, 0];
    let mut answer = 0usize;
    // SAFETY: on a processor these rotations together turn a register by 128 bits, which changes
    // nothing, and the last instruction copies a register onto itself; flags are declared lost.
    // Under valgrind it reads the arguments, whose address lives through this block, and touches
    // the marks of its own about the bytes that the callers above borrow, or writes the validity
    // of eight of them into an array of eight.
    unsafe {
        #[cfg(target_arch = "x86_64")]
        core::arch::asm!(
            "rol rdi, 3", "rol rdi, 13", "rol rdi, 61", "rol rdi, 51", "xchg rbx, rbx",
            in("rax") &raw const arguments,
            inout("rdx") answer,
        );
        #[cfg(target_arch = "aarch64")]
        core::arch::asm!(
            "ror x12, x12, #3", "ror x12, x12, #13", "ror x12, x12, #51", "ror x12, x12, #61",
            "orr x10, x10, x10",
            in("x4") &raw const arguments,
            inout("x3") answer,
        );
    }
    answer
}
