//! Random input for the native core.
//!
//! Each target reads its input as a stream of choices, builds what it asks for, and holds the
//! answer of the core against a textbook's: whole numbers, no tables, no masks (SM4 is held against
//! its own inverse only; its textbook stands in the core's tests). So a target sees
//! not only what panics but also what is accepted and should not be, and the other way round.
//!
//! - `make fuzz` runs each target under libFuzzer, which follows the branches that are reached.
//! - The smoke run in `tests/crypto/test_fuzz.py` needs no engine: the corpus and some thousand
//!   inputs from a fixed seed.
//! - Each target names the stages that its inputs have to reach. A generator that reaches only
//!   the first refusal proves nothing, so the smoke run counts them.

pub mod choices;
mod code_bytes;
mod code_model;
mod curve;
mod der;
mod keys;
mod number;
pub mod random;
mod reached;
mod signing;
mod targets;
mod textbook_sm3;

pub use reached::Reached;
pub use targets::{TARGETS, Target, find};
