use core::fmt;

use crate::random::RandomSourceFailed;

/// A key or a point that the standard, or this crate's narrower policy, does not allow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidKey;

/// The one answer to every signature that does not verify, whatever is wrong with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidSignature;

/// The one answer to every ciphertext that does not decrypt, whatever is wrong with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DecryptionFailed;

/// Why nothing was signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SigningFailed {
    /// The signer id is longer than its 16-bit length in bits can say.
    SignerIdTooLong,
    /// There was no randomness.
    RandomSource,
}

/// Why nothing was encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EncryptionFailed {
    /// The plaintext is empty: its ciphertext would say nothing and be open to confusion.
    EmptyPlaintext,
    /// The plaintext is longer than [`PLAINTEXT_MAX`](super::PLAINTEXT_MAX).
    PlaintextTooLong,
    /// There was no randomness.
    RandomSource,
}

impl From<RandomSourceFailed> for SigningFailed {
    fn from(_: RandomSourceFailed) -> Self {
        Self::RandomSource
    }
}

impl From<RandomSourceFailed> for EncryptionFailed {
    fn from(_: RandomSourceFailed) -> Self {
        Self::RandomSource
    }
}

macro_rules! error_text {
    ($($error:ty => $text:literal),+ $(,)?) => {$(
        impl fmt::Display for $error {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str($text)
            }
        }

        impl core::error::Error for $error {}
    )+};
}

error_text! {
    InvalidKey => "the key is not valid",
    InvalidSignature => "the signature is not valid",
    DecryptionFailed => "the ciphertext can't be decrypted",
    SigningFailed => "nothing was signed",
    EncryptionFailed => "nothing was encrypted",
}
