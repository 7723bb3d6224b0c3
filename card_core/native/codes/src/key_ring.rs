//! The issuers' keys, by what they sign, issuer and number.

use std::collections::{BTreeMap, BTreeSet};

use sscard_sm::sm2::{PublicKey, Verifier};

use crate::refusal::Refusal;
use crate::remembered::{REMEMBERED_BYTES, Remembered};

/// Keys in one ring: a kept key takes about a quarter of a mebibyte.
pub const KEY_RING_MAX: usize = 512;

/// What an issuer's key signs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum KeyPurpose {
    /// Online codes.
    CodeSigning,
    /// Device credentials.
    DeviceCredential,
}

/// The step in a key's life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyState {
    /// Made known, not yet in use.
    Pending,
    /// Signs and verifies.
    Active,
    /// Signs no more; what it signed still verifies.
    VerifyOnly,
    /// Nothing that it signed is believed.
    Revoked,
}

/// One public key of an issuer.
#[derive(Clone, Debug)]
pub struct Key {
    /// What it signs.
    pub purpose: KeyPurpose,
    /// Whose it is.
    pub issuer: u16,
    /// Which of the issuer's keys for this purpose.
    pub number: u8,
    /// The step in its life.
    pub state: KeyState,
    /// The key.
    pub public_key: PublicKey,
}

/// Why keys don't make a ring.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InvalidKeys {
    /// More than [`KEY_RING_MAX`].
    TooMany,
    /// Two keys with the same purpose, issuer and number.
    Repeated,
    /// One public key under two purposes.
    Shared,
}

/// The keys that codes are checked with; they never change.
///
/// The ring also remembers the device credentials whose codes it found good. It is the ring that
/// does, so that nothing verified under a key outlives the key: whoever revokes one makes a new
/// ring.
pub struct KeyRing {
    /// No verifier: the key is known and its state refuses. A sorted map, because a hashed one
    /// panics in a new thread while the system gives no randomness to seed it with.
    verifiers: BTreeMap<(KeyPurpose, u16, u8), Option<Verifier>>,
    remembered: Remembered,
}

impl KeyRing {
    /// Builds the tables of the keys that may verify, 1 to 2 ms each; remembers credentials in
    /// [`REMEMBERED_BYTES`].
    ///
    /// # Errors
    /// [`InvalidKeys`].
    pub fn new(keys: &[Key]) -> Result<Self, InvalidKeys> {
        Self::remembering(keys, REMEMBERED_BYTES)
    }

    /// As [`KeyRing::new`], remembering credentials in at most this many bytes.
    ///
    /// # Errors
    /// [`InvalidKeys`].
    pub fn remembering(keys: &[Key], bytes_max: usize) -> Result<Self, InvalidKeys> {
        if keys.len() > KEY_RING_MAX {
            return Err(InvalidKeys::TooMany);
        }
        let points = |purpose| -> BTreeSet<_> {
            keys.iter()
                .filter(|key| key.purpose == purpose)
                .map(|key| key.public_key.to_sec1())
                .collect()
        };
        let credential_points = points(KeyPurpose::DeviceCredential);
        if !points(KeyPurpose::CodeSigning).is_disjoint(&credential_points) {
            return Err(InvalidKeys::Shared);
        }
        let mut verifiers = BTreeMap::new();
        for key in keys {
            let verifier = match key.state {
                KeyState::Active | KeyState::VerifyOnly => Some(Verifier::new(key.public_key)),
                KeyState::Pending | KeyState::Revoked => None,
            };
            if verifiers
                .insert((key.purpose, key.issuer, key.number), verifier)
                .is_some()
            {
                return Err(InvalidKeys::Repeated);
            }
        }
        Ok(Self {
            verifiers,
            remembered: Remembered::new(bytes_max),
        })
    }

    /// How many keys there are, in whatever state.
    pub fn len(&self) -> usize {
        self.verifiers.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.verifiers.is_empty()
    }

    /// The credentials whose codes were good under these keys.
    pub fn remembered(&self) -> &Remembered {
        &self.remembered
    }

    /// Step 3. A key that is there for the other purpose only is as unknown as none.
    pub(crate) fn find(
        &self,
        purpose: KeyPurpose,
        issuer: u16,
        number: u8,
    ) -> Result<&Verifier, Refusal> {
        let verifier = self
            .verifiers
            .get(&(purpose, issuer, number))
            .ok_or(Refusal::UnknownKey)?;
        verifier.as_ref().ok_or(Refusal::KeyNotActive)
    }
}
