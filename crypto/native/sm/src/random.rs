//! Randomness from the operating system, and nothing else.

/// The operating system gave no randomness. There is no other source to fall back on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RandomSourceFailed;

impl core::fmt::Display for RandomSourceFailed {
    fn fmt(&self, formatter: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        formatter.write_str("the random source of the operating system failed")
    }
}

impl core::error::Error for RandomSourceFailed {}

/// Where fresh bytes come from: the system, or in tests a source that is stuck or fails.
pub(crate) trait RandomSource {
    fn fill(&mut self, bytes: &mut [u8]) -> Result<(), RandomSourceFailed>;
}

/// The system's source, asked anew each time: nothing is kept that a fork could double.
pub(crate) struct System;

impl RandomSource for System {
    fn fill(&mut self, bytes: &mut [u8]) -> Result<(), RandomSourceFailed> {
        getrandom::fill(bytes).map_err(|_| RandomSourceFailed)
    }
}
