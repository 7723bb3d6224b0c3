//! The border of what is secret: bytes that come in as secrets, answers that go out.
//!
//! In the product these functions do nothing. With the feature `secrecy-check` they tell
//! valgrind, which then reports every branch and every memory address that depends on a secret
//! (`crypto/native/leaks`), save for the answers given away here.

#[cfg(feature = "secrecy-check")]
mod checked;
#[cfg(feature = "secrecy-check")]
mod valgrind;

#[cfg(feature = "secrecy-check")]
pub use checked::*;
#[cfg(not(feature = "secrecy-check"))]
pub(crate) use unchecked::*;

#[cfg(not(feature = "secrecy-check"))]
mod unchecked {
    /// Fresh randomness is a secret.
    #[inline(always)]
    pub(crate) fn mark_secret(_bytes: &mut [u8]) {}

    /// Gives a word away.
    #[inline(always)]
    pub(crate) fn give_away(word: u64) -> u64 {
        word
    }
}
