//! DER by the textbook: a strict writer, and a loose reader that says what was meant. Bytes are
//! DER when the writer gives back what the reader read.

use crate::choices::Choices;
use crate::number::Number;

/// Tag, shortest length, content.
pub fn value(tag: u8, content: &[u8]) -> Vec<u8> {
    let mut bytes = vec![tag];
    let size = content.len();
    match size {
        0..0x80 => bytes.push(size as u8),
        0x80..0x100 => bytes.extend([0x81, size as u8]),
        0x100..0x1_0000 => bytes.extend([0x82, (size >> 8) as u8, size as u8]),
        _ => unreachable!("no input is that long"),
    }
    bytes.extend(content);
    bytes
}

/// An integer that is not negative, in its shortest form.
pub fn integer(number: Number) -> Vec<u8> {
    value(2, &integer_content(number))
}

fn integer_content(number: Number) -> Vec<u8> {
    let mut content = number.to_bytes().to_vec();
    while content.len() > 1 && content[0] == 0 {
        content.remove(0);
    }
    if content[0] >= 0x80 {
        content.insert(0, 0);
    }
    content
}

/// As [`value`], but rarely with a length that is spelt as BER allows and DER does not.
pub fn any_value(choices: &mut Choices<'_>, tag: u8, content: &[u8]) -> Vec<u8> {
    if !choices.rarely(16) {
        return value(tag, content);
    }
    let size = content.len().to_be_bytes();
    let count = 1 + choices.below(size.len());
    let digits = &size[size.len() - count..];
    let indefinite = [&[tag, 0x80][..], content, &[0, 0]].concat();
    let long = [&[tag, 0x80 | count as u8][..], digits, content].concat();
    if choices.rarely(8) { indefinite } else { long }
}

/// As [`integer`], but rarely with a byte too many or too few in front, or a length as above.
pub fn any_integer(choices: &mut Choices<'_>, number: Number) -> Vec<u8> {
    let mut content = integer_content(number);
    match choices.byte() % 32 {
        31 => content.insert(0, 0),
        30 => content.insert(0, 0xff),
        29 => drop(content.remove(0)),
        _ => {}
    }
    any_value(choices, 2, &content)
}

/// Takes one value of any tag off the front: definite lengths, as long as they like.
pub fn loose_value<'a>(bytes: &mut &'a [u8]) -> Option<&'a [u8]> {
    let (&[_, first], mut rest) = bytes.split_first_chunk()?;
    let mut size = usize::from(first);
    if first >= 0x80 {
        let (digits, after) = rest.split_at_checked(usize::from(first & 0x7f))?;
        size = digits.iter().fold(0, |size: usize, digit| {
            size.saturating_mul(256).saturating_add(usize::from(*digit))
        });
        rest = after;
    }
    let (content, after) = rest.split_at_checked(size)?;
    *bytes = after;
    Some(content)
}

/// The last 32 bytes of an integer's content as a number.
pub fn loose_integer(bytes: &mut &[u8]) -> Option<Number> {
    let content = loose_value(bytes)?;
    let kept = &content[content.len().saturating_sub(32)..];
    let mut number = [0; 32];
    number[32 - kept.len()..].copy_from_slice(kept);
    Some(Number::from_bytes(&number))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_have_one_form_and_are_read_in_any() {
        assert_eq!(integer(Number::ZERO), [2, 1, 0]);
        assert_eq!(integer(Number::small(0x7f)), [2, 1, 0x7f]);
        assert_eq!(integer(Number::small(0x80)), [2, 2, 0, 0x80]);
        for form in [&[2, 1, 5][..], &[2, 0x81, 1, 5], &[2, 3, 0, 0, 5]] {
            assert_eq!(loose_integer(&mut &form[..]), Some(Number::small(5)));
        }
        assert_eq!(value(4, &[1; 200])[..3], [4, 0x81, 200]);
        assert_eq!(value(4, &[1; 300])[..4], [4, 0x82, 1, 44]);
        assert_eq!(loose_value(&mut &[4, 2, 1][..]), None);
    }
}
