//! 256-bit numbers as four 64-bit limbs, least significant first.
//!
//! Nothing here branches on a value; carries are passed on as numbers.

/// A 256-bit number.
pub(crate) type Limbs = [u64; 4];

/// Returns `a + b + carry` and the new carry (0 or 1).
#[inline(always)]
pub(crate) const fn add_carry(a: u64, b: u64, carry: u64) -> (u64, u64) {
    let (sum, first) = a.overflowing_add(b);
    let (sum, second) = sum.overflowing_add(carry);
    (sum, (first | second) as u64)
}

/// Returns `a - b - borrow` and the new borrow (0 or 1).
#[inline(always)]
pub(crate) const fn sub_borrow(a: u64, b: u64, borrow: u64) -> (u64, u64) {
    let (difference, first) = a.overflowing_sub(b);
    let (difference, second) = difference.overflowing_sub(borrow);
    (difference, (first | second) as u64)
}

/// Returns `sum + a * b + carry` as a limb and the new carry; it can't overflow.
#[inline(always)]
pub(crate) const fn multiply_add(sum: u64, a: u64, b: u64, carry: u64) -> (u64, u64) {
    let product = (a as u128).wrapping_mul(b as u128);
    let wide = product
        .wrapping_add(sum as u128)
        .wrapping_add(carry as u128);
    (wide as u64, (wide >> 64) as u64)
}

/// Returns `a + b` and the carry.
#[inline(always)]
pub(crate) const fn add(a: &Limbs, b: &Limbs) -> (Limbs, u64) {
    let (r0, carry) = add_carry(a[0], b[0], 0);
    let (r1, carry) = add_carry(a[1], b[1], carry);
    let (r2, carry) = add_carry(a[2], b[2], carry);
    let (r3, carry) = add_carry(a[3], b[3], carry);
    ([r0, r1, r2, r3], carry)
}

/// Returns `a - b` and the borrow.
#[inline(always)]
pub(crate) const fn sub(a: &Limbs, b: &Limbs) -> (Limbs, u64) {
    let (r0, borrow) = sub_borrow(a[0], b[0], 0);
    let (r1, borrow) = sub_borrow(a[1], b[1], borrow);
    let (r2, borrow) = sub_borrow(a[2], b[2], borrow);
    let (r3, borrow) = sub_borrow(a[3], b[3], borrow);
    ([r0, r1, r2, r3], borrow)
}

/// Returns the 512-bit product as its low and high halves.
#[inline(always)]
pub(crate) const fn multiply_wide(a: &Limbs, b: &Limbs) -> (Limbs, Limbs) {
    let (r0, c) = multiply_add(0, a[0], b[0], 0);
    let (r1, c) = multiply_add(0, a[0], b[1], c);
    let (r2, c) = multiply_add(0, a[0], b[2], c);
    let (r3, r4) = multiply_add(0, a[0], b[3], c);

    let (r1, c) = multiply_add(r1, a[1], b[0], 0);
    let (r2, c) = multiply_add(r2, a[1], b[1], c);
    let (r3, c) = multiply_add(r3, a[1], b[2], c);
    let (r4, r5) = multiply_add(r4, a[1], b[3], c);

    let (r2, c) = multiply_add(r2, a[2], b[0], 0);
    let (r3, c) = multiply_add(r3, a[2], b[1], c);
    let (r4, c) = multiply_add(r4, a[2], b[2], c);
    let (r5, r6) = multiply_add(r5, a[2], b[3], c);

    let (r3, c) = multiply_add(r3, a[3], b[0], 0);
    let (r4, c) = multiply_add(r4, a[3], b[1], c);
    let (r5, c) = multiply_add(r5, a[3], b[2], c);
    let (r6, r7) = multiply_add(r6, a[3], b[3], c);
    ([r0, r1, r2, r3], [r4, r5, r6, r7])
}

/// Returns the 512-bit square: the products off the diagonal once, doubled, then the diagonal.
#[inline(always)]
pub(crate) const fn square_wide(a: &Limbs) -> (Limbs, Limbs) {
    let (r1, c) = multiply_add(0, a[0], a[1], 0);
    let (r2, c) = multiply_add(0, a[0], a[2], c);
    let (r3, r4) = multiply_add(0, a[0], a[3], c);
    let (r3, c) = multiply_add(r3, a[1], a[2], 0);
    let (r4, r5) = multiply_add(r4, a[1], a[3], c);
    let (r5, r6) = multiply_add(r5, a[2], a[3], 0);

    let r7 = r6 >> 63;
    let r6 = (r6 << 1) | (r5 >> 63);
    let r5 = (r5 << 1) | (r4 >> 63);
    let r4 = (r4 << 1) | (r3 >> 63);
    let r3 = (r3 << 1) | (r2 >> 63);
    let r2 = (r2 << 1) | (r1 >> 63);
    let r1 = r1 << 1;

    let (r0, c) = multiply_add(0, a[0], a[0], 0);
    let (r1, c) = add_carry(r1, c, 0);
    let (d2, d3) = multiply_add(0, a[1], a[1], 0);
    let (r2, c) = add_carry(r2, d2, c);
    let (r3, c) = add_carry(r3, d3, c);
    let (d4, d5) = multiply_add(0, a[2], a[2], 0);
    let (r4, c) = add_carry(r4, d4, c);
    let (r5, c) = add_carry(r5, d5, c);
    let (d6, d7) = multiply_add(0, a[3], a[3], 0);
    let (r6, c) = add_carry(r6, d6, c);
    let (r7, _) = add_carry(r7, d7, c);
    ([r0, r1, r2, r3], [r4, r5, r6, r7])
}

/// Reads a number from 32 big-endian bytes, as the standards write it.
pub(crate) fn from_bytes(bytes: &[u8; 32]) -> Limbs {
    let mut limbs = [0; 4];
    for (limb, chunk) in limbs.iter_mut().rev().zip(bytes.chunks_exact(8)) {
        *limb = chunk
            .iter()
            .fold(0, |value, byte| (value << 8) | u64::from(*byte));
    }
    limbs
}

/// Writes a number as 32 big-endian bytes.
pub(crate) fn to_bytes(limbs: &Limbs) -> [u8; 32] {
    let mut bytes = [0; 32];
    for (chunk, limb) in bytes.chunks_exact_mut(8).zip(limbs.iter().rev()) {
        chunk.copy_from_slice(&limb.to_be_bytes());
    }
    bytes
}
