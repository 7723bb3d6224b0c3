//! What is fuzzed: one target an entry or a family of entries that have to agree.

mod batch;
mod ciphertext;
mod code_check;
mod code_text;
mod decrypt;
mod digest;
mod planted;
mod point;
mod sign;
mod signature;
mod symmetric;
mod verify;

use crate::choices::Choices;
use crate::reached::Reached;

/// One thing to fuzz.
pub struct Target {
    /// Its name, which is that of its corpus too.
    pub name: &'static str,
    /// What its inputs have to reach.
    pub stages: &'static [&'static str],
    /// Runs one input; panics when the core's answer is not the textbook's.
    pub run: fn(&mut Choices<'_>, &mut Reached),
}

/// All of them, but for [`planted`].
pub const TARGETS: &[Target] = &[
    signature::RAW,
    signature::DER,
    point::TARGET,
    ciphertext::RAW,
    ciphertext::DER,
    verify::TARGET,
    digest::TARGET,
    batch::TARGET,
    sign::TARGET,
    decrypt::TARGET,
    symmetric::TARGET,
    code_text::TARGET,
    code_check::TARGET,
];

/// The target of this name; the planted fault is found by its name only.
pub fn find(name: &str) -> Option<&'static Target> {
    TARGETS
        .iter()
        .chain([&planted::TARGET])
        .find(|target| target.name == name)
}
