use crate::fields::{Binding, Flags, Kind, Scope};
use crate::reader::Reader;
use crate::refusal::Refusal;
use crate::signed::{ONLINE_CONTEXT, SIGNATURE_SIZE};

/// Bytes before the signature.
pub(crate) const BODY_SIZE: usize = 39;
pub(crate) const SIZE: usize = BODY_SIZE + SIGNATURE_SIZE;

/// An online code: minted by the holder service, signed by the issuer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OnlineCode {
    /// The issuer whose key signs.
    pub issuer: u16,
    /// Which of its keys.
    pub key_number: u8,
    /// Seconds since 1970, UTC.
    pub minted_at: u32,
    /// What it is signed for.
    pub scope: Scope,
    /// For whom, and the grade of presence.
    pub flags: Flags,
    /// The terminal and amount that it is meant for.
    pub binding: Binding,
    /// The holder reference, one SM4 block that only the issuer opens.
    pub sealed_box: [u8; 16],
}

impl OnlineCode {
    /// Step 2 for the bytes before the signature.
    pub(crate) fn read(body: &[u8]) -> Result<Self, Refusal> {
        let mut reader = Reader::new(body);
        Kind::Online.read(&mut reader)?;
        let code = Self {
            issuer: reader.u16()?,
            key_number: reader.u8()?,
            minted_at: reader.u32()?,
            scope: Scope::read(&mut reader)?,
            flags: Flags::read(&mut reader)?,
            binding: Binding::read(&mut reader)?,
            sealed_box: reader.bytes()?,
        };
        reader.finish()?;
        Ok(code)
    }

    /// The context prefix and the bytes that the issuer signs.
    pub fn to_be_signed(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(ONLINE_CONTEXT.len() + SIZE);
        bytes.extend(ONLINE_CONTEXT);
        bytes.push(Kind::Online.version_byte());
        bytes.extend(self.issuer.to_be_bytes());
        bytes.push(self.key_number);
        bytes.extend(self.minted_at.to_be_bytes());
        self.scope.write(&mut bytes);
        self.flags.write(&mut bytes);
        self.binding.write(&mut bytes);
        bytes.extend(self.sealed_box);
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_layout_is_the_documented_one() {
        let code = OnlineCode {
            issuer: 0x0102,
            key_number: 3,
            minted_at: 0x0405_0607,
            scope: Scope::new(2, 0x0109).unwrap(),
            flags: Flags::new(1, 2).unwrap(),
            binding: Binding::new(*b"TERMINAL", 0x000a_0b0c).unwrap(),
            sealed_box: *b"sixteen bytes ..",
        };
        let signed = code.to_be_signed();
        let body = signed.strip_prefix(b"sscard/online-code/v1\n").unwrap();
        let expected = b"\x11\x01\x02\x03\x04\x05\x06\x07\x02\x01\x09\x09TERMINAL\
            \x0a\x0b\x0csixteen bytes ..";
        assert_eq!(body, expected);
        assert_eq!(body.len(), BODY_SIZE);
        assert_eq!(OnlineCode::read(body), Ok(code));
        assert_eq!(OnlineCode::read(&body[1..]), Err(Refusal::UnknownVersion));
        assert_eq!(OnlineCode::read(&body[..38]), Err(Refusal::Malformed));
    }
}
