use crate::credential::{self, Credential};
use crate::fields::{Binding, Scope};
use crate::reader::Reader;
use crate::refusal::Refusal;
use crate::signed::{OFFLINE_CONTEXT, SIGNATURE_SIZE};

/// Bytes before the device's signature: the whole credential and the phone's own part.
pub(crate) const BODY_SIZE: usize = credential::SIZE + 26;
pub(crate) const SIZE: usize = BODY_SIZE + SIGNATURE_SIZE;

/// An offline code: minted by a phone with no network, under a device credential.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OfflineCode {
    /// The credential, read.
    pub credential: Credential,
    /// Its issuer's signature.
    pub credential_signature: [u8; SIGNATURE_SIZE],
    /// Seconds since 1970, UTC, by the phone's clock.
    pub minted_at: u32,
    /// What it is signed for; step 6 holds it against the credential's.
    pub scope: Scope,
    /// The phone's random bytes.
    pub nonce: [u8; 8],
    /// The terminal and amount that it is meant for.
    pub binding: Binding,
}

impl OfflineCode {
    /// Step 2 for the bytes before the device's signature.
    pub(crate) fn read(body: &[u8]) -> Result<Self, Refusal> {
        let mut reader = Reader::new(body);
        let credential: [u8; credential::BODY_SIZE] = reader.bytes()?;
        let code = Self {
            credential: Credential::read(&credential)?,
            credential_signature: reader.bytes()?,
            minted_at: reader.u32()?,
            scope: Scope::read(&mut reader)?,
            nonce: reader.bytes()?,
            binding: Binding::read(&mut reader)?,
        };
        reader.finish()?;
        Ok(code)
    }

    /// Reads what [`crate::assemble_credential`] gave; no signature is checked.
    ///
    /// # Errors
    /// [`Refusal::Malformed`] and [`Refusal::UnknownVersion`].
    pub fn read_credential(bytes: &[u8]) -> Result<(Credential, [u8; SIGNATURE_SIZE]), Refusal> {
        let mut reader = Reader::new(bytes);
        let body: [u8; credential::BODY_SIZE] = reader.bytes()?;
        let signature = reader.bytes()?;
        reader.finish()?;
        Ok((Credential::read(&body)?, signature))
    }

    /// The context prefix and the bytes that the device signs.
    pub fn to_be_signed(&self) -> Vec<u8> {
        let credential = self.credential.to_be_signed();
        let mut bytes = Vec::with_capacity(OFFLINE_CONTEXT.len() + SIZE);
        bytes.extend(OFFLINE_CONTEXT);
        bytes.extend(&credential[credential.len() - credential::BODY_SIZE..]);
        bytes.extend(self.credential_signature);
        bytes.extend(self.minted_at.to_be_bytes());
        self.scope.write(&mut bytes);
        bytes.extend(self.nonce);
        self.binding.write(&mut bytes);
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fields::Flags;

    #[test]
    fn the_layout_is_the_documented_one() {
        let credential = Credential {
            issuer: 1,
            key_number: 2,
            expires_at: 3,
            scope: Scope::new(1, 4).unwrap(),
            flags: Flags::new(0, 3).unwrap(),
            status_index: 5,
            device_key: [3; 33],
        };
        let code = OfflineCode {
            credential: credential.clone(),
            credential_signature: [0xcc; 64],
            minted_at: 0x0102_0304,
            scope: Scope::new(2, 4).unwrap(),
            nonce: *b"eight by",
            binding: Binding::new(*b"TERMINAL", 7).unwrap(),
        };
        let signed = code.to_be_signed();
        let body = signed.strip_prefix(b"sscard/offline-code/v1\n").unwrap();
        assert_eq!(body.len(), BODY_SIZE);
        assert!(credential.to_be_signed().ends_with(&body[..49]));
        assert_eq!(body[49..113], [0xcc; 64]);
        assert_eq!(
            body[113..],
            *b"\x01\x02\x03\x04\x02\x00\x04eight byTERMINAL\x00\x00\x07"
        );
        assert_eq!(OfflineCode::read(body), Ok(code));
        assert_eq!(
            OfflineCode::read_credential(&body[..113]),
            Ok((credential, [0xcc; 64]))
        );
        for size in [0, 112, 114] {
            assert!(OfflineCode::read_credential(&body[..size]).is_err());
        }
    }
}
