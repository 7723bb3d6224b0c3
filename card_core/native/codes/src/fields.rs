//! The fields that several layouts share. A value that is not defined can't be built.

use crate::reader::Reader;
use crate::refusal::Refusal;

/// Size of the three bytes of an amount, in fen.
pub const AMOUNT_FEN_MAX: u32 = 0x00ff_ffff;

const VERSION: u8 = 1;
const PURPOSES_DEFINED: u16 = 0x01ff;
const FOR_WHOM: u8 = 0b0000_0011;
const FAMILY: u8 = 1;
const PRESENCE_SHIFT: u32 = 2;
const PRESENCE_MAX: u8 = 3;

/// Low half of the first byte: who minted the code.
#[derive(Clone, Copy)]
pub(crate) enum Kind {
    Online = 1,
    Offline = 2,
}

impl Kind {
    pub(crate) const fn version_byte(self) -> u8 {
        VERSION << 4 | self as u8
    }

    /// The version comes first: another version may number its kinds as it likes.
    pub(crate) fn read(self, reader: &mut Reader<'_>) -> Result<(), Refusal> {
        let byte = reader.u8()?;
        if byte >> 4 != VERSION {
            return Err(Refusal::UnknownVersion);
        }
        if byte == self.version_byte() {
            Ok(())
        } else {
            Err(Refusal::Malformed)
        }
    }
}

/// What a code is signed for: class and purposes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scope {
    identify_only: bool,
    purposes: u16,
}

impl Scope {
    /// class: 1 any use, 2 identify only. purposes: at least one of the nine defined bits.
    pub const fn new(class: u8, purposes: u16) -> Option<Self> {
        if !matches!(class, 1 | 2) || purposes == 0 || purposes & !PURPOSES_DEFINED != 0 {
            return None;
        }
        Some(Self {
            identify_only: class == 2,
            purposes,
        })
    }

    /// 1 any use, 2 identify only.
    pub const fn class(self) -> u8 {
        1 + self.identify_only as u8
    }

    /// The purpose mask.
    pub const fn purposes(self) -> u16 {
        self.purposes
    }

    /// Whether `other` asks for no more than this.
    pub(crate) const fn covers(self, other: Self) -> bool {
        other.purposes & !self.purposes == 0 && (!self.identify_only || other.identify_only)
    }

    /// Whether it serves this purpose (a mask), which must be whole in it, and its consuming.
    pub(crate) const fn serves(self, purpose: u16, consumes: bool) -> bool {
        purpose != 0 && purpose & !self.purposes == 0 && !(consumes && self.identify_only)
    }

    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Self, Refusal> {
        Self::new(reader.u8()?, reader.u16()?).ok_or(Refusal::Malformed)
    }

    pub(crate) fn write(self, bytes: &mut Vec<u8>) {
        bytes.push(self.class());
        bytes.extend(self.purposes.to_be_bytes());
    }
}

/// For whom the code is, and the grade of presence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Flags {
    for_whom: u8,
    presence: u8,
}

impl Flags {
    /// for whom: 0 self, 1 family. presence: 0 plain, 1 bound phone, 2 face, 3 chip and PIN.
    pub const fn new(for_whom: u8, presence: u8) -> Option<Self> {
        if for_whom > FAMILY || presence > PRESENCE_MAX {
            return None;
        }
        Some(Self { for_whom, presence })
    }

    /// 0 self, 1 family.
    pub const fn for_whom(self) -> u8 {
        self.for_whom
    }

    /// 0 plain, 1 bound phone, 2 face, 3 chip and PIN.
    pub const fn presence(self) -> u8 {
        self.presence
    }

    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Self, Refusal> {
        let byte = reader.u8()?;
        Self::new(byte & FOR_WHOM, byte >> PRESENCE_SHIFT).ok_or(Refusal::Malformed)
    }

    pub(crate) fn write(self, bytes: &mut Vec<u8>) {
        bytes.push(self.presence << PRESENCE_SHIFT | self.for_whom);
    }
}

/// The terminal and the amount that a code is meant for; zeros bind neither.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Binding {
    terminal: [u8; 8],
    amount_fen: u32,
}

