//! The few types of DER (ITU-T X.690) that SM2 signatures and ciphertexts are made of.
//!
//! Reading is strict: one value has one encoding. Lengths are definite and as short as can be,
//! integers have no byte too many, and nothing may follow.

const INTEGER: u8 = 0x02;
const OCTET_STRING: u8 = 0x04;
const SEQUENCE: u8 = 0x30;

/// What is left to read of a sequence's content.
pub(crate) struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    /// Opens a sequence that takes up all of `bytes`.
    pub(crate) fn sequence(bytes: &'a [u8]) -> Option<Self> {
        let mut outer = Self { rest: bytes };
        let content = outer.value(SEQUENCE)?;
        outer.finish()?;
        Some(Self { rest: content })
    }

    /// Reads an integer from 0 to 2^256 - 1.
    pub(crate) fn unsigned_integer(&mut self) -> Option<[u8; 32]> {
        let content = self.value(INTEGER)?;
        let digits = match content {
            [0] => content,
            [0, high, ..] if *high >= 0x80 => &content[1..],
            [high, ..] if (1..0x80).contains(high) => content,
            _ => return None,
        };
        let mut number = [0; 32];
        let start = number.len().checked_sub(digits.len())?;
        number[start..].copy_from_slice(digits);
        Some(number)
    }

    /// Reads an octet string.
    pub(crate) fn octet_string(&mut self) -> Option<&'a [u8]> {
        self.value(OCTET_STRING)
    }

    /// Nothing may be left.
    pub(crate) fn finish(self) -> Option<()> {
        self.rest.is_empty().then_some(())
    }

    fn value(&mut self, tag: u8) -> Option<&'a [u8]> {
        let (found, rest) = self.rest.split_first()?;
        if *found != tag {
            return None;
        }
        let (length, rest) = read_length(rest)?;
        let (content, rest) = rest.split_at_checked(length)?;
        self.rest = rest;
        Some(content)
    }
}

/// Reads a length of at most four bytes, more than any limit of this crate.
fn read_length(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let (first, rest) = bytes.split_first()?;
    if *first < 0x80 {
        return Some((usize::from(*first), rest));
    }
    let count = usize::from(first & 0x7f);
    let (digits, rest) = rest.split_at_checked(count)?;
    if !(1..=4).contains(&count) || digits[0] == 0 {
        return None;
    }
    let length = digits
        .iter()
        .fold(0, |length, digit| (length << 8) | usize::from(*digit));
    (length >= 0x80).then_some((length, rest))
}

/// Appends an integer.
pub(crate) fn write_unsigned_integer(output: &mut Vec<u8>, number: &[u8; 32]) {
    let zeros = number.iter().take_while(|byte| **byte == 0).count().min(31);
    let digits = &number[zeros..];
    let sign = usize::from(digits[0] >= 0x80);
    output.extend([INTEGER, (digits.len() + sign) as u8]);
    output.extend(core::iter::repeat_n(0, sign));
    output.extend(digits);
}

/// Appends an octet string.
pub(crate) fn write_octet_string(output: &mut Vec<u8>, bytes: &[u8]) {
    write_header(output, OCTET_STRING, bytes.len());
    output.extend(bytes);
}

/// Returns a sequence of values that are already encoded.
pub(crate) fn sequence(content: &[u8]) -> Vec<u8> {
    let mut output = Vec::with_capacity(content.len() + 6);
    write_header(&mut output, SEQUENCE, content.len());
    output.extend(content);
    output
}

fn write_header(output: &mut Vec<u8>, tag: u8, length: usize) {
    output.push(tag);
    if length < 0x80 {
        output.push(length as u8);
        return;
    }
    let digits = length.to_be_bytes();
    let zeros = digits.iter().take_while(|digit| **digit == 0).count();
    output.push(0x80 | (digits.len() - zeros) as u8);
    output.extend(&digits[zeros..]);
}
