use super::{Official, hex, samples, sm4_textbook};
use crate::Backend;
use crate::sm4::{
    Block, Gcm, GcmFailed, Sm4, TAG_SIZE, cbc_mac, diversify, encrypt_once_on, wrap_diversified,
};

const TEXT: &str = include_str!("../../../../../tests/vectors/sm_official.json");

/// Key, plaintext and ciphertext of each published example, and the times it encrypts.
fn official() -> Vec<(Block, Vec<u8>, Vec<u8>, usize)> {
    let section = TEXT
        .split_once("\"sm4\": [")
        .unwrap()
        .1
        .split_once(']')
        .unwrap()
        .0;
    let value = |line: &str, name: &str| {
        let (_, rest) = line.split_once(&format!("\"{name}\": "))?;
        rest.trim_start_matches('"')
            .split(['"', '}', ','])
            .next()
            .map(str::to_owned)
    };
    let entry = |line: &str| {
        let key = hex(&value(line, "key")?).try_into().unwrap();
        let rounds = value(line, "rounds").map_or(1, |rounds| rounds.trim().parse().unwrap());
        let bytes = |name: &str| hex(&value(line, name).unwrap());
        Some((key, bytes("plaintext"), bytes("ciphertext"), rounds))
    };
    section.lines().filter_map(entry).collect()
}

#[test]
fn every_official_value_is_reproduced_the_millionth_round_included() {
    let examples = official();
    assert_eq!(
        examples.iter().map(|example| example.3).collect::<Vec<_>>(),
        [1, 1_000_000, 1]
    );
    for backend in Backend::available() {
        for (key, plaintext, ciphertext, rounds) in &examples {
            let sm4 = Sm4::on(backend, key);
            for (plain, cipher) in plaintext.chunks(16).zip(ciphertext.chunks(16)) {
                let start: Block = plain.try_into().unwrap();
                let end = (0..*rounds).fold(start, |block, _| sm4.encrypt_block(&block));
                assert_eq!(end, cipher);
                let back = (0..*rounds).fold(end, |block, _| sm4.decrypt_block(&block));
                assert_eq!(back, start);
                if *rounds == 1 {
                    assert_eq!(encrypt_once_on(backend, key, &start), end);
                }
            }
        }
    }
}

#[test]
fn every_back_end_agrees_with_the_textbook_under_any_key() {
    for bytes in samples(500) {
        let key: Block = bytes[..16].try_into().unwrap();
        let block: Block = bytes[16..].try_into().unwrap();
        let encrypted = sm4_textbook::encrypt(&key, &block);
        assert_eq!(sm4_textbook::decrypt(&key, &encrypted), block);
        for backend in Backend::available() {
            let sm4 = Sm4::on(backend, &key);
            assert_eq!(sm4.encrypt_block(&block), encrypted);
            assert_eq!(sm4.decrypt_block(&encrypted), block);
            assert_eq!(sm4.clone().encrypt_block(&block), encrypted);
            assert_eq!(encrypt_once_on(backend, &key, &block), encrypted);
        }
    }
}

#[test]
fn a_card_key_and_its_mac_are_those_of_the_example() {
    let example = Official::section("sm4_diversification");
    let bytes = |name: &str| example.bytes(name);
    let master = bytes("master").try_into().unwrap();
    let subkey = diversify(&master, &bytes("factor").try_into().unwrap());
    assert_eq!(subkey, bytes("subkey")[..]);
    let iv = [bytes("mac_random"), vec![0; 8]]
        .concat()
        .try_into()
        .unwrap();
    assert_eq!(cbc_mac(&subkey, &iv, &bytes("mac_data"))[..4], bytes("mac"));
}

#[test]
fn wrapped_keys_are_those_of_the_textbook() {
    let bytes: Vec<u8> = samples(11).flatten().collect();
    let (transport, masters) = bytes.split_first_chunk().unwrap();
    for count in 0..(masters.len() / 16).min(16) {
        let (masters, factor) = (&masters[..16 * count], [count as u8; 8]);
        let mut wrapped = vec![[0; 19]; count];
        wrap_diversified(masters, &factor, &Sm4::new(transport), &mut wrapped);
        for (master, made) in masters.chunks(16).zip(wrapped) {
            let key = diversify(master.try_into().unwrap(), &factor);
            assert_eq!(made[..16], sm4_textbook::encrypt(transport, &key));
            assert_eq!(made[16..], sm4_textbook::encrypt(&key, &[0; 16])[..3]);
        }
    }
}

