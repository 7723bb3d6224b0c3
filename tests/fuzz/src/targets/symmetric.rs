//! SM3, HMAC, the key derivation and SM4 at all lengths and cuts.

use sscard_sm::sm3::{self, Sm3};
use sscard_sm::sm4::{Sm4, encrypt_once};
use sscard_sm::{hmac, kdf};

use super::Target;
use crate::choices::Choices;
use crate::reached::Reached;
use crate::textbook_sm3;

pub const TARGET: Target = Target {
    name: "symmetric",
    stages: &[
        "digest",
        "mac",
        "long key",
        "tag refused",
        "derivation",
        "block",
    ],
    run,
};

fn run(choices: &mut Choices<'_>, reached: &mut Reached) {
    match choices.byte() % 4 {
        0 => digest(choices, reached),
        1 => mac(choices, reached),
        2 => derivation(choices, reached),
        _ => block(choices, reached),
    }
}

/// In pieces or at once, with the digest asked for in between.
fn digest(choices: &mut Choices<'_>, reached: &mut Reached) {
    let mut hash = Sm3::new();
    let mut whole = Vec::new();
    loop {
        let size = usize::from(choices.byte());
        let piece = choices.up_to(size);
        hash.update(piece);
        whole.extend(piece);
        assert_eq!(hash.digest(), textbook_sm3::digest(&whole));
        if piece.is_empty() {
            assert_eq!(sm3::digest(&whole), hash.digest());
            return reached.note("digest");
        }
    }
}

/// By its definition (RFC 2104, section 2).
fn mac(choices: &mut Choices<'_>, reached: &mut Reached) {
    let size = choices.below(140);
    let key = choices.up_to(size);
    let mut tag = [0; 40];
    let spoilt = choices.array::<2>();
    let data = choices.rest();
    let mut block = [0; 64];
    let hashed = textbook_sm3::digest(key);
    let short = if key.len() > block.len() {
        &hashed[..]
    } else {
        key
    };
    block[..short.len()].copy_from_slice(short);
    let inner = textbook_sm3::digest(&[&block.map(|byte| byte ^ 0x36)[..], data].concat());
    let expected = textbook_sm3::digest(&[&block.map(|byte| byte ^ 0x5c)[..], &inner].concat());
    assert_eq!(hmac::hmac(key, data), expected);
    assert_eq!(hmac::verify(key, data, &expected), Ok(()));
    tag[..32].copy_from_slice(&expected);
    tag[usize::from(spoilt[0]) % 32] ^= spoilt[1];
    let size = if spoilt[0] > 0xe0 {
        usize::from(spoilt[1]) % 41
    } else {
        32
    };
    let is_same = tag[..size] == expected;
    assert_eq!(hmac::verify(key, data, &tag[..size]).is_ok(), is_same);
    reached.note(if key.len() > 64 { "long key" } else { "mac" });
    if !is_same {
        reached.note("tag refused");
    }
}

/// Block by block; a shorter output is the beginning of a longer one.
fn derivation(choices: &mut Choices<'_>, reached: &mut Reached) {
    let size = usize::from(u16::from_be_bytes(choices.array())) % 700;
    let z = choices.rest();
    let mut output = vec![0xaa; size];
    kdf::fill(z, &mut output);
    for (counter, chunk) in (1u32..).zip(output.chunks(32)) {
        let expected = textbook_sm3::digest(&[z, &counter.to_be_bytes()].concat());
        assert_eq!(*chunk, expected[..chunk.len()]);
    }
    reached.note("derivation");
}

fn block(choices: &mut Choices<'_>, reached: &mut Reached) {
    let bytes = choices.array();
    let key = Sm4::new(&bytes);
    let plain = choices.array();
    let hidden = key.encrypt_block(&plain);
    assert_eq!(key.decrypt_block(&hidden), plain);
    assert_eq!(key.encrypt_block(&key.decrypt_block(&plain)), plain);
    assert_eq!(key.clone().encrypt_block(&plain), hidden);
    assert_eq!(encrypt_once(&bytes, &plain), hidden);
    reached.note("block");
}
