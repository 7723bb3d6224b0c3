use std::sync::{Mutex, MutexGuard};

use lru::LruCache;

use super::verifier::NARROW;
use super::{InvalidKey, InvalidSignature, PublicKey, Verifier};

/// Good signatures by one key before it gets a table, which costs as much time as it saves on
/// about this many more.
const SIGNATURES_BEFORE_TABLE: u8 = 8;

/// What a key takes without a table: its bytes, its point and its place in the order.
const KEY_SIZE: usize = 256;

/// Why a signature by a key in bytes was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// The bytes are no public key.
    Key(InvalidKey),
    /// The signature does not verify.
    Signature(InvalidSignature),
}

/// The public keys met lately, the most frequent of them with tables, within a limit of bytes.
///
/// A key counts, and moves up in the order, when a signature by it was good: only who holds keys can
/// push others out.
/// Nothing here waits: where another thread is just changing the order, the key is checked as if
/// it were new. So a child forked in that moment can't hang either.
pub struct KeptKeys {
    keys: Mutex<Keys>,
    bytes_max: usize,
}

struct Keys {
    by_encoding: LruCache<Box<[u8]>, Met>,
    bytes: usize,
}

impl Keys {
    /// Puts the key first, and drops those met longest ago until all fit.
    fn put(&mut self, encoding: &[u8], met: Met, bytes_max: usize) {
        self.bytes += met.size();
        if let Some(before) = self.by_encoding.put(encoding.into(), met) {
            self.bytes -= before.size();
        }
        while self.bytes > bytes_max {
            let Some((_, oldest)) = self.by_encoding.pop_lru() else {
                return;
            };
            self.bytes -= oldest.size();
        }
    }
}

#[derive(Clone)]
enum Met {
    /// So many good signatures so far.
    Seldom(PublicKey, u8),
    Often(Verifier<NARROW>),
}

impl Met {
    const fn size(&self) -> usize {
        match self {
            Self::Seldom(..) => KEY_SIZE,
            Self::Often(_) => KEY_SIZE + Verifier::<NARROW>::SIZE,
        }
    }
}

impl KeptKeys {
    /// Keeps keys in at most this many bytes: about 52 KiB for one with a table.
    pub fn new(bytes_max: usize) -> Self {
        let keys = Keys {
            by_encoding: LruCache::unbounded(),
            bytes: 0,
        };
        Self {
            keys: Mutex::new(keys),
            bytes_max,
        }
    }

    /// Checks a signature by a SEC 1 public key, with the answers of [`PublicKey::from_sec1`] and
    /// [`PublicKey::verify`].
    ///
    /// # Errors
    /// [`Refused`].
    pub fn verify(
        &self,
        public_key: &[u8],
        signature: &[u8],
        message: &[u8],
        signer_id: &[u8],
    ) -> Result<(), Refused> {
        match self.find(public_key) {
            Some(Met::Often(kept)) => {
                kept.verify(signature, message, signer_id)
                    .map_err(Refused::Signature)?;
                self.signed_well(public_key, kept.public_key());
            }
            Some(Met::Seldom(key, _)) => {
                self.verify_new(public_key, &key, signature, message, signer_id)?;
            }
            None => {
                let key = PublicKey::from_sec1(public_key).map_err(Refused::Key)?;
                self.verify_new(public_key, &key, signature, message, signer_id)?;
            }
        }
        Ok(())
    }

    fn verify_new(
        &self,
        encoding: &[u8],
        key: &PublicKey,
        signature: &[u8],
        message: &[u8],
        signer_id: &[u8],
    ) -> Result<(), Refused> {
        key.verify(signature, message, signer_id)
            .map_err(Refused::Signature)?;
        self.signed_well(encoding, key);
        Ok(())
    }

    /// The bytes in use.
    pub fn bytes(&self) -> usize {
        self.lock().map_or(0, |keys| keys.bytes)
    }

    /// How many keys have a table.
    pub fn tables(&self) -> usize {
        let Some(keys) = self.lock() else {
            return 0;
        };
        keys.by_encoding
            .iter()
            .filter(|entry| matches!(entry.1, Met::Often(_)))
            .count()
    }

    /// The key, left in its place in the order: nothing has been signed yet.
    fn find(&self, encoding: &[u8]) -> Option<Met> {
        self.lock()?.by_encoding.peek(encoding).cloned()
    }

    /// Makes the key the one met last, and builds its table when it is due, before the lock is
    /// taken again.
    fn signed_well(&self, encoding: &[u8], key: &PublicKey) {
        let Some(mut keys) = self.lock() else {
            return;
        };
        let times = match keys.by_encoding.get(encoding) {
            Some(Met::Often(_)) => return,
            Some(Met::Seldom(_, times)) => times.wrapping_add(1),
            None => 1,
        };
        keys.put(encoding, Met::Seldom(*key, times), self.bytes_max);
        drop(keys);
        // Due again at each multiple, in case the table found no room or no unlocked moment.
        if times.is_multiple_of(SIGNATURES_BEFORE_TABLE) {
            let kept = Verifier::build(*key);
            if let Some(mut keys) = self.lock() {
                keys.put(encoding, Met::Often(kept), self.bytes_max);
            }
        }
    }

    fn lock(&self) -> Option<MutexGuard<'_, Keys>> {
        self.keys.try_lock().ok()
    }
}