impl Binding {
    /// An amount without a terminal is refused: any shop could ask for it.
    pub fn new(terminal: [u8; 8], amount_fen: u32) -> Option<Self> {
        let bound = terminal != [0; 8];
        (amount_fen <= AMOUNT_FEN_MAX && (bound || amount_fen == 0)).then_some(Self {
            terminal,
            amount_fen,
        })
    }

    /// The only terminal, or zeros.
    pub const fn terminal(&self) -> [u8; 8] {
        self.terminal
    }

    /// The only amount, or zero.
    pub const fn amount_fen(&self) -> u32 {
        self.amount_fen
    }

    pub(crate) fn allows_terminal(&self, terminal: [u8; 8]) -> bool {
        self.terminal == [0; 8] || self.terminal == terminal
    }

    pub(crate) fn allows_amount(&self, amount_fen: Option<u64>) -> bool {
        self.amount_fen == 0 || amount_fen == Some(u64::from(self.amount_fen))
    }

    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Self, Refusal> {
        let terminal = reader.bytes()?;
        let [high, middle, low] = reader.bytes()?;
        let amount_fen = u32::from_be_bytes([0, high, middle, low]);
        Self::new(terminal, amount_fen).ok_or(Refusal::Malformed)
    }

    pub(crate) fn write(&self, bytes: &mut Vec<u8>) {
        bytes.extend(self.terminal);
        bytes.extend(&self.amount_fen.to_be_bytes()[1..]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_of_a_byte_is_either_defined_or_malformed() {
        for byte in 0..=u8::MAX {
            let defined = matches!(byte, 0..=1 | 4..=5 | 8..=9 | 12..=13);
            let flags = Flags::read(&mut Reader::new(&[byte]));
            assert_eq!(flags.is_ok(), defined, "flags {byte:#010b}");
            if let Ok(flags) = flags {
                let mut written = Vec::new();
                flags.write(&mut written);
                assert_eq!(written, [byte]);
            }
            assert_eq!(Scope::new(byte, 1).is_some(), matches!(byte, 1 | 2));
            let kind = Kind::Online.read(&mut Reader::new(&[byte]));
            let expected = match byte {
                0x11 => Ok(()),
                0x10..=0x1f => Err(Refusal::Malformed),
                _ => Err(Refusal::UnknownVersion),
            };
            assert_eq!(kind, expected);
        }
    }

    #[test]
    fn purposes_are_the_nine_defined_bits_and_at_least_one() {
        assert_eq!(Scope::new(1, 0), None);
        for bit in 0..16 {
            assert_eq!(Scope::new(1, 1 << bit).is_some(), bit < 9);
        }
        assert_eq!(Scope::new(2, 0x01ff).map(Scope::purposes), Some(0x01ff));
    }

    #[test]
    fn a_scope_serves_its_own_purposes_and_consumes_only_for_any_use() {
        let any = Scope::new(1, 0b110).unwrap();
        let identify = Scope::new(2, 0b110).unwrap();
        assert!(any.serves(0b010, true) && any.serves(0b100, false));
        assert!(identify.serves(0b010, false) && !identify.serves(0b010, true));
        assert!(!any.serves(0b001, false) && !any.serves(0, false) && !any.serves(0b011, false));
        assert!(any.covers(identify) && any.covers(any) && !identify.covers(any));
        assert!(!any.covers(Scope::new(1, 0b111).unwrap()));
    }

    #[test]
    fn an_amount_needs_a_terminal_and_three_bytes() {
        assert_eq!(Binding::new([0; 8], 1), None);
        assert_eq!(Binding::new([1; 8], AMOUNT_FEN_MAX + 1), None);
        let binding = Binding::new([1; 8], AMOUNT_FEN_MAX).unwrap();
        assert!(binding.allows_terminal([1; 8]) && !binding.allows_terminal([0; 8]));
        assert!(binding.allows_amount(Some(0x00ff_ffff)));
        assert!(!binding.allows_amount(Some(0x01ff_ffff)) && !binding.allows_amount(None));
        let unbound = Binding::new([0; 8], 0).unwrap();
        assert!(unbound.allows_terminal([1; 8]) && unbound.allows_amount(None));
    }
}
