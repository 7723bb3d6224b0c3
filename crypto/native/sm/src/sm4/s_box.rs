//! The S-box (GB/T 32907, section 6.2) computed instead of looked up.
//!
//! A table indexed by secret bytes tells them through the cache. The S-box is an inversion in
//! GF(2^8) between two affine maps; here the inversion is done in GF((2^4)^2), where it takes few
//! gates, on the four bytes of a word at once. Plane i of a word holds bit i of each byte, in
//! the byte's lowest place. The affine maps below are the standard's, joined with the maps from
//! its field to this one and back.
//!
//! GF(2^4) is taken modulo z^4 + z + 1, its square modulo Y^2 + Y + z^3 + 1.

/// Bit 0 of each byte.
const LOWEST_BITS: u32 = 0x0101_0101;

/// Four elements of GF(2^4): the planes of 1, z, z^2 and z^3.
type Nibbles = [u32; 4];

/// Replaces the four bytes of a word by their places in the S-box.
#[inline]
pub(super) fn substitute(word: u32) -> u32 {
    let planes = core::array::from_fn(|i| (word >> i) & LOWEST_BITS);
    let (high, low) = map_in(planes);
    let (high, low) = invert(high, low);
    let [p0, p1, p2, p3, p4, p5, p6, p7] = map_out(high, low);
    // Joined in pairs, not one after the other: a round waits for this.
    let low_pairs = (p0 | (p1 << 1)) | ((p2 | (p3 << 1)) << 2);
    let high_pairs = (p4 | (p5 << 1)) | ((p6 | (p7 << 1)) << 2);
    low_pairs | (high_pairs << 4)
}

/// The standard's first affine map, then into the tower field: (a, b) for a Y + b.
#[inline(always)]
fn map_in(p: [u32; 8]) -> (Nibbles, Nibbles) {
    let p01 = p[0] ^ p[1];
    let p14 = p[1] ^ p[4];
    let p26 = p[2] ^ p[6];
    let p015 = p01 ^ p[5];
    let p01256 = p015 ^ p26;
    let low = [not(p015 ^ p[6]), p14 ^ p[5], not(p14), p01256];
    let high = [
        p01 ^ p[4] ^ p[7],
        not(p[6]),
        p26 ^ p[7],
        not(p01256 ^ p[3] ^ p[4]),
    ];
    (high, low)
}

/// Out of the tower field, then the standard's second affine map.
#[inline(always)]
fn map_out(h: Nibbles, l: Nibbles) -> [u32; 8] {
    let l0h1 = l[0] ^ h[1];
    let l2h0 = l[2] ^ h[0];
    let l1l3 = l[1] ^ l[3];
    let l0h1h2 = l0h1 ^ h[2];
    [
        not(l[0] ^ l[1]),
        not(l0h1 ^ l2h0),
        l2h0 ^ h[2],
        l0h1h2 ^ l[2] ^ h[3],
        not(l1l3 ^ h[1]),
        l1l3 ^ h[3],
        not(l0h1h2 ^ l2h0 ^ l[1]),
        not(l0h1 ^ l[3] ^ h[0] ^ h[3]),
    ]
}

/// (a Y + b)^-1 = (a Y + a + b) / (a^2 (z^3 + 1) + a b + b^2).
#[inline(always)]
fn invert(a: Nibbles, b: Nibbles) -> (Nibbles, Nibbles) {
    let a_part = [a[0], a[1] ^ a[3], a[3], a[0] ^ a[2]];
    let b_part = [b[0] ^ b[2], b[2], b[1] ^ b[3], b[3]];
    let norm = add(add(a_part, b_part), multiply(a, b));
    let inverse = invert_nibbles(norm);
    (multiply(a, inverse), multiply(add(a, b), inverse))
}

#[inline(always)]
fn multiply(a: Nibbles, b: Nibbles) -> Nibbles {
    let c0 = a[0] & b[0];
    let c1 = (a[0] & b[1]) ^ (a[1] & b[0]);
    let c2 = (a[0] & b[2]) ^ (a[1] & b[1]) ^ (a[2] & b[0]);
    let c3 = (a[0] & b[3]) ^ (a[1] & b[2]) ^ (a[2] & b[1]) ^ (a[3] & b[0]);
    let c4 = (a[1] & b[3]) ^ (a[2] & b[2]) ^ (a[3] & b[1]);
    let c5 = (a[2] & b[3]) ^ (a[3] & b[2]);
    let c6 = a[3] & b[3];
    [c0 ^ c4, c1 ^ c4 ^ c5, c2 ^ c5 ^ c6, c3 ^ c6]
}

/// The inverses in GF(2^4), 0 for 0, as polynomials in the bits.
#[inline(always)]
fn invert_nibbles(x: Nibbles) -> Nibbles {
    let [x0, x1, x2, x3] = x;
    let x01 = x0 & x1;
    let x02 = x0 & x2;
    let x12 = x1 & x2;
    let x03 = x0 & x3;
    let x13 = x1 & x3;
    let x123 = x12 & x3;
    [
        x0 ^ x1 ^ x2 ^ x3 ^ x02 ^ x12 ^ (x0 & x12) ^ x123,
        x01 ^ x02 ^ x12 ^ x3 ^ x13 ^ (x01 & x3),
        x01 ^ x2 ^ x02 ^ x3 ^ x03 ^ (x02 & x3),
        x1 ^ x2 ^ x3 ^ x03 ^ x13 ^ (x2 & x3) ^ x123,
    ]
}

#[inline(always)]
fn add(a: Nibbles, b: Nibbles) -> Nibbles {
    core::array::from_fn(|i| a[i] ^ b[i])
}

#[inline(always)]
fn not(plane: u32) -> u32 {
    plane ^ LOWEST_BITS
}

#[cfg(test)]
mod tests {
    use super::substitute;

    /// GB/T 32907, section 6.2.
    const TABLE: &str = "\
        d690e9fecce13db716b614c228fb2c052b679a762abe04c3aa44132649860699\
        9c4250f491ef987a33540b43edcfac62e4b31ca9c908e89580df94fa758f3fa6\
        4707a7fcf37317ba83593c19e6854fa8686b81b27164da8bf8eb0f4b70569d35\
        1e240e5e6358d1a225227c3b01217887d40046579fd327524c3602e7a0c4c89e\
        eabf8ad240c738b5a3f7f2cef96115a1e0ae5da49b341a55ad933230f58cb1e3\
        1df6e22e8266ca60c02923ab0d534e6fd5db3745defd8e2f03ff6a726d6c5b51\
        8d1baf92bbddbc7f11d95c411f105ad80ac13188a5cd7bbd2d74d012b8e5b4b0\
        8969974a0c96777e65b9f109c56ec68418f07dec3adc4d2079ee5f3ed7cb3948";

    #[test]
    fn every_byte_has_its_place_of_the_standard_in_every_position() {
        let table = crate::tests::hex(TABLE);
        assert_eq!(table.len(), 256);
        for (input, output) in table.iter().enumerate() {
            for position in 0..4 {
                let word = u32::from_be_bytes([0xff, 0x00, 0x5a, 0x01]);
                let shift = 8 * position;
                let word = (word & !(0xff << shift)) | (input as u32) << shift;
                let bytes = word.to_be_bytes().map(|byte| table[usize::from(byte)]);
                assert_eq!(substitute(word).to_be_bytes(), bytes);
                assert_eq!((substitute(word) >> shift) as u8, *output);
            }
        }
    }
}
