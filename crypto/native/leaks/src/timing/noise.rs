use std::time::{SystemTime, UNIX_EPOCH};

use sscard_sm::sm3::digest;

/// Bytes that follow from a seed, so that a run can be told from another; nothing secret.
pub(crate) struct Noise {
    seed: u64,
    counter: u64,
}

impl Noise {
    pub(crate) fn seeded_by_the_clock() -> Self {
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        Self {
            seed: now.as_nanos() as u64,
            counter: 0,
        }
    }

    pub(crate) fn seed(&self) -> u64 {
        self.seed
    }

    pub(crate) fn bytes(&mut self) -> [u8; 32] {
        self.counter += 1;
        let [seed, counter] = [self.seed, self.counter].map(u64::to_be_bytes);
        digest(&[seed, counter].concat())
    }

    pub(crate) fn bit(&mut self) -> bool {
        self.bytes()[0] & 1 == 1
    }

    /// A number that is surely below n and not 0.
    pub(crate) fn scalar(&mut self) -> [u8; 32] {
        let mut bytes = self.bytes();
        bytes[0] >>= 1;
        bytes[31] |= 1;
        bytes
    }
}
