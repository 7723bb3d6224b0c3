//! Codes: what a QR picture holds, as `docs/code-format.md` lays down.
//!
//! - [`OnlineCode`], [`Credential`] and [`OfflineCode`] are what is signed: they read their bytes,
//!   refusing every value that is not defined, and lay them out to be signed.
//! - [`assemble`] and [`assemble_credential`] put the signature behind and give what travels.
//! - [`check`] takes the text and gives what it says, or the first reason why it may not be relied
//!   on; [`KeyRing`] holds the issuers' keys for it.
//!
//! Nothing here reads a clock or draws a random number. What is kept between two calls is what a
//! [`KeyRing`] remembers, which changes how long an answer takes and never the answer.

#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod assembly;
mod check;
mod credential;
mod decimal;
mod fields;
mod key_ring;
mod offline;
mod online;
mod reader;
mod refusal;
mod remembered;
mod signed;
mod text;

pub use assembly::{assemble, assemble_credential};
pub use check::{CODE_LIFE_SECONDS, CREDENTIAL_LIFE_SECONDS};
pub use check::{CheckedCode, Request, check};
pub use check::{OFFLINE_SKEW_SECONDS, ONLINE_SKEW_SECONDS};
pub use credential::Credential;
pub use fields::{AMOUNT_FEN_MAX, Binding, Flags, Scope};
pub use key_ring::{InvalidKeys, KEY_RING_MAX, Key, KeyPurpose, KeyRing, KeyState};
pub use offline::OfflineCode;
pub use online::OnlineCode;
pub use refusal::Refusal;
pub use remembered::{REMEMBERED_BYTES, Remembered};
pub use text::TEXT_MAX;
