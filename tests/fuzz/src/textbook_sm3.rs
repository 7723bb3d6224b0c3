//! SM3 (GB/T 32905), section by section and all at once.

/// The digest of some bytes.
pub fn digest(data: &[u8]) -> [u8; 32] {
    // 5.2: a bit 1, zeros, the length in 64 bits
    let mut padded = data.to_vec();
    padded.push(0x80);
    while padded.len() % 64 != 56 {
        padded.push(0);
    }
    padded.extend((data.len() as u64 * 8).to_be_bytes());
    // 4.1
    let mut v = [
        0x7380166f, 0x4914b2b9, 0x172442d7, 0xda8a0600, 0xa96f30bc, 0x163138aa, 0xe38dee4d,
        0xb0fb0e4e,
    ];
    for block in padded.chunks(64) {
        let next = compress(v, block);
        for (word, new) in v.iter_mut().zip(next) {
            *word ^= new;
        }
    }
    let mut digest = [0; 32];
    for (bytes, word) in digest.chunks_mut(4).zip(v) {
        bytes.copy_from_slice(&word.to_be_bytes());
    }
    digest
}

/// 5.3.2 and 5.3.3
fn compress(v: [u32; 8], block: &[u8]) -> [u32; 8] {
    let mut w: Vec<u32> = block
        .chunks(4)
        .map(|bytes| {
            bytes
                .iter()
                .fold(0, |word, byte| word << 8 | u32::from(*byte))
        })
        .collect();
    for j in 16..68 {
        let x = w[j - 16] ^ w[j - 9] ^ w[j - 3].rotate_left(15);
        let p1 = x ^ x.rotate_left(15) ^ x.rotate_left(23);
        w.push(p1 ^ w[j - 13].rotate_left(7) ^ w[j - 6]);
    }
    let [mut a, mut b, mut c, mut d, mut e, mut f, mut g, mut h] = v;
    for j in 0..64 {
        let t: u32 = if j < 16 { 0x79cc4519 } else { 0x7a879d8a };
        let ss1 = a
            .rotate_left(12)
            .wrapping_add(e)
            .wrapping_add(t.rotate_left(j as u32 % 32))
            .rotate_left(7);
        let ss2 = ss1 ^ a.rotate_left(12);
        let ff = if j < 16 {
            a ^ b ^ c
        } else {
            a & b | a & c | b & c
        };
        let gg = if j < 16 { e ^ f ^ g } else { e & f | !e & g };
        let tt1 = ff
            .wrapping_add(d)
            .wrapping_add(ss2)
            .wrapping_add(w[j] ^ w[j + 4]);
        let tt2 = gg.wrapping_add(h).wrapping_add(ss1).wrapping_add(w[j]);
        (d, c, b, a) = (c, b.rotate_left(9), a, tt1);
        (h, g, f) = (g, f.rotate_left(19), e);
        e = tt2 ^ tt2.rotate_left(9) ^ tt2.rotate_left(17);
    }
    [a, b, c, d, e, f, g, h]
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_standards_example() {
        let expected = [0x66, 0xc7, 0xf0, 0xf4, 0x62, 0xee, 0xed, 0xd9];
        assert_eq!(super::digest(b"abc")[..8], expected);
    }
}
