//! The error state: once a self-test has failed, nothing is signed, made or checked any more.
//!
//! GM/T 0028 asks a module for this. The state lasts until the process ends, because what failed
//! once without a known reason may fail again unseen.

use core::sync::atomic::{AtomicU32, Ordering};

/// What is tested at start-up, on demand, with each new key and with each draw of randomness.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum SelfTest {
    /// The digest of a known message.
    Sm3,
    /// The tag of a known message under a known key.
    HmacSm3,
    /// Bytes derived from a known secret.
    Kdf,
    /// A known block, encrypted.
    Sm4Encrypt,
    /// A known block, decrypted.
    Sm4Decrypt,
    /// A known signature, made with its known nonce.
    Sm2Sign,
    /// A good signature is accepted, a forged one refused, in each way to verify.
    Sm2Verify,
    /// A known ciphertext, made with its known nonce.
    Sm2Encrypt,
    /// A good ciphertext is opened, a changed one refused.
    Sm2Decrypt,
    /// SM4-GCM through the face of another language: see [`enter_error_state`].
    BulkCipher,
    /// A key just made signs what its public key accepts.
    KeyPair,
    /// The random source's first 32,768 bits.
    RandomStart,
    /// Each draw from the random source.
    RandomDraws,
}

impl SelfTest {
    /// All of them, in the order in which they are shown.
    pub const ALL: [Self; 13] = [
        Self::Sm3,
        Self::HmacSm3,
        Self::Kdf,
        Self::Sm4Encrypt,
        Self::Sm4Decrypt,
        Self::Sm2Sign,
        Self::Sm2Verify,
        Self::Sm2Encrypt,
        Self::Sm2Decrypt,
        Self::BulkCipher,
        Self::KeyPair,
        Self::RandomStart,
        Self::RandomDraws,
    ];

    /// A stable name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sm3 => "sm3",
            Self::HmacSm3 => "hmac_sm3",
            Self::Kdf => "kdf",
            Self::Sm4Encrypt => "sm4_encrypt",
            Self::Sm4Decrypt => "sm4_decrypt",
            Self::Sm2Sign => "sm2_sign",
            Self::Sm2Verify => "sm2_verify",
            Self::Sm2Encrypt => "sm2_encrypt",
            Self::Sm2Decrypt => "sm2_decrypt",
            Self::BulkCipher => "bulk_cipher",
            Self::KeyPair => "key_pair",
            Self::RandomStart => "random_start",
            Self::RandomDraws => "random_draws",
        }
    }

    const fn bit(self) -> u32 {
        1 << self as u8
    }
}

/// A self-test has failed in this process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SelfTestFailed;

impl core::fmt::Display for SelfTestFailed {
    fn fmt(&self, formatter: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        formatter.write_str("a self-test failed")
    }
}

impl core::error::Error for SelfTestFailed {}

/// Remembers which tests failed; never forgets.
pub(crate) struct Latch(AtomicU32);

/// The state of this process; tests have latches of their own.
pub(crate) static PROCESS: Latch = Latch::new();

impl Latch {
    pub(crate) const fn new() -> Self {
        Self(AtomicU32::new(0))
    }

    pub(crate) fn fail(&self, test: SelfTest) {
        self.0.fetch_or(test.bit(), Ordering::SeqCst);
    }

    pub(crate) fn has_failed(&self, test: SelfTest) -> bool {
        self.0.load(Ordering::Relaxed) & test.bit() != 0
    }

    pub(crate) fn check(&self) -> Result<(), SelfTestFailed> {
        if self.0.load(Ordering::Relaxed) == 0 {
            Ok(())
        } else {
            Err(SelfTestFailed)
        }
    }
}

/// Whether this process may go on: one load. A binding asks before each operation.
///
/// # Errors
/// [`SelfTestFailed`], for good, once a test has failed.
pub fn operational() -> Result<(), SelfTestFailed> {
    PROCESS.check()
}

/// Whether this test has failed in this process.
pub fn has_failed(test: SelfTest) -> bool {
    PROCESS.has_failed(test)
}

/// Puts the process into the error state, for a test made outside this crate.
pub fn enter_error_state(test: SelfTest) {
    PROCESS.fail(test);
}
