//! The curve y^2 = x^3 - 3x + b in the textbook's terms.

use sscard_sm::sm2::PrivateKey;

use crate::number::{Modulo, N, Number, P};

/// b (GB/T 32918.5, section 2).
pub const B: [u8; 32] = [
    0x28, 0xe9, 0xfa, 0x9e, 0x9d, 0x9f, 0x5e, 0x34, 0x4d, 0x5a, 0x9e, 0x4b, 0xcf, 0x65, 0x09, 0xa7,
    0xf3, 0x97, 0x89, 0xf5, 0x15, 0xab, 0x8f, 0x92, 0xdd, 0xbc, 0xbd, 0x41, 0x4d, 0x94, 0x0e, 0x93,
];

/// x and y of the base point.
pub const BASE: [u8; 64] = [
    0x32, 0xc4, 0xae, 0x2c, 0x1f, 0x19, 0x81, 0x19, 0x5f, 0x99, 0x04, 0x46, 0x6a, 0x39, 0xc9, 0x94,
    0x8f, 0xe3, 0x0b, 0xbf, 0xf2, 0x66, 0x0b, 0xe1, 0x71, 0x5a, 0x45, 0x89, 0x33, 0x4c, 0x74, 0xc7,
    0xbc, 0x37, 0x36, 0xa2, 0xf4, 0xf6, 0x77, 0x9c, 0x59, 0xbd, 0xce, 0xe3, 0x6b, 0x69, 0x21, 0x53,
    0xd0, 0xa9, 0x87, 0x7c, 0xc6, 0x2a, 0x47, 0x40, 0x02, 0xdf, 0x32, 0xe5, 0x21, 0x39, 0xf0, 0xa0,
];

/// x and y of k G; nothing for k = 0.
///
/// Through the path for secrets: constant-time tables of the base point, which verification
/// and decryption do not use.
pub fn base_multiple(k: Number) -> Option<[u8; 64]> {
    if k == Number::ZERO {
        return None;
    }
    // n - 1 is no private key: it is the negative of 1.
    let is_last = k == N.sub(Number::ONE).0;
    let k = if is_last { Number::ONE } else { k };
    let key = PrivateKey::from_bytes(&k.to_bytes()).expect("1 to n-2");
    let mut coordinates = [0; 64];
    coordinates.copy_from_slice(&key.public_key().to_sec1()[1..]);
    if is_last {
        let (_, y) = halves(&coordinates);
        coordinates[32..].copy_from_slice(&P.sub(y).0.to_bytes());
    }
    Some(coordinates)
}

/// x and y.
pub fn halves(coordinates: &[u8; 64]) -> (Number, Number) {
    let half = |range: core::ops::Range<usize>| {
        let mut bytes = [0; 32];
        bytes.copy_from_slice(&coordinates[range]);
        Number::from_bytes(&bytes)
    };
    (half(0..32), half(32..64))
}

/// x^3 - 3x + b.
fn right_side(x: Number) -> Number {
    let p = Modulo(P);
    let cube = p.multiply(p.multiply(x, x), x);
    let triple = p.add(p.add(x, x), x);
    p.add(p.sub(cube, triple), Number::from_bytes(&B))
}

/// Whether x and y are below p and fulfil the curve's equation.
pub fn is_on_curve(coordinates: &[u8; 64]) -> bool {
    let (x, y) = halves(coordinates);
    x < P && y < P && Modulo(P).multiply(y, y) == right_side(x)
}

/// Whether x is below p and the curve has a point there.
pub fn has_point(x: Number) -> bool {
    x < P && Modulo(P).is_square(right_side(x))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn multiples_of_the_base_point_are_on_the_curve_and_their_neighbours_are_not() {
        for k in [1, 2, 3, 77] {
            let mut point = base_multiple(Number::small(k)).unwrap();
            assert!(is_on_curve(&point) && has_point(halves(&point).0));
            point[63] ^= 1;
            assert!(!is_on_curve(&point));
        }
        assert_eq!(base_multiple(Number::ONE), Some(BASE));
        let last = base_multiple(N.sub(Number::ONE).0).unwrap();
        assert!(is_on_curve(&last));
        assert_eq!(halves(&last).0, halves(&BASE).0);
        assert!(base_multiple(Number::ZERO).is_none());
    }
}
