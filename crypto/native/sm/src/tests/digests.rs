use super::{hex, samples};
use crate::hmac::{self, InvalidMac};
use crate::kdf;
use crate::sm3::{self, Sm3};

const TEXT: &str = include_str!("../../../../../tests/vectors/sm_official.json");

#[test]
fn every_official_digest_is_reproduced() {
    let section = TEXT
        .split_once("\"sm3\": [")
        .unwrap()
        .1
        .split_once(']')
        .unwrap()
        .0;
    let mut count = 0;
    for entry in section.split("\"message_ascii\": \"").skip(1) {
        let (message, rest) = entry.split_once('"').unwrap();
        let digest = rest
            .split_once("\"digest\": \"")
            .unwrap()
            .1
            .split_once('"')
            .unwrap()
            .0;
        assert_eq!(sm3::digest(message.as_bytes()).to_vec(), hex(digest));
        count += 1;
    }
    assert_eq!(count, 3);
}

#[test]
fn pieces_give_the_digest_of_the_whole() {
    let data: Vec<u8> = samples(10).flatten().collect();
    for length in 0..data.len() {
        let (whole, first) = (&data[..length], length * 7 % (length + 1));
        let mut hash = Sm3::new();
        hash.update(&whole[..first]);
        assert_eq!(hash.digest(), sm3::digest(&whole[..first]));
        whole[first..]
            .chunks(9)
            .for_each(|piece| hash.update(piece));
        assert_eq!(hash.digest(), sm3::digest(whole));
    }
}

/// HMAC as RFC 2104 writes it.
fn textbook_hmac(key: &[u8], message: &[u8]) -> [u8; 32] {
    let mut block = if key.len() > 64 {
        sm3::digest(key).to_vec()
    } else {
        key.to_vec()
    };
    block.resize(64, 0);
    let padded = |pad: u8| block.iter().map(|byte| byte ^ pad).collect::<Vec<u8>>();
    let inner = sm3::digest(&[&padded(0x36), message].concat());
    sm3::digest(&[&padded(0x5c), &inner[..]].concat())
}

#[test]
fn tags_are_those_of_the_definition_for_every_length_of_key() {
    let data: Vec<u8> = samples(5).flatten().collect();
    for length in 0..=130 {
        let key = &data[..length];
        assert_eq!(hmac::hmac(key, b"message"), textbook_hmac(key, b"message"));
        assert_eq!(
            hmac::verify(key, b"message", &textbook_hmac(key, b"message")),
            Ok(())
        );
    }
}

#[test]
fn any_flipped_bit_of_a_tag_and_any_other_length_is_refused() {
    let tag = hmac::hmac(b"key", b"message");
    for bit in 0..256 {
        let mut other = tag;
        other[bit / 8] ^= 1 << (bit % 8);
        assert_eq!(hmac::verify(b"key", b"message", &other), Err(InvalidMac));
    }
    for length in 0..32 {
        assert_eq!(
            hmac::verify(b"key", b"message", &tag[..length]),
            Err(InvalidMac)
        );
    }
    assert_eq!(
        hmac::verify(b"key", b"message", &[&tag[..], &[0]].concat()),
        Err(InvalidMac)
    );
}

#[test]
fn derived_bytes_are_numbered_digests() {
    let mut output = [0; 100];
    kdf::fill(b"shared", &mut output);
    let expected: Vec<u8> = (1..=4u32)
        .flat_map(|i| sm3::digest(&[b"shared", &i.to_be_bytes()[..]].concat()))
        .collect();
    assert_eq!(output[..], expected[..100]);
}
