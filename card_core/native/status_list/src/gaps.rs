//! A set of positions as the gaps between them, each in a Golomb code.
//!
//! Positions drawn at random leave gaps of a geometric distribution, for which a Golomb code is
//! the shortest that gives each gap bits of its own: about 0.03 bits above the entropy.

use crate::bits::{BitReader, BitWriter};
use crate::error::Error;

/// ln 2 in units of 2^-16: the best divisor is close to ln 2 times the mean gap.
const LN_2: u64 = 45_426;

/// The divisor for `count` positions out of `size`; both sides compute it, so none travels.
fn divisor(size: u32, count: u32) -> u32 {
    let divisor = u64::from(size) * LN_2 / (u64::from(count) << 16);
    // Below `size`, since LN_2 is below 2^16.
    u32::try_from(divisor).unwrap_or(u32::MAX).max(1)
}

/// Remainders below `divisor` in the fewest bits: the first `short` ones take `bits - 1`.
struct Remainders {
    bits: u32,
    short: u32,
}

impl Remainders {
    const fn below(divisor: u32) -> Self {
        let bits = u32::BITS - (divisor - 1).leading_zeros();
        // No divisor is above 2^30, so there is no overflow.
        Self {
            bits,
            short: (1 << bits) - divisor,
        }
    }

    fn put(&self, writer: &mut BitWriter, remainder: u32) {
        if remainder < self.short {
            writer.put(remainder, self.bits.saturating_sub(1));
        } else {
            writer.put(remainder + self.short, self.bits);
        }
    }

    fn take(&self, reader: &mut BitReader<'_>) -> Result<u32, Error> {
        if self.bits == 0 {
            return Ok(0);
        }
        let head = reader.take(self.bits - 1)?;
        if head < self.short {
            return Ok(head);
        }
        Ok((head << 1 | reader.take(1)?) - self.short)
    }
}

/// Writes ascending positions below `size`; `count` is how many.
pub(crate) fn write(size: u32, count: u32, positions: impl Iterator<Item = u32>) -> Vec<u8> {
    let mut writer = BitWriter::default();
    if count > 0 {
        let divisor = divisor(size, count);
        let remainders = Remainders::below(divisor);
        let mut least = 0;
        for position in positions {
            let gap = position - least;
            writer.put_unary(gap / divisor);
            remainders.put(&mut writer, gap % divisor);
            least = position + 1;
        }
    }
    writer.finish()
}

/// Reads `count` positions, hands each on, and gives back the bytes behind them.
pub(crate) fn read(
    size: u32,
    count: u32,
    bytes: &[u8],
    mut found: impl FnMut(u32),
) -> Result<&[u8], Error> {
    let mut reader = BitReader::new(bytes);
    if count > 0 {
        let divisor = divisor(size, count);
        let remainders = Remainders::below(divisor);
        let mut least = 0;
        for _ in 0..count {
            let quotient = reader.take_unary(size / divisor)?;
            // Neither is above 2^30, nor is their sum above 2^31.
            let gap = quotient * divisor + remainders.take(&mut reader)?;
            let position = least + gap;
            if position >= size {
                return Err(Error::Malformed);
            }
            found(position);
            least = position + 1;
        }
    }
    reader.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_gap_comes_back_whatever_the_divisor() {
        for size in [1_u32, 2, 3, 7, 64, 1000] {
            for position in 0..size {
                let bytes = write(size, 1, [position].into_iter());
                let mut back = Vec::new();
                assert_eq!(read(size, 1, &bytes, |found| back.push(found)), Ok(&[][..]));
                assert_eq!(back, [position]);
            }
        }
    }

    #[test]
    fn the_bits_are_the_documented_ones() {
        // 3 of 16: the divisor is 3, remainders 0, 10, 11; gaps 1, 3, 8.
        assert_eq!(divisor(16, 3), 3);
        let bytes = write(16, 3, [1, 5, 14].into_iter());
        // 0 10, 10 0, 110 11, padding
        assert_eq!(bytes, [0b0101_0011, 0b0110_0000]);
    }

    #[test]
    fn a_position_beyond_the_size_is_refused() {
        // The divisor is 3 for both sizes.
        let bytes = write(16, 3, [1, 5, 15].into_iter());
        assert!(read(16, 3, &bytes, |_| ()).is_ok());
        assert_eq!(read(15, 3, &bytes, |_| ()), Err(Error::Malformed));
        let last = (1 << 30) - 1;
        let bytes = write(1 << 30, 1, [last].into_iter());
        assert!(read(1 << 30, 1, &bytes, |found| assert_eq!(found, last)).is_ok());
    }
}
