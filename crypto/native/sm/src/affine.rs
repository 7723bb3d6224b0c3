//! Points of the curve in affine coordinates, as keys and tables hold them.

use crate::field::FieldElement;
use crate::limbs::Limbs;
use crate::mask::Mask;

/// b of the curve y^2 = x^3 - 3x + b (GB/T 32918.5, section 2).
pub(crate) const B: FieldElement = FieldElement::constant(&[
    0xddbc_bd41_4d94_0e93,
    0xf397_89f5_15ab_8f92,
    0x4d5a_9e4b_cf65_09a7,
    0x28e9_fa9e_9d9f_5e34,
]);
const GENERATOR_X: Limbs = [
    0x715a_4589_334c_74c7,
    0x8fe3_0bbf_f266_0be1,
    0x5f99_0446_6a39_c994,
    0x32c4_ae2c_1f19_8119,
];
const GENERATOR_Y: Limbs = [
    0x02df_32e5_2139_f0a0,
    0xd0a9_877c_c62a_4740,
    0x59bd_cee3_6b69_2153,
    0xbc37_36a2_f4f6_779c,
];

/// The base point G.
pub(crate) const GENERATOR: AffinePoint = AffinePoint {
    x: FieldElement::constant(&GENERATOR_X),
    y: FieldElement::constant(&GENERATOR_Y),
};

/// A point that is not the point at infinity.
///
/// Read from bytes it is on the curve, because reading checked it. The curve's order is the
/// prime n, so every such point generates the whole group and no cofactor needs attention.
#[derive(Clone, Copy)]
pub(crate) struct AffinePoint {
    pub(crate) x: FieldElement,
    pub(crate) y: FieldElement,
}

impl AffinePoint {
    /// Reads a point: 02 or 03 and x (33 bytes), or 04, x and y (65 bytes).
    ///
    /// SEC 1 (version 2, section 2.3.4) without its single byte 00 for infinity and without the
    /// hybrid forms 06 and 07, which only give one point two names. Coordinates are below p.
    pub(crate) fn from_sec1(bytes: &[u8]) -> Option<Self> {
        let (tag, coordinates) = bytes.split_first()?;
        match tag {
            2 | 3 => Self::decompress(coordinates.try_into().ok()?, tag & 1),
            4 => Self::from_coordinates(coordinates.try_into().ok()?),
            _ => None,
        }
    }

    /// Reads x and y, 32 bytes each, and checks that they are on the curve.
    pub(crate) fn from_coordinates(bytes: &[u8; 64]) -> Option<Self> {
        let (x, y) = bytes.split_at(32);
        let x = FieldElement::from_bytes(x.try_into().ok()?)?;
        let y = FieldElement::from_bytes(y.try_into().ok()?)?;
        y.square()
            .equals(&right_side(&x))
            .reveal()
            .then_some(Self { x, y })
    }

    /// Finds y by its lowest bit. It is never 0: a group of odd order has no point of order 2.
    fn decompress(x: &[u8; 32], lowest_bit: u8) -> Option<Self> {
        let x = FieldElement::from_bytes(x)?;
        let root = right_side(&x).square_root()?;
        let y = if root.lowest_bit() == lowest_bit {
            root
        } else {
            root.negate()
        };
        Some(Self { x, y })
    }

    /// x and y, 32 big-endian bytes each.
    pub(crate) fn to_coordinates(self) -> [u8; 64] {
        let mut bytes = [0; 64];
        bytes[..32].copy_from_slice(&self.x.to_bytes());
        bytes[32..].copy_from_slice(&self.y.to_bytes());
        bytes
    }

    /// The same point, for everybody to know.
    #[track_caller]
    pub(crate) fn publish(self) -> Self {
        Self {
            x: self.x.publish(),
            y: self.y.publish(),
        }
    }

    /// The point with the same x on the other side of the axis, when the mask is set.
    #[inline(always)]
    pub(crate) fn negate_if(&self, mask: Mask) -> Self {
        Self {
            x: self.x,
            y: FieldElement::select(mask, &self.y.negate(), &self.y),
        }
    }
}

/// x^3 - 3x + b.
fn right_side(x: &FieldElement) -> FieldElement {
    x.square().multiply(x).sub(&x.triple()).add(&B)
}