#[test]
fn a_mac_pads_messages_of_every_length() {
    let data: Vec<u8> = samples(4).flatten().collect();
    let (key, iv): (Block, Block) = ([0x2b; 16], [0x5c; 16]);
    for length in 0..data.len() {
        let mut padded = data[..length].to_vec();
        padded.push(0x80);
        padded.resize(padded.len().next_multiple_of(16), 0);
        let expected = padded.chunks(16).fold(iv, |state, block| {
            let sum = core::array::from_fn(|i| state[i] ^ block[i]);
            sm4_textbook::encrypt(&key, &sum)
        });
        assert_eq!(cbc_mac(&key, &iv, &data[..length]), expected);
    }
}

#[test]
fn debug_shows_nothing_of_the_key() {
    assert_eq!(format!("{:?}", Sm4::new(&[7; 16])), "Sm4(hidden)");
}

/// GCM from its definition, bit by bit, over the textbook's blocks.
fn gcm_textbook(key: &Block, nonce: &[u8], aad: &[u8], text: &[u8]) -> Vec<u8> {
    let encrypt = |block: Block| sm4_textbook::encrypt(key, &block);
    let h = u128::from_be_bytes(encrypt([0; 16]));
    let times_h = |x: u128| {
        let (mut product, mut v) = (0, h);
        for bit in (0..128).rev() {
            product ^= if x >> bit & 1 == 1 { v } else { 0 };
            v = v >> 1 ^ if v & 1 == 1 { 0xe1 << 120 } else { 0 };
        }
        product
    };
    let ghash = |aad: &[u8], data: &[u8]| {
        let mut input = Vec::new();
        for part in [aad, data] {
            input.extend(part);
            input.resize(input.len().next_multiple_of(16), 0);
        }
        input.extend((8 * aad.len() as u64).to_be_bytes());
        input.extend((8 * data.len() as u64).to_be_bytes());
        input.chunks(16).fold(0, |state, block| {
            times_h(state ^ u128::from_be_bytes(block.try_into().unwrap()))
        })
    };
    let first = match <[u8; 12]>::try_from(nonce) {
        Ok(nonce) => u128::from_be_bytes([&nonce[..], &[0, 0, 0, 1]].concat().try_into().unwrap()),
        Err(_) => ghash(&[], nonce),
    };
    let stream = |number: usize| {
        let counter = (first as u32).wrapping_add(number as u32);
        encrypt((first >> 32 << 32 | u128::from(counter)).to_be_bytes())
    };
    let mut sealed: Vec<u8> = text
        .iter()
        .enumerate()
        .map(|(i, byte)| byte ^ stream(1 + i / 16)[i % 16])
        .collect();
    let tag = ghash(aad, &sealed) ^ u128::from_be_bytes(stream(0));
    sealed.extend(tag.to_be_bytes());
    sealed
}

#[test]
fn gcm_agrees_with_its_definition_for_every_length_on_every_back_end() {
    let data: Vec<u8> = samples(12).flatten().collect();
    let key = [0x6d; 16];
    for length in 0..=300 {
        let text = &data[..length];
        let (aad, nonce) = (
            &data[..length % 50],
            &data[length % 7..][..8 + length % 121],
        );
        let nonce = if length.is_multiple_of(2) {
            &data[..12]
        } else {
            nonce
        };
        let expected = gcm_textbook(&key, nonce, aad, text);
        for backend in Backend::available() {
            let gcm = Gcm::of(Sm4::on(backend, &key));
            let mut sealed = vec![0; length + TAG_SIZE];
            gcm.seal(nonce, aad, text, &mut sealed).unwrap();
            assert_eq!(sealed, expected);
            let mut opened = vec![0; length];
            gcm.open(nonce, aad, &sealed, &mut opened).unwrap();
            assert_eq!(opened, text);
        }
    }
}

#[test]
fn gcm_writes_no_text_before_the_tag_was_right() {
    let gcm = Gcm::new(&[1; 16]);
    let (nonce, mut sealed) = ([2; 12], [0; 20 + TAG_SIZE]);
    gcm.seal(&nonce, b"", &[7; 20], &mut sealed).unwrap();
    for bit in 0..8 * sealed.len() {
        let mut bad = sealed;
        bad[bit / 8] ^= 1 << (bit % 8);
        let mut text = [0x55; 20];
        assert_eq!(gcm.open(&nonce, b"", &bad, &mut text), Err(GcmFailed::Tag));
        assert_eq!(text, [0x55; 20]);
    }
    let mut text = [0; 20];
    assert_eq!(
        gcm.open(&nonce, b"", &sealed[..15], &mut text),
        Err(GcmFailed::Tag)
    );
    for size in [0, 7, 129] {
        let nonce = vec![0; size];
        assert_eq!(
            gcm.seal(&nonce, b"", &text, &mut sealed),
            Err(GcmFailed::NonceSize)
        );
        assert_eq!(
            gcm.open(&nonce, b"", &sealed, &mut text),
            Err(GcmFailed::NonceSize)
        );
    }
    assert_eq!(format!("{gcm:?}"), "Gcm(hidden)");
}
