//! The maps between SM4's field and AES's, as tables of nibbles.
//!
//! SM4's S-box is A(1 / (A(x) + c)) + c, with the inverse modulo x^8 + x^7 + x^6 + x^5 + x^4 +
//! x^2 + 1; that of AES is C(1 / u) + 63, modulo x^8 + x^4 + x^3 + x + 1. Two fields of 256
//! elements differ in the names of their elements alone, so one S-box gives the other between
//! two affine maps. Here every word of the cipher is kept in AES's names: a round then needs
//! one map, which holds the rest of the S-box, the linear transform and the renaming.
//!
//! All is computed from the definitions when this is compiled; a test holds the S-box that comes
//! out against the standard's table.

/// x^8 + x^7 + x^6 + x^5 + x^4 + x^2 + 1.
const SM4_MODULUS: u16 = 0x1f5;
/// x^8 + x^4 + x^3 + x + 1 (FIPS 197, section 4.2).
const AES_MODULUS: u16 = 0x11b;
/// A is the product with this modulo x^8 + 1, and c the constant.
const SM4_AFFINE: (u8, u8) = (0xcb, 0xd3);
/// The same of AES (FIPS 197, section 5.1.1).
const AES_AFFINE: (u8, u8) = (0x1f, 0x63);

/// x of SM4's field, in AES's.
const ROOT: u8 = {
    let mut root = 0;
    while evaluate(SM4_MODULUS, root, AES_MODULUS) != 0 {
        root += 1;
    }
    root
};
/// x of AES's field, in SM4's.
const ROOT_BACK: u8 = {
    let mut root = 0;
    while evaluate(root as u16, ROOT, AES_MODULUS) != 2 {
        root += 1;
    }
    root
};
const SM4_AFFINE_INVERSE: u8 = cyclic_inverse(SM4_AFFINE.0);
const AES_AFFINE_INVERSE: u8 = cyclic_inverse(AES_AFFINE.0);

/// What is added to a word before AES's S-box: c in AES's names.
pub(super) const INPUT_CONSTANT: u32 =
    evaluate(SM4_AFFINE.1 as u16, ROOT, AES_MODULUS) as u32 * 0x0101_0101;

/// The values of a linear or affine map of a byte, for its low nibble and for its high one; the
/// map of the byte is their sum. Each fills a vector register.
#[derive(Clone, Copy)]
#[repr(C, align(16))]
pub(super) struct Map {
    pub(super) low: [u8; 16],
    pub(super) high: [u8; 16],
}

impl Map {
    /// Into the names in which the rounds work: A, then AES's.
    pub(super) const IN: Self = {
        let mut image = [0; 8];
        let mut bit = 0;
        while bit < 8 {
            image[bit] = rename(1 << bit);
            bit += 1;
        }
        Self::from_images(image, 0)
    };

    /// Back from them.
    pub(super) const OUT: Self = {
        let mut image = [0; 8];
        let mut bit = 0;
        while bit < 8 {
            let renamed = evaluate(1 << bit, ROOT_BACK, SM4_MODULUS);
            image[bit] = cyclic_product(renamed, SM4_AFFINE_INVERSE);
            bit += 1;
        }
        Self::from_images(image, 0)
    };

    /// After AES's S-box, for a byte of the output: what L (section 6.2) makes of it in the same
    /// place of the word and one, two and three places up, in the rounds' names.
    pub(super) const L: [Self; 4] = Self::transform(&super::ROTATIONS);
    /// The same for L' (section 7.3).
    pub(super) const L_PRIME: [Self; 4] = Self::transform(&super::KEY_ROTATIONS);

    const fn transform(rotations: &[u32]) -> [Self; 4] {
        let mut maps = [Self::from_images([0; 8], 0); 4];
        let mut place = 0;
        while place < 4 {
            let constant = after_s_box(0, rotations, place);
            let mut image = [0; 8];
            let mut bit = 0;
            while bit < 8 {
                image[bit] = after_s_box(1 << bit, rotations, place) ^ constant;
                bit += 1;
            }
            maps[place] = Self::from_images(image, constant);
            place += 1;
        }
        maps
    }

    /// `image[i]`: what bit i gives.
    const fn from_images(image: [u8; 8], constant: u8) -> Self {
        let mut map = Self {
            low: [constant; 16],
            high: [0; 16],
        };
        let mut nibble = 0;
        while nibble < 16 {
            let mut bit = 0;
            while bit < 4 {
                if nibble >> bit & 1 == 1 {
                    map.low[nibble] ^= image[bit];
                    map.high[nibble] ^= image[bit + 4];
                }
                bit += 1;
            }
            nibble += 1;
        }
        map
    }

