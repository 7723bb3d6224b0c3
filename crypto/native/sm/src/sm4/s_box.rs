//! The S-box (GB/T 32907, section 6.2) computed instead of looked up.
//!
//! A table indexed by secret bytes tells them through the cache. The S-box is an inversion in
//! GF(2^8) between two affine maps; here the inversion is done in GF(((2^2)^2)^2), where it takes
//! few gates, on the eight bytes of two words at once. Plane i of them holds bit i of each byte,
//! in the byte's lowest place.
//!
//! With W = 5c, Z = 50 and Y = be in the standard's field, W^2 + W = 1, Z^2 + Z = W^2 and Y^2 + Y
//! lies in GF(2^4). The bases are normal: (Y^16, Y) over GF(2^4), (Z^4, Z) over GF(2^2) and
//! (W^2, W), the higher power first. Of the towers of this shape it is the one whose maps into
//! it and out of it, the standard's affine maps included, share the most sums; a greedy search
//! found the sums.

/// Bit 0 of each byte.
const LOWEST_BITS: u64 = 0x0101_0101_0101_0101;
/// What the standard's affine maps add, the first before its matrix instead of after it.
const CONSTANT_IN: u64 = 0x75 * LOWEST_BITS;
const CONSTANT_OUT: u64 = 0xd3 * LOWEST_BITS;

/// An element of GF(2^2).
type Pair = [u64; 2];
/// An element of GF(2^4).
type Nibble = [u64; 4];
/// An element (p, q) of GF(2^4) as a factor: both bits and their sum, of p, of q and of p + q.
type Factor = [u64; 9];

/// Replaces the eight bytes of two words by their places in the S-box.
#[inline(always)]
pub(super) fn substitute(words: u64) -> u64 {
    let words = words ^ CONSTANT_IN;
    let planes = core::array::from_fn(|i| (words >> i) & LOWEST_BITS);
    let (high, low, square) = map_in(planes);
    // 1 / (h Y^16 + l Y) = (l Y^16 + h Y) / (h l + (h + l)^2 Y^17).
    let product = multiply(products(&high, &low));
    let inverse = as_factor(invert(core::array::from_fn(|i| product[i] ^ square[i])));
    let [p0, p1, p2, p3, p4, p5, p6, p7] =
        map_out(products(&low, &inverse), products(&high, &inverse));
    // Joined in pairs, not one after the other: a round waits for this.
    let low = (p0 | (p1 << 1)) | ((p2 << 2) | (p3 << 3));
    let high = ((p4 << 4) | (p5 << 5)) | ((p6 << 6) | (p7 << 7));
    (low | high) ^ CONSTANT_OUT
}

/// The standard's first matrix, then into the tower: h and l of h Y^16 + l Y, as factors, and
/// (h + l)^2 Y^17.
#[inline(always)]
fn map_in(x: [u64; 8]) -> (Factor, Factor, Nibble) {
    let t0 = x[0] ^ x[6];
    let t1 = x[2] ^ x[5];
    let t2 = x[7] ^ t1;
    let t3 = x[4] ^ t0;
    let t4 = x[3] ^ x[6];
    let t5 = x[1] ^ x[5];
    let t6 = x[1] ^ t0;
    let t7 = x[2] ^ x[6];
    let t8 = x[1] ^ x[7];
    let t9 = x[3] ^ x[4];
    let t10 = x[4] ^ t5;
    let t11 = x[5] ^ x[7];
    let t12 = t4 ^ t11;
    let t13 = x[7] ^ t7;
    let t14 = t4 ^ t5;
    let t15 = x[4] ^ t7;
    let t16 = x[1] ^ t1;
    let t17 = t2 ^ t4;
    let t18 = x[2] ^ t6;
    let t19 = x[5] ^ t3;
    let t20 = x[3] ^ t2;
    let t21 = t2 ^ t9;
    let t22 = x[6] ^ t10;
    let t23 = x[2] ^ t3;
    let t24 = t1 ^ t6;
    let t25 = t3 ^ t8;
    let h = [x[2], t3, t23, t6, t19, t10, t18, x[5], t24];
    let l = [t12, t8, t14, t15, t16, t22, t21, t2, t9];
    let square = [t13, t20, t25, t17];
    (h, l, square)
}

