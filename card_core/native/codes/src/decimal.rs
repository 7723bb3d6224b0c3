//! A number's bytes and its decimal digits, both of fixed length.
//!
//! Digits are taken in groups that fit a 64-bit limb, so that one multiplication or one division
//! of a limb moves as many of them as the processor allows.

use crate::offline;

/// Limbs of 64 bits of the longest number.
const LIMBS: usize = offline::SIZE.div_ceil(8);

/// Digits that are read at once: two times eight.
const READ_DIGITS: usize = 16;
const READ_BASE: u64 = 10_000_000_000_000_000;

/// Digits that are written at once: the most that 64 bits hold whatever they are.
const WRITE_DIGITS: usize = 19;
/// Its highest bit is set, as [`divide`] needs it.
const WRITE_BASE: u64 = 10_000_000_000_000_000_000;
/// (2^128 - 1) / `WRITE_BASE` - 2^64, rounded down.
const RECIPROCAL: u64 = (u128::MAX / WRITE_BASE as u128 - (1 << 64)) as u64;

/// The two digits of each number below 100.
const PAIRS: [[u8; 2]; 100] = {
    let mut pairs = [[0; 2]; 100];
    let mut number = 0;
    while number < 100 {
        pairs[number] = [b'0' + (number / 10) as u8, b'0' + (number % 10) as u8];
        number += 1;
    }
    pairs
};

/// Reads ASCII digits, already checked, as one number of exactly SIZE bytes, if they hold it.
pub(crate) fn read<const SIZE: usize>(digits: &[u8]) -> Option<[u8; SIZE]> {
    let mut limbs = [0u64; LIMBS];
    let mut used = 0;
    for group in digits.rchunks(READ_DIGITS).rev() {
        let mut carry = u128::from(value(group));
        for limb in limbs.get_mut(..used)? {
            // Below 2^128: (2^64 - 1) READ_BASE + 2^64 - 1.
            carry += u128::from(*limb) * u128::from(READ_BASE);
            *limb = carry as u64;
            carry >>= 64;
        }
        if carry > 0 {
            *limbs.get_mut(used)? = carry as u64;
            used += 1;
        }
    }
    let mut bytes = [0; SIZE];
    let mut places = bytes.rchunks_mut(8);
    for limb in limbs {
        let limb = limb.to_be_bytes();
        let place = places.next().unwrap_or_default();
        let (above, kept) = limb.split_at(8 - place.len());
        if above.iter().any(|byte| *byte != 0) {
            return None;
        }
        place.copy_from_slice(kept);
    }
    Some(bytes)
}

/// The number of up to sixteen digits.
fn value(group: &[u8]) -> u64 {
    let mut padded = [b'0'; READ_DIGITS];
    padded[READ_DIGITS - group.len()..].copy_from_slice(group);
    let [high, low] = [0, 8].map(|start| {
        let mut digits = [0; 8];
        digits.copy_from_slice(&padded[start..start + 8]);
        eight(digits)
    });
    high * 100_000_000 + low
}

/// The number of eight digits: neighbours are joined to pairs, to fours and to all eight.
const fn eight(digits: [u8; 8]) -> u64 {
    let ones = u64::from_le_bytes(digits) & 0x0f0f_0f0f_0f0f_0f0f;
    let pairs = (ones.wrapping_mul(10).wrapping_add(ones >> 8)) & 0x00ff_00ff_00ff_00ff;
    let fours = (pairs.wrapping_mul(100).wrapping_add(pairs >> 16)) & 0x0000_ffff_0000_ffff;
    (fours.wrapping_mul(10_000).wrapping_add(fours >> 32)) & 0xffff_ffff
}

/// Writes bytes, at most as many as the longest code has, as one number that fills all digits.
pub(crate) fn write(bytes: &[u8], digits: &mut [u8]) {
    let mut limbs = [0u64; LIMBS];
    for (limb, chunk) in limbs.iter_mut().zip(bytes.rchunks(8)) {
        let mut word = [0; 8];
        word[8 - chunk.len()..].copy_from_slice(chunk);
        *limb = u64::from_be_bytes(word);
    }
    let mut used = bytes.len().div_ceil(8).min(LIMBS);
    for group in digits.rchunks_mut(WRITE_DIGITS) {
        let mut rest = 0;
        for limb in limbs[..used].iter_mut().rev() {
            (*limb, rest) = divide(rest, *limb);
        }
        while used > 0 && limbs[used - 1] == 0 {
            used -= 1;
        }
        write_group(rest, group);
    }
}

