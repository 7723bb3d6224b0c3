//! Work on secrets that leaves nothing of them behind, on the stack or in registers.
//!
//! What a function spills, moves or forgets stays below the stack pointer until somebody needs
//! the place, and what a register held last is written to the stack by others: the dynamic
//! linker, for one, saves all of them when a function is called for the first time. No
//! destructor reaches either; writing over them does.

mod registers;

use core::hint::black_box;

/// Enough for the deepest work on an SM2 key, which keeps a table of eight points.
pub(crate) const DEEP: usize = 12 << 10;
/// Enough for a digest and for one block of a cipher.
pub(crate) const SHALLOW: usize = 2 << 10;

/// Does some work, then writes zeros over `BYTES` of the stack where the work was done, and
/// over the registers that a function may leave changed.
///
/// The answer is the caller's: a secret in it is wiped where it is kept. It is copied out of the
/// part that is wiped with its padding, which holds whatever was there: what is kept for long,
/// as a key is, should have none.
#[inline(never)]
pub(crate) fn work<const BYTES: usize, T>(work: impl FnOnce() -> T) -> T {
    let answer = apart(work);
    wipe::<BYTES>();
    registers::clear();
    answer
}

/// In a frame of its own, so that all of it lies where [`wipe`] writes.
#[inline(never)]
fn apart<T>(work: impl FnOnce() -> T) -> T {
    work()
}

/// `black_box` may look at the zeros, so they are written.
#[inline(never)]
fn wipe<const BYTES: usize>() {
    black_box(&mut [0u8; BYTES]);
}
