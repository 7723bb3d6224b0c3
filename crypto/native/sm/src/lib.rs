//! SM2, SM3 and SM4, the algorithms of the Chinese commercial cryptography standards, in safe
//! Rust.
//!
//! - [`sm2`]: keys, signatures, encryption (GB/T 32918); [`sm3`]: the digest (GB/T 32905), with
//!   [`hmac`], [`kdf`] and [`merkle`] trees over it; [`sm4`]: the block cipher (GB/T 32907).
//! - What touches a secret has no branch and no memory index that depends on it. Choices are
//!   made with masks, tables are read in full, inverses take the same steps for all.
//! - Known answers, the random source and each new key are tested. Once a test has failed, no
//!   randomness is given out, so that nothing is signed, made or encrypted; see [`operational`].
//! - What fails gives one error without detail. Nothing here panics on input from outside.
//! - The arithmetic lies behind one interface, `residue::Modulus`, with a back end chosen at run
//!   time by what the processor has ([`Backend`]). Only back ends contain `unsafe`.

#![deny(unsafe_code)]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

#[cfg(target_arch = "x86_64")]
mod adx;
mod affine;
mod backend;
mod der;
mod digits;
mod divsteps;
mod error_state;
mod field;
mod fixed_base;
mod health;
pub mod hmac;
mod jacobian;
pub mod kdf;
#[cfg(target_arch = "x86_64")]
mod lanes;
#[cfg(not(target_arch = "x86_64"))]
#[path = "lanes/absent.rs"]
mod lanes;
mod limbs;
mod mask;
pub mod merkle;
mod moduli;
mod multiply;
mod point;
mod portable;
mod random;
mod residue;
mod scalar;
#[cfg(not(feature = "secrecy-check"))]
mod secrecy;
#[cfg(feature = "secrecy-check")]
pub mod secrecy;
mod self_test;
pub mod sm2;
pub mod sm3;
pub mod sm4;
mod wiping;

#[cfg(test)]
mod tests;

pub use backend::{BACKEND_VARIABLE, Backend, BackendRefused};
pub use error_state::{SelfTest, SelfTestFailed, enter_error_state, has_failed, operational};
pub use random::{RandomSourceFailed, fill_random};
pub use self_test::run_known_answers;

/// Chooses the back end, builds the tables of the base point, which the first signature would
/// otherwise build, and runs the self-tests; what they found, [`operational`] tells.
///
/// A program that forks calls this first: a child forked in the middle of the building would
/// wait for it for ever.
///
/// # Errors
/// [`BackendRefused`] when the environment asks for a back end that is not there.
pub fn prepare() -> Result<(), BackendRefused> {
    backend::forced()?;
    std::sync::LazyLock::force(&fixed_base::SECRET_GENERATOR);
    std::sync::LazyLock::force(&fixed_base::PUBLIC_GENERATOR);
    if let Some(lanes) = lanes::EightLanes::in_use() {
        lanes.prepare();
    }
    static SELF_TESTS: std::sync::Once = std::sync::Once::new();
    SELF_TESTS.call_once(self_test::start);
    Ok(())
}
