//! Inputs for the smoke run: the same for the same seed.

/// A small generator (splitmix64): any seed will do, and each number has its turn.
pub struct Random(u64);

impl Random {
    /// Starts from a seed.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next 64 bits.
    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let bits = self.0;
        let bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^ (bits >> 31)
    }

    /// A number from 0 to one less than `count`.
    pub fn below(&mut self, count: usize) -> usize {
        (self.bits() % count as u64) as usize
    }

    /// New bytes, or one of the corpus with some changes.
    pub fn input(&mut self, corpus: &[Vec<u8>], size_max: usize) -> Vec<u8> {
        if corpus.is_empty() || self.below(2) == 0 {
            return self.bytes(size_max);
        }
        let mut input = corpus[self.below(corpus.len())].clone();
        for _ in 0..=self.below(6) {
            self.change(&mut input, corpus);
        }
        input.truncate(size_max);
        input
    }

    fn bytes(&mut self, size_max: usize) -> Vec<u8> {
        let size = self.below(size_max + 1);
        (0..size).map(|_| self.bits() as u8).collect()
    }

    fn change(&mut self, input: &mut Vec<u8>, corpus: &[Vec<u8>]) {
        let position = self.below(input.len() + 1);
        match self.below(6) {
            0 => input.truncate(position),
            1 => input.insert(position, self.bits() as u8),
            2 => {
                let other = &corpus[self.below(corpus.len())];
                input.truncate(position);
                input.extend(&other[position.min(other.len())..]);
            }
            3 => input.extend(self.bytes(40)),
            _ if position == input.len() => input.push(self.bits() as u8),
            4 => input[position] = self.bits() as u8,
            _ => input[position] ^= 1 << self.below(8),
        }
    }
}
