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
/// A key counts when a signature by it was good, so that only who holds keys can push others out.
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
    /// Keeps keys in at most this many bytes: about 53 KiB for one with a table.
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
        let met = match self.find(public_key) {
            Some(met) => met,
            None => Met::Seldom(PublicKey::from_sec1(public_key).map_err(Refused::Key)?, 0),
        };
        match &met {
            Met::Often(kept) => kept.verify(signature, message, signer_id),
            Met::Seldom(key, _) => key.verify(signature, message, signer_id),
        }
        .map_err(Refused::Signature)?;
        if let Met::Seldom(key, times) = met {
            self.keep(public_key, key, times + 1);
        }
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

    /// The key, which is now the one met last.
    fn find(&self, public_key: &[u8]) -> Option<Met> {
        self.lock()?.by_encoding.get(public_key).cloned()
    }

    /// Keeps the key; a table is built before the lock is taken.
    fn keep(&self, public_key: &[u8], key: PublicKey, times: u8) {
        let met = if times < SIGNATURES_BEFORE_TABLE {
            Met::Seldom(key, times)
        } else {
            Met::Often(Verifier::build(key))
        };
        let Some(mut keys) = self.lock() else {
            return;
        };
        keys.bytes += met.size();
        if let Some(before) = keys.by_encoding.put(public_key.into(), met) {
            keys.bytes -= before.size();
        }
        while keys.bytes > self.bytes_max {
            let Some((_, oldest)) = keys.by_encoding.pop_lru() else {
                return;
            };
            keys.bytes -= oldest.size();
        }
    }

    fn lock(&self) -> Option<MutexGuard<'_, Keys>> {
        self.keys.try_lock().ok()
    }
}
