use crate::error::Error;

/// Puts bits behind each other, the highest of a byte first.
#[derive(Default)]
pub(crate) struct BitWriter {
    bytes: Vec<u8>,
    /// The bits that don't fill a byte yet, fewer than 8, in the low end.
    waiting: u64,
    count: u32,
}

impl BitWriter {
    /// The lowest `count` bits of `value`; at most 32, and none is set above them.
    pub(crate) fn put(&mut self, value: u32, count: u32) {
        self.waiting = self.waiting << count | u64::from(value);
        self.count += count;
        while self.count >= 8 {
            self.count -= 8;
            self.bytes.push((self.waiting >> self.count) as u8);
            self.waiting &= (1 << self.count) - 1;
        }
    }

    /// `ones` ones and a zero.
    pub(crate) fn put_unary(&mut self, mut ones: u32) {
        while ones >= 32 {
            self.put(u32::MAX, 32);
            ones -= 32;
        }
        self.put((1 << ones) - 1, ones);
        self.put(0, 1);
    }

    /// The bytes; the last one is filled up with zeros.
    pub(crate) fn finish(mut self) -> Vec<u8> {
        if self.count > 0 {
            self.put(0, 8 - self.count);
        }
        self.bytes
    }
}

/// Takes bits off the front of bytes.
pub(crate) struct BitReader<'a> {
    bytes: &'a [u8],
    /// Bits taken already.
    at: usize,
}

impl<'a> BitReader<'a> {
    pub(crate) const fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    fn bit(&mut self) -> Result<u32, Error> {
        let byte = self.bytes.get(self.at / 8).ok_or(Error::Malformed)?;
        let bit = byte >> (7 - self.at % 8) & 1;
        self.at += 1;
        Ok(u32::from(bit))
    }

    /// A number of `count` bits, at most 32.
    pub(crate) fn take(&mut self, count: u32) -> Result<u32, Error> {
        let mut value = 0;
        for _ in 0..count {
            value = value << 1 | self.bit()?;
        }
        Ok(value)
    }

    /// How many ones stand before the next zero; `most` or fewer.
    pub(crate) fn take_unary(&mut self, most: u32) -> Result<u32, Error> {
        let mut ones = 0;
        while self.bit()? == 1 {
            if ones == most {
                return Err(Error::Malformed);
            }
            ones += 1;
        }
        Ok(ones)
    }

    /// What is left behind the last byte that was begun; the rest of that byte must be zeros.
    pub(crate) fn finish(mut self) -> Result<&'a [u8], Error> {
        while !self.at.is_multiple_of(8) {
            if self.bit()? == 1 {
                return Err(Error::Malformed);
            }
        }
        Ok(&self.bytes[self.at / 8..])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_come_back_in_order_and_the_padding_is_zero() {
        let mut writer = BitWriter::default();
        writer.put(0b101, 3);
        writer.put_unary(40);
        writer.put(u32::MAX, 32);
        writer.put_unary(0);
        let bytes = writer.finish();
        assert_eq!(bytes.len(), (3 + 41 + 32 + 1_usize).div_ceil(8));
        let mut reader = BitReader::new(&bytes);
        assert_eq!(reader.take(3), Ok(0b101));
        assert_eq!(reader.take_unary(40), Ok(40));
        assert_eq!(reader.take(32), Ok(u32::MAX));
        assert_eq!(reader.take_unary(0), Ok(0));
        assert_eq!(reader.finish(), Ok(&[][..]));
    }

    #[test]
    fn what_is_not_there_or_not_zero_is_refused() {
        assert_eq!(BitReader::new(&[]).take(1), Err(Error::Malformed));
        assert_eq!(
            BitReader::new(&[0xff]).take_unary(100),
            Err(Error::Malformed)
        );
        assert_eq!(BitReader::new(&[0xfe]).take_unary(6), Err(Error::Malformed));
        let mut reader = BitReader::new(&[0b0000_0001, 7]);
        assert_eq!(reader.take(1), Ok(0));
        assert_eq!(reader.finish(), Err(Error::Malformed));
        let mut reader = BitReader::new(&[0, 7]);
        assert_eq!(reader.take(1), Ok(0));
        assert_eq!(reader.finish(), Ok(&[7][..]));
    }
}
