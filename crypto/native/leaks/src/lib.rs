//! Looks for secrets that leak from sscard-sm. Nothing of this is delivered.
//!
//! - `control-flow`, run under valgrind, uses every secret in every operation, with the secrets
//!   marked: a branch or an address that depends on one is reported.
//! - `memory` uses secrets a thousand times and drops them, and stands still while somebody else
//!   searches its memory.
//! - `timing` measures operations on two classes of secrets and asks, by [`welch`], whether their
//!   times differ.
//!
//! Each program stands behind a feature of its own, which opens in sscard-sm what it needs.

#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod welch;