    /// The map of each byte of a word.
    pub(super) const fn of_word(&self, word: u32) -> u32 {
        let mut bytes = word.to_be_bytes();
        let mut i = 0;
        while i < 4 {
            let byte = bytes[i] as usize;
            bytes[i] = self.low[byte & 15] ^ self.high[byte >> 4];
            i += 1;
        }
        u32::from_be_bytes(bytes)
    }
}

/// A(x) in AES's names.
const fn rename(x: u8) -> u8 {
    evaluate(cyclic_product(x, SM4_AFFINE.0) as u16, ROOT, AES_MODULUS)
}

/// What an output of AES's S-box, made one of SM4's, adds to a word by the rotations: the byte at
/// a place, in the rounds' names.
const fn after_s_box(output: u8, rotations: &[u32], place: usize) -> u8 {
    let inverse = cyclic_product(output ^ AES_AFFINE.1, AES_AFFINE_INVERSE);
    let inverse = evaluate(inverse as u16, ROOT_BACK, SM4_MODULUS);
    let byte = cyclic_product(inverse, SM4_AFFINE.0) ^ SM4_AFFINE.1;
    let mut word = 0;
    let mut i = 0;
    while i < rotations.len() {
        word ^= (byte as u32).rotate_left(rotations[i]);
        i += 1;
    }
    rename(word.to_le_bytes()[place])
}

/// The polynomial with these bits, at an element of a field.
const fn evaluate(polynomial: u16, at: u8, modulus: u16) -> u8 {
    let mut value = 0;
    let mut bit = 16;
    while bit > 0 {
        bit -= 1;
        value = multiply(value, at, modulus) ^ (polynomial >> bit & 1) as u8;
    }
    value
}

const fn multiply(a: u8, b: u8, modulus: u16) -> u8 {
    let mut product: u16 = 0;
    let mut bit = 8;
    while bit > 0 {
        bit -= 1;
        product <<= 1;
        if product > 0xff {
            product ^= modulus;
        }
        if b >> bit & 1 == 1 {
            product ^= a as u16;
        }
    }
    product as u8
}

/// The product modulo x^8 + 1.
const fn cyclic_product(a: u8, b: u8) -> u8 {
    let mut product = 0;
    let mut bit = 0;
    while bit < 8 {
        if a >> bit & 1 == 1 {
            product ^= b.rotate_left(bit);
        }
        bit += 1;
    }
    product
}

const fn cyclic_inverse(a: u8) -> u8 {
    let mut inverse = 0;
    while cyclic_product(a, inverse) != 1 {
        inverse += 1;
    }
    inverse
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::s_box_table;

    /// SubBytes (FIPS 197, section 5.1.1).
    fn aes_s_box(u: u8) -> u8 {
        let inverse = (0..=255).find(|v| multiply(u, *v, AES_MODULUS) == 1);
        cyclic_product(inverse.unwrap_or(0), AES_AFFINE.0) ^ AES_AFFINE.1
    }

    fn of_byte(map: &Map, byte: u8) -> u8 {
        map.of_word(u32::from(byte)).to_le_bytes()[0]
    }

    #[test]
    fn aes_s_box_is_that_of_fips_197() {
        assert_eq!(
            [0x00, 0x01, 0x53, 0xff].map(aes_s_box),
            [0x63, 0x7c, 0xed, 0x16]
        );
    }

    #[test]
    fn between_the_maps_it_is_the_standards_s_box_with_the_linear_transforms() {
        for (maps, rotations) in [
            (Map::L, &crate::sm4::ROTATIONS[..]),
            (Map::L_PRIME, &crate::sm4::KEY_ROTATIONS[..]),
        ] {
            for (input, output) in s_box_table().iter().enumerate() {
                let renamed = of_byte(&Map::IN, input as u8) ^ INPUT_CONSTANT as u8;
                let word = rotations
                    .iter()
                    .fold(0, |sum, count| sum ^ u32::from(*output).rotate_left(*count));
                for (map, expected) in maps.iter().zip(word.to_le_bytes()) {
                    let result = of_byte(map, aes_s_box(renamed));
                    assert_eq!(of_byte(&Map::OUT, result), expected);
                }
            }
        }
    }

    #[test]
    fn the_way_out_undoes_the_way_in() {
        for byte in 0..=255 {
            assert_eq!(of_byte(&Map::OUT, of_byte(&Map::IN, byte)), byte);
        }
    }
}
