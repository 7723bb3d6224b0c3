//! Device credentials whose codes were good, so that the next code under one takes less work.

use core::hash::{BuildHasherDefault, Hasher};
use std::sync::{Mutex, MutexGuard};

use lru::LruCache;
use sscard_sm::sm2::{DEFAULT_SIGNER_ID, NarrowVerifier, PublicKey};

use crate::credential;

/// Bytes that a ring's remembered credentials take, unless it is told otherwise: some 50 000
/// credentials without tables.
pub const REMEMBERED_BYTES: usize = 16 << 20;

/// Good codes under one credential before its device key gets a table, which costs as much time
/// as it saves on about seven more.
const CODES_BEFORE_TABLE: u8 = 8;

/// What a credential takes without a table: its bytes, its point and its place in the order.
const ENTRY_SIZE: usize = 320;

/// A credential as it travels, issuer's signature included. Only the very same bytes are met again.
type Signed = [u8; credential::SIZE];

/// The credentials met lately, within a limit of bytes.
///
/// A credential is remembered, and moves up in the order, when its issuer's signature and the
/// device's were both good: only who holds the device key of a genuine credential can push others
/// out, and forgeries leave no trace. Dates are no part of it; they are checked each time.
/// Nothing here waits: where another thread is just changing the order, the credential is checked
/// as if it were new. So a child forked in that moment can't hang either.
pub struct Remembered {
    entries: Mutex<Entries>,
    bytes_max: usize,
}

struct Entries {
    by_credential: LruCache<Signed, Met, BuildHasherDefault<SignatureHasher>>,
    bytes: usize,
}

#[derive(Clone)]
struct Met {
    device: Device,
    good_codes: u8,
}

/// The key of a device, decompressed, with a table of its multiples where it is met often.
#[derive(Clone)]
pub(crate) enum Device {
    Seldom(PublicKey),
    Often(NarrowVerifier),
}

impl Device {
    /// The compressed key of a credential, if it is a point of the curve.
    pub(crate) fn read(compressed: &[u8; 33]) -> Option<Self> {
        PublicKey::from_sec1(compressed).ok().map(Self::Seldom)
    }

    /// Whether the signature holds.
    pub(crate) fn verify(&self, signature: &[u8], message: &[u8]) -> bool {
        match self {
            Self::Seldom(key) => key.verify(signature, message, DEFAULT_SIGNER_ID),
            Self::Often(kept) => kept.verify(signature, message, DEFAULT_SIGNER_ID),
        }
        .is_ok()
    }

    const fn size(&self) -> usize {
        match self {
            Self::Seldom(_) => ENTRY_SIZE,
            Self::Often(_) => ENTRY_SIZE + NarrowVerifier::SIZE,
        }
    }
}

impl Entries {
    /// Puts the credential first, and drops those met longest ago until all fit.
    fn put(&mut self, signed: &Signed, met: Met, bytes_max: usize) {
        self.bytes += met.device.size();
        if let Some(before) = self.by_credential.put(*signed, met) {
            self.bytes -= before.device.size();
        }
        while self.bytes > bytes_max {
            let Some((_, oldest)) = self.by_credential.pop_lru() else {
                return;
            };
            self.bytes -= oldest.device.size();
        }
    }
}

impl Remembered {
    pub(crate) fn new(bytes_max: usize) -> Self {
        let entries = Entries {
            by_credential: LruCache::unbounded_with_hasher(BuildHasherDefault::default()),
            bytes: 0,
        };
        Self {
            entries: Mutex::new(entries),
            bytes_max,
        }
    }

    /// How many credentials are remembered.
    pub fn len(&self) -> usize {
        self.lock().map_or(0, |entries| entries.by_credential.len())
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The bytes in use.
    pub fn bytes(&self) -> usize {
        self.lock().map_or(0, |entries| entries.bytes)
    }

    /// The credential's device, whose issuer's signature was good; left in its place in the order,
    /// because nothing has been signed yet.
    pub(crate) fn find(&self, signed: &Signed) -> Option<Device> {
        let entries = self.lock()?;
        let met = entries.by_credential.peek(signed)?;
        Some(met.device.clone())
    }

    /// Makes the credential the one met last, and builds its device's table when it is due, before
    /// the lock is taken again.
    pub(crate) fn signed_well(&self, signed: &Signed, device: &Device) {
        let Some(mut entries) = self.lock() else {
            return;
        };
        let good_codes = match entries.by_credential.get_mut(signed) {
            Some(met) => {
                met.good_codes = met.good_codes.wrapping_add(1);
                met.good_codes
            }
            None => {
                let met = Met {
                    device: device.clone(),
                    good_codes: 1,
                };
                entries.put(signed, met, self.bytes_max);
                1
            }
        };
        drop(entries);
        // Due again at each multiple, in case the table found no room or no unlocked moment.
        match device {
            Device::Seldom(key) if good_codes.is_multiple_of(CODES_BEFORE_TABLE) => {
                let device = Device::Often(NarrowVerifier::narrow(*key));
                if let Some(mut entries) = self.lock() {
                    let met = Met { device, good_codes };
                    entries.put(signed, met, self.bytes_max);
                }
            }
            _ => {}
        }
    }

    fn lock(&self) -> Option<MutexGuard<'_, Entries>> {
        self.entries.try_lock().ok()
    }
}

/// The last eight bytes of a credential, which belong to its issuer's signature: nobody but the
/// issuer's own nonce chooses them, so that what is remembered spreads evenly. The usual hash
/// would need a seed, and panics in a new thread while the system gives no randomness for it.
#[derive(Default)]
struct SignatureHasher(u64);

impl Hasher for SignatureHasher {
    fn write(&mut self, bytes: &[u8]) {
        if let Some(last) = bytes.last_chunk() {
            self.0 = u64::from_le_bytes(*last);
        }
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

#[cfg(test)]
mod tests;
