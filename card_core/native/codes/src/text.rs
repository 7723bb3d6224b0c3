//! The decimal text: a marker of four digits, then the bytes as one number of fixed length.
//!
//! Digits alone go through QR's numeric mode with no loss and through a keyboard-wedge scanner
//! under any input method. The length is fixed by the number of bytes, and a number that the bytes
//! can't hold is refused, so that each code has exactly one text.

use crate::decimal;
use crate::offline;
use crate::online;
use crate::refusal::Refusal;

/// The first four digits of every text.
pub const MARKER: &str = "7406";
/// Characters of the longest text that is looked at at all.
pub const TEXT_MAX: usize = 512;

const ONLINE_DIGITS: usize = digits_of(online::SIZE);
const OFFLINE_DIGITS: usize = digits_of(offline::SIZE);

/// The bytes of a text; its length tells the kind.
pub(crate) enum Decoded {
    Online([u8; online::SIZE]),
    Offline([u8; offline::SIZE]),
}

/// Digits of 256^size - 1: size * log10(256), rounded up; 2.408 240 is log10(256) to six places,
/// which is exact enough below 256 bytes (a test counts the digits).
const fn digits_of(size: usize) -> usize {
    (size * 2_408_240).div_ceil(1_000_000)
}

/// Step 1: length, alphabet, marker and range.
pub(crate) fn decode(text: &str) -> Result<Decoded, Refusal> {
    // All characters are looked at, sixteen at a time; to stop at the first bad one is slower.
    let is_digits = |text: &str| {
        text.bytes()
            .fold(true, |all, byte| all & byte.is_ascii_digit())
    };
    if text.len() > TEXT_MAX || !is_digits(text) {
        return Err(Refusal::Malformed);
    }
    let digits = text
        .strip_prefix(MARKER)
        .ok_or(Refusal::Malformed)?
        .as_bytes();
    match digits.len() {
        ONLINE_DIGITS => decimal::read(digits).map(Decoded::Online),
        OFFLINE_DIGITS => decimal::read(digits).map(Decoded::Offline),
        _ => None,
    }
    .ok_or(Refusal::Malformed)
}

/// The text of bytes that are an online or an offline code; any other size has none.
pub(crate) fn encode(bytes: &[u8]) -> Option<String> {
    if !matches!(bytes.len(), online::SIZE | offline::SIZE) {
        return None;
    }
    let mut text = vec![b'0'; MARKER.len() + digits_of(bytes.len())];
    let (marker, digits) = text.split_at_mut(MARKER.len());
    marker.copy_from_slice(MARKER.as_bytes());
    decimal::write(bytes, digits);
    String::from_utf8(text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(text: &str) -> Option<Vec<u8>> {
        match decode(text).ok()? {
            Decoded::Online(bytes) => Some(bytes.to_vec()),
            Decoded::Offline(bytes) => Some(bytes.to_vec()),
        }
    }

    #[test]
    fn both_kinds_have_the_length_that_their_largest_number_needs() {
        for (size, length) in [(online::SIZE, 253), (offline::SIZE, 493)] {
            let text = encode(&vec![0xff; size]).unwrap();
            assert_eq!(text.len(), length);
            assert_ne!(
                text.as_bytes()[MARKER.len()],
                b'0',
                "a digit fewer would do"
            );
            assert_eq!(decoded(&text), Some(vec![0xff; size]));
            assert!(length <= TEXT_MAX);
        }
    }

    #[test]
    fn text_and_bytes_name_each_other() {
        let mut state = 7u32;
        for size in [online::SIZE, offline::SIZE] {
            for zeros in 0..size {
                let mut bytes = vec![0; size];
                for byte in &mut bytes[zeros..] {
                    state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                    *byte = (state >> 24) as u8;
                }
                assert_eq!(decoded(&encode(&bytes).unwrap()), Some(bytes));
            }
        }
    }

    #[test]
    fn a_known_number_has_a_known_text() {
        let mut bytes = [0; online::SIZE];
        bytes[online::SIZE - 9..].copy_from_slice(&[1, 0, 0, 0, 0, 0, 0, 0, 1]);
        let text = encode(&bytes).unwrap();
        assert_eq!(text, format!("7406{}18446744073709551617", "0".repeat(229)));
    }

    #[test]
    fn a_number_that_the_bytes_cannot_hold_is_malformed() {
        for size in [online::SIZE, offline::SIZE] {
            let largest = encode(&vec![0xff; size]).unwrap();
            let (head, last) = largest.split_at(largest.len() - 1);
            let next = format!("{head}{}", last.parse::<u32>().unwrap() + 1);
            assert_eq!(next.len(), largest.len());
            assert!(decoded(&next).is_none());
            let nines = format!("7406{}", "9".repeat(largest.len() - 4));
            assert!(decoded(&nines).is_none());
        }
    }

    #[test]
    fn other_lengths_markers_and_letters_are_malformed() {
        let good = encode(&[0x12; online::SIZE]).unwrap();
        let bad = [
            String::new(),
            MARKER.into(),
            good[1..].into(),
            format!("{good}0"),
            format!(" {good}"),
            format!("{good}\n"),
            good.replacen("7406", "7407", 1),
            format!("{}a", &good[..252]),
            format!("{}-", &good[..252]),
            format!("{}０", &good[..250]),
            "0".repeat(TEXT_MAX + 1),
            format!("7406{}", "0".repeat(TEXT_MAX)),
        ];
        for text in bad {
            assert!(decoded(&text).is_none(), "{text}");
        }
        assert_eq!(encode(&[0; 102]), None);
    }
}
