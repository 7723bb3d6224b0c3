//! Tests of the arithmetic against textbook versions, and of the algorithms against the values
//! that the standards publish.

mod arithmetic;
mod der;
mod digests;
mod divsteps;
mod health;
mod official;
mod points;
mod self_tests;
mod sm4;
mod sm4_textbook;
mod textbook;

pub(crate) use official::Official;
pub(crate) use sm4_textbook::s_box_table;

use crate::sm3;

/// Reproducible 32-byte values that look random.
pub(crate) fn samples(count: u32) -> impl Iterator<Item = [u8; 32]> {
    (0..count).map(|number| sm3::digest(&number.to_be_bytes()))
}

/// Bytes from hexadecimal digits.
pub(crate) fn hex(digits: &str) -> Vec<u8> {
    let nibbles: Vec<u8> = digits
        .chars()
        .map(|digit| digit.to_digit(16).unwrap() as u8)
        .collect();
    nibbles
        .chunks_exact(2)
        .map(|pair| pair[0] << 4 | pair[1])
        .collect()
}
