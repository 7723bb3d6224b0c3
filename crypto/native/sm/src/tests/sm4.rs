use super::{hex, samples};
use crate::sm4::{Block, Sm4};

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
    for (key, plaintext, ciphertext, rounds) in examples {
        let sm4 = Sm4::new(&key);
        for (plain, cipher) in plaintext.chunks(16).zip(ciphertext.chunks(16)) {
            let start: Block = plain.try_into().unwrap();
            let end = (0..rounds).fold(start, |block, _| sm4.encrypt_block(&block));
            assert_eq!(end, cipher);
            let back = (0..rounds).fold(end, |block, _| sm4.decrypt_block(&block));
            assert_eq!(back, start);
        }
    }
}

#[test]
fn decryption_undoes_encryption_under_any_key() {
    for bytes in samples(200) {
        let (key, block) = bytes.split_at(16);
        let sm4 = Sm4::new(key.try_into().unwrap());
        let block: Block = block.try_into().unwrap();
        assert_ne!(sm4.encrypt_block(&block), block);
        assert_eq!(sm4.decrypt_block(&sm4.encrypt_block(&block)), block);
    }
}

#[test]
fn debug_shows_nothing_of_the_key() {
    assert_eq!(format!("{:?}", Sm4::new(&[7; 16])), "Sm4(hidden)");
}