/// Quotient and rest of the number (high, low) by `WRITE_BASE`, for a `high` below it: two
/// multiplications by the reciprocal (Moller and Granlund 2011, "Improved division by invariant
/// integers", algorithm 4) in place of the slowest instruction there is.
const fn divide(high: u64, low: u64) -> (u64, u64) {
    let estimate =
        (RECIPROCAL as u128 * high as u128).wrapping_add((high as u128) << 64 | low as u128);
    let mut quotient = ((estimate >> 64) as u64).wrapping_add(1);
    let mut rest = low.wrapping_sub(quotient.wrapping_mul(WRITE_BASE));
    if rest > estimate as u64 {
        quotient = quotient.wrapping_sub(1);
        rest = rest.wrapping_add(WRITE_BASE);
    }
    if rest >= WRITE_BASE {
        quotient = quotient.wrapping_add(1);
        rest -= WRITE_BASE;
    }
    (quotient, rest)
}

/// Writes a number, which fits, with zeros before it.
fn write_group(mut number: u64, group: &mut [u8]) {
    for pair in group.rchunks_mut(2) {
        let digits = PAIRS[(number % 100) as usize];
        pair.copy_from_slice(&digits[2 - pair.len()..]);
        number /= 100;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn random(state: &mut u64) -> u64 {
        // xorshift64*, Vigna 2016.
        *state ^= *state >> 12;
        *state ^= *state << 25;
        *state ^= *state >> 27;
        state.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    #[test]
    fn a_division_by_the_reciprocal_is_the_division() {
        let mut state = 7;
        let edges = [
            0,
            1,
            WRITE_BASE - 1,
            WRITE_BASE,
            WRITE_BASE + 1,
            u64::MAX - 1,
            u64::MAX,
        ];
        let mut pairs = Vec::new();
        for high in edges {
            pairs.extend(edges.map(|low| (high % WRITE_BASE, low)));
        }
        for _ in 0..100_000 {
            pairs.push((random(&mut state) % WRITE_BASE, random(&mut state)));
            // Near a multiple of the base, where an estimate is one off.
            let product = u128::from(random(&mut state)) * u128::from(WRITE_BASE);
            let near = product
                .saturating_add(u128::from(random(&mut state) % 3))
                .wrapping_sub(1);
            pairs.push((((near >> 64) as u64) % WRITE_BASE, near as u64));
        }
        for (high, low) in pairs {
            let number = u128::from(high) << 64 | u128::from(low);
            let base = u128::from(WRITE_BASE);
            let expected = ((number / base) as u64, (number % base) as u64);
            assert_eq!(divide(high, low), expected, "{high} {low}");
        }
    }

    #[test]
    fn groups_are_read_and_written_as_the_standard_library_does() {
        let mut state = 9;
        for _ in 0..10_000 {
            let number = random(&mut state) >> (random(&mut state) % 64);
            let mut group = [b'x'; WRITE_DIGITS];
            write_group(number % WRITE_BASE, &mut group);
            assert_eq!(group, format!("{:019}", number % WRITE_BASE).as_bytes());
            let text = format!("{}", number % READ_BASE);
            assert_eq!(value(text.as_bytes()), number % READ_BASE);
        }
        assert_eq!(value(b"9999999999999999"), READ_BASE - 1);
        assert_eq!(value(b""), 0);
    }

    #[test]
    fn numbers_of_any_size_are_read_back() {
        let mut state = 11;
        for zeros in 0..=offline::SIZE {
            let mut bytes = [0; offline::SIZE];
            bytes[zeros..].fill_with(|| random(&mut state) as u8);
            let mut digits = [b'x'; 489];
            write(&bytes, &mut digits);
            assert!(digits.iter().all(u8::is_ascii_digit));
            assert_eq!(read(&digits), Some(bytes));
        }
    }
}
