use crate::fields::{Flags, Kind, Scope};
use crate::reader::Reader;
use crate::refusal::Refusal;
use crate::signed::{CREDENTIAL_CONTEXT, SIGNATURE_SIZE};

/// Bytes before the issuer's signature.
pub(crate) const BODY_SIZE: usize = 49;
pub(crate) const SIZE: usize = BODY_SIZE + SIGNATURE_SIZE;

const COMPRESSED: [u8; 2] = [2, 3];

/// A device credential: the issuer's word for one phone key on one day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credential {
    /// The issuer whose key signs.
    pub issuer: u16,
    /// Which of its credential keys.
    pub key_number: u8,
    /// The end of its day, in seconds since 1970, UTC.
    pub expires_at: u32,
    /// What the phone's codes may be signed for at most.
    pub scope: Scope,
    /// For whom, and the grade of presence.
    pub flags: Flags,
    /// Its position in the status list of its day.
    pub status_index: u32,
    /// The phone's public key, SEC 1 compressed. That it is on the curve is seen in step 4.
    pub device_key: [u8; 33],
}

impl Credential {
    /// Step 2 for the bytes before the issuer's signature.
    pub(crate) fn read(body: &[u8]) -> Result<Self, Refusal> {
        let mut reader = Reader::new(body);
        Kind::Offline.read(&mut reader)?;
        let credential = Self {
            issuer: reader.u16()?,
            key_number: reader.u8()?,
            expires_at: reader.u32()?,
            scope: Scope::read(&mut reader)?,
            flags: Flags::read(&mut reader)?,
            status_index: reader.u32()?,
            device_key: reader.bytes()?,
        };
        reader.finish()?;
        if COMPRESSED.contains(&credential.device_key[0]) {
            Ok(credential)
        } else {
            Err(Refusal::Malformed)
        }
    }

    /// The context prefix and the bytes that the issuer signs.
    pub fn to_be_signed(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(CREDENTIAL_CONTEXT.len() + SIZE);
        bytes.extend(CREDENTIAL_CONTEXT);
        bytes.push(Kind::Offline.version_byte());
        bytes.extend(self.issuer.to_be_bytes());
        bytes.push(self.key_number);
        bytes.extend(self.expires_at.to_be_bytes());
        self.scope.write(&mut bytes);
        self.flags.write(&mut bytes);
        bytes.extend(self.status_index.to_be_bytes());
        bytes.extend(self.device_key);
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_layout_is_the_documented_one() {
        let credential = Credential {
            issuer: 0x0102,
            key_number: 3,
            expires_at: 0x0405_0607,
            scope: Scope::new(1, 0x0002).unwrap(),
            flags: Flags::new(0, 1).unwrap(),
            status_index: 0x0809_0a0b,
            device_key: *b"\x02a phone's key, 32 bytes long ...",
        };
        let signed = credential.to_be_signed();
        let body = signed
            .strip_prefix(b"sscard/device-credential/v1\n")
            .unwrap();
        let expected = b"\x12\x01\x02\x03\x04\x05\x06\x07\x01\x00\x02\x04\x08\x09\x0a\x0b\
            \x02a phone's key, 32 bytes long ...";
        assert_eq!(body, expected);
        assert_eq!(body.len(), BODY_SIZE);
        assert_eq!(Credential::read(body), Ok(credential));
        for head in [0, 1, 4, 6, 7, 0xff] {
            let mut other = body.to_vec();
            other[16] = head;
            assert_eq!(Credential::read(&other), Err(Refusal::Malformed));
        }
    }
}
