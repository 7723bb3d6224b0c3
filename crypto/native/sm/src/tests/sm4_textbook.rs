//! SM4 byte by byte, as GB/T 32907 writes it, with its table.

use std::sync::LazyLock;

use super::hex;
use crate::sm4::Block;

/// Section 6.2.
const S_BOX: &str = "\
    d690e9fecce13db716b614c228fb2c052b679a762abe04c3aa44132649860699\
    9c4250f491ef987a33540b43edcfac62e4b31ca9c908e89580df94fa758f3fa6\
    4707a7fcf37317ba83593c19e6854fa8686b81b27164da8bf8eb0f4b70569d35\
    1e240e5e6358d1a225227c3b01217887d40046579fd327524c3602e7a0c4c89e\
    eabf8ad240c738b5a3f7f2cef96115a1e0ae5da49b341a55ad933230f58cb1e3\
    1df6e22e8266ca60c02923ab0d534e6fd5db3745defd8e2f03ff6a726d6c5b51\
    8d1baf92bbddbc7f11d95c411f105ad80ac13188a5cd7bbd2d74d012b8e5b4b0\
    8969974a0c96777e65b9f109c56ec68418f07dec3adc4d2079ee5f3ed7cb3948";

/// Section 7.3.
const FK: [u32; 4] = [0xa3b1bac6, 0x56aa3350, 0x677d9197, 0xb27022dc];

static TABLE: LazyLock<[u8; 256]> = LazyLock::new(|| hex(S_BOX).try_into().unwrap());

pub(crate) fn s_box_table() -> &'static [u8; 256] {
    &TABLE
}

pub(super) fn encrypt(key: &Block, block: &Block) -> Block {
    apply_rounds(block, round_keys(key))
}

pub(super) fn decrypt(key: &Block, block: &Block) -> Block {
    let mut keys = round_keys(key);
    keys.reverse();
    apply_rounds(block, keys)
}

fn words(block: &Block) -> Vec<u32> {
    let word = |i: usize| u32::from_be_bytes(block[4 * i..4 * i + 4].try_into().unwrap());
    (0..4).map(word).collect()
}

fn tau(word: u32) -> u32 {
    u32::from_be_bytes(word.to_be_bytes().map(|byte| TABLE[usize::from(byte)]))
}

fn round_keys(key: &Block) -> Vec<u32> {
    let mut k: Vec<u32> = words(key).iter().zip(FK).map(|(mk, fk)| mk ^ fk).collect();
    for i in 0..32 {
        let ck = u32::from_be_bytes([0, 1, 2, 3].map(|j| (7 * (4 * i + j) % 256) as u8));
        let b = tau(k[i + 1] ^ k[i + 2] ^ k[i + 3] ^ ck);
        k.push(k[i] ^ b ^ b.rotate_left(13) ^ b.rotate_left(23));
    }
    k.split_off(4)
}

fn apply_rounds(block: &Block, round_keys: Vec<u32>) -> Block {
    let mut x = words(block);
    for (i, round_key) in round_keys.into_iter().enumerate() {
        let b = tau(x[i + 1] ^ x[i + 2] ^ x[i + 3] ^ round_key);
        let c = b ^ b.rotate_left(2) ^ b.rotate_left(10) ^ b.rotate_left(18) ^ b.rotate_left(24);
        x.push(x[i] ^ c);
    }
    let bytes: Vec<u8> = [x[35], x[34], x[33], x[32]]
        .iter()
        .flat_map(|word| word.to_be_bytes())
        .collect();
    bytes.try_into().unwrap()
}
