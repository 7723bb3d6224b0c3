//! HMAC (GB/T 15852.2, RFC 2104) over SM3.

use zeroize::Zeroizing;

use crate::mask::Mask;
use crate::sm3::{BLOCK_SIZE, Digest, Sm3, digest};
use crate::wiping::{self, SHALLOW};

/// The tag is not that of the message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidMac;

/// A keyed digest in the making; a clone of a fresh one saves hashing the key again.
#[derive(Clone)]
pub struct HmacSm3 {
    inner: Sm3,
    outer: Sm3,
}

impl HmacSm3 {
    /// Takes a key of any length; one of more than 64 bytes is hashed first.
    pub fn new(key: &[u8]) -> Self {
        let mut block = Zeroizing::new([0; BLOCK_SIZE]);
        if key.len() > BLOCK_SIZE {
            block[..32].copy_from_slice(&digest(key));
        } else {
            block[..key.len()].copy_from_slice(key);
        }
        let padded = |pad: u8| {
            let mut hash = Sm3::new();
            hash.update(&*Zeroizing::new(block.map(|byte| byte ^ pad)));
            hash
        };
        Self {
            inner: padded(0x36),
            outer: padded(0x5c),
        }
    }

    /// Returns the tag of a message under this key, which has read nothing yet and stays so.
    pub fn tag_of(&self, message: &[u8]) -> Digest {
        wiping::work::<SHALLOW, _>(|| {
            let mut mac = self.clone();
            mac.update(message);
            mac.tag()
        })
    }

    /// Reads on.
    pub fn update(&mut self, data: &[u8]) {
        self.inner.update(data);
    }

    /// Returns the tag of what was read.
    pub fn tag(mut self) -> Digest {
        let inner = Zeroizing::new(self.inner.finish());
        self.outer.update(&*inner);
        self.outer.finish()
    }
}

/// Returns the tag of a message.
pub fn hmac(key: &[u8], message: &[u8]) -> Digest {
    wiping::work::<SHALLOW, _>(|| {
        let mut mac = HmacSm3::new(key);
        mac.update(message);
        mac.tag()
    })
}

/// Checks a tag of 32 bytes, in a time that tells nothing of how much of it was right.
///
/// # Errors
/// [`InvalidMac`], also for a tag of another length.
pub fn verify(key: &[u8], message: &[u8], tag: &[u8]) -> Result<(), InvalidMac> {
    let expected = Zeroizing::new(hmac(key, message));
    if Mask::if_equal_bytes(&*expected, tag).reveal() {
        Ok(())
    } else {
        Err(InvalidMac)
    }
}
