//! Randomness from the operating system, and nothing else; tested as it is drawn.

use zeroize::Zeroizing;

use crate::error_state::{Latch, PROCESS, SelfTest};
use crate::health::{Monitor, SAMPLE_SIZE, START_SIZE, has_repeated_word, looks_random};

/// The operating system gave no randomness, or what it gave failed a test. There is no other
/// source to fall back on.
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

/// The system's source, asked anew each time: no randomness is kept that a fork could double.
pub(crate) struct System;

static MONITOR: Monitor = Monitor::new();

impl RandomSource for System {
    fn fill(&mut self, bytes: &mut [u8]) -> Result<(), RandomSourceFailed> {
        Tested {
            source: OperatingSystem,
            monitor: &MONITOR,
            latch: &PROCESS,
        }
        .fill(bytes)
    }
}

struct OperatingSystem;

impl RandomSource for OperatingSystem {
    fn fill(&mut self, bytes: &mut [u8]) -> Result<(), RandomSourceFailed> {
        getrandom::fill(bytes).map_err(|_| RandomSourceFailed)
    }
}

/// A source under the continuous tests; what fails one is not given out, and latches.
pub(crate) struct Tested<'a, R> {
    pub(crate) source: R,
    pub(crate) monitor: &'a Monitor,
    pub(crate) latch: &'a Latch,
}

/// Bytes of one draw, the sample included: what the system's generator makes at a time.
const DRAW_SIZE: usize = 64;

impl<R: RandomSource> RandomSource for Tested<'_, R> {
    /// Draws anew for every 56 bytes, each time with a sample behind them.
    fn fill(&mut self, bytes: &mut [u8]) -> Result<(), RandomSourceFailed> {
        for part in bytes.chunks_mut(DRAW_SIZE - SAMPLE_SIZE) {
            self.latch.check().map_err(|_| RandomSourceFailed)?;
            let mut drawn = Zeroizing::new([0; DRAW_SIZE]);
            let drawn = &mut drawn[..part.len() + SAMPLE_SIZE];
            self.source.fill(drawn)?;
            let (given, sample) = drawn.split_at(part.len());
            let sample = sample.try_into().map_err(|_| RandomSourceFailed)?;
            if has_repeated_word(drawn).reveal() || !self.monitor.accepts(sample) {
                self.latch.fail(SelfTest::RandomDraws);
                return Err(RandomSourceFailed);
            }
            part.copy_from_slice(given);
        }
        Ok(())
    }
}

impl<R: RandomSource> Tested<'_, R> {
    /// The start-up test: all tests over bytes that are then thrown away. A source that gives
    /// nothing fails it too.
    pub(crate) fn start(&mut self) {
        let mut bytes = [0; START_SIZE];
        let drawn = self.source.fill(&mut bytes).is_ok();
        let mut healthy = true;
        for sample in bytes.chunks_exact(SAMPLE_SIZE) {
            healthy &= sample
                .try_into()
                .is_ok_and(|sample| self.monitor.accepts(sample));
        }
        if !drawn || !healthy || !looks_random(&bytes) {
            self.latch.fail(SelfTest::RandomStart);
        }
    }
}

/// Tests the system's source as it has to be tested before its first use.
pub(crate) fn start() {
    Tested {
        source: OperatingSystem,
        monitor: &MONITOR,
        latch: &PROCESS,
    }
    .start();
}

/// Fills the bytes from the system's source, under the continuous tests.
///
/// # Errors
/// [`RandomSourceFailed`]; nothing of the bytes may then be used.
pub fn fill_random(bytes: &mut [u8]) -> Result<(), RandomSourceFailed> {
    System.fill(bytes)
}