/// The sums that [`multiply`] takes of the products a and b, out of the tower, then the standard's
/// second matrix.
#[inline(always)]
fn map_out(a: Factor, b: Factor) -> [u64; 8] {
    let t0 = a[3] ^ a[4];
    let t1 = b[4] ^ t0;
    let t2 = b[6] ^ b[7];
    let t3 = a[1] ^ a[2];
    let t4 = a[6] ^ b[0];
    let t5 = b[3] ^ t4;
    let t6 = a[8] ^ t1;
    let t7 = a[7] ^ b[5];
    let t8 = b[3] ^ b[8];
    let t9 = b[2] ^ t2;
    let t10 = t5 ^ t6;
    let t11 = a[4] ^ b[1];
    let t12 = a[6] ^ a[7];
    let t13 = a[0] ^ a[1];
    let t14 = a[2] ^ b[2];
    let t15 = b[5] ^ b[7];
    let t16 = t8 ^ t15;
    let t17 = t3 ^ t11;
    let t18 = a[0] ^ t0;
    let t19 = b[6] ^ t8;
    let t20 = t2 ^ t3;
    let t21 = t7 ^ t14;
    let t22 = t3 ^ t12;
    let t23 = t18 ^ t21;
    let t24 = t7 ^ t20;
    let t25 = a[5] ^ t9;
    let t26 = t13 ^ t19;
    let t27 = t5 ^ t23;
    let t28 = t1 ^ t26;
    let t29 = t6 ^ t24;
    let t30 = t17 ^ t25;
    let t31 = t9 ^ t10;
    let t32 = b[1] ^ t10;
    [t22, t30, t29, t27, t28, t32, t16, t31]
}

#[inline(always)]
fn products(a: &Factor, b: &Factor) -> Factor {
    core::array::from_fn(|i| a[i] & b[i])
}

/// (p, q) (p', q') = (p p' + W^2 r, q q' + W^2 r) with r = (p + q) (p' + q'), from the products
/// of the bits.
#[inline(always)]
fn multiply(products: Factor) -> Nibble {
    let [p1, p0, p, q1, q0, q, r1, r0, r] = products;
    let (high, low) = (r0 ^ r, r1 ^ r0);
    [
        (p1 ^ p) ^ high,
        (p0 ^ p) ^ low,
        (q1 ^ q) ^ high,
        (q0 ^ q) ^ low,
    ]
}

/// 1 / (p, q) = (q / n, p / n) with n = p q + W^2 (p + q)^2; and 1 / n = n^2, which is n with its
/// bits swapped.
#[inline(always)]
fn invert([p1, p0, q1, q0]: Nibble) -> Nibble {
    let (p, q) = (p1 ^ p0, q1 ^ q0);
    let sum = p1 ^ q1;
    let both = p & q;
    let n1 = (p1 & q1) ^ both ^ sum;
    let n0 = (p0 & q0) ^ both ^ (p ^ q);
    let inverse: Pair = [n0, n1];
    let [high, low] = multiply_pairs([q1, q0], q, inverse);
    let [high_2, low_2] = multiply_pairs([p1, p0], p, inverse);
    [high, low, high_2, low_2]
}

/// The product in GF(2^2); `sum` is that of a's bits.
#[inline(always)]
fn multiply_pairs(a: Pair, sum: u64, b: Pair) -> Pair {
    let both = sum & (b[0] ^ b[1]);
    [(a[0] & b[0]) ^ both, (a[1] & b[1]) ^ both]
}

#[inline(always)]
fn as_factor([p1, p0, q1, q0]: Nibble) -> Factor {
    let (r1, r0) = (p1 ^ q1, p0 ^ q0);
    [p1, p0, p1 ^ p0, q1, q0, q1 ^ q0, r1, r0, r1 ^ r0]
}

#[cfg(test)]
mod tests {
    use super::substitute;
    use crate::tests::s_box_table;

    #[test]
    fn every_byte_has_its_place_of_the_standard_in_every_position() {
        let table = s_box_table();
        for (input, output) in table.iter().enumerate() {
            for position in 0..8 {
                let words = u64::from_be_bytes([0xff, 0x00, 0x5a, 0x01, 0x80, 0x37, 0xfe, 0xa5]);
                let shift = 8 * position;
                let words = (words & !(0xff << shift)) | (input as u64) << shift;
                let bytes = words.to_be_bytes().map(|byte| table[usize::from(byte)]);
                assert_eq!(substitute(words).to_be_bytes(), bytes);
                assert_eq!((substitute(words) >> shift) as u8, *output);
            }
        }
    }
}
