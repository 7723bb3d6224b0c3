//! The input as a stream of choices. What is missing at its end is zeros, so that every input
//! means something and a shorter one means something simpler.

use crate::number::{N, Number, P};

/// Bytes that were not read yet.
pub struct Choices<'a> {
    rest: &'a [u8],
}

impl<'a> Choices<'a> {
    /// Starts at the front.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// The next byte.
    pub fn byte(&mut self) -> u8 {
        self.array::<1>()[0]
    }

    /// A number from 0 to one less than `count`.
    pub fn below(&mut self, count: usize) -> usize {
        usize::from(self.byte()) % count
    }

    /// Yes in one of `chances` cases.
    pub fn rarely(&mut self, chances: u8) -> bool {
        self.byte() % chances == chances - 1
    }

    /// One of some values.
    pub fn one_of<T: Copy>(&mut self, values: &[T]) -> T {
        values[self.below(values.len())]
    }

    /// The next N bytes.
    pub fn array<const N: usize>(&mut self) -> [u8; N] {
        let mut array = [0; N];
        let taken = self.up_to(N);
        array[..taken.len()].copy_from_slice(taken);
        array
    }

    /// The next bytes, fewer at the end of the input.
    pub fn up_to(&mut self, count: usize) -> &'a [u8] {
        let (taken, rest) = self.rest.split_at(count.min(self.rest.len()));
        self.rest = rest;
        taken
    }

    /// All that is left.
    pub fn rest(&mut self) -> &'a [u8] {
        self.up_to(self.rest.len())
    }

    /// 256 bits: any, small, or near an edge of a range.
    pub fn number(&mut self) -> Number {
        let edges = [Number::ZERO, N, P, Number::MAX, half(N), half(P)];
        match self.byte() % 8 {
            0..=4 => Number::from_bytes(&self.array()),
            5 => Number::small(u64::from_be_bytes(self.array())),
            6 => {
                let edge = self.one_of(&edges);
                edge.add(Number::small(u64::from(self.byte() % 4))).0
            }
            _ => {
                let edge = self.one_of(&edges);
                edge.sub(Number::small(u64::from(self.byte() % 4))).0
            }
        }
    }

    /// The bytes with up to three changes, or none.
    pub fn spoil(&mut self, bytes: &mut Vec<u8>) {
        for _ in 0..self.below(4) {
            let position = usize::from(u16::from_be_bytes(self.array())) % (bytes.len() + 1);
            let kind = self.byte() % 8;
            match (kind, bytes.get_mut(position)) {
                (0, _) => bytes.truncate(position),
                (1, _) => bytes.insert(position, self.byte()),
                (2, _) => bytes.extend(self.array::<2>()),
                (3, Some(_)) => drop(bytes.remove(position)),
                (4, Some(byte)) => *byte = self.byte(),
                (5, Some(byte)) => *byte = byte.wrapping_add(1),
                (_, Some(byte)) => *byte ^= 1 << (self.byte() % 8),
                _ => {}
            }
        }
    }
}

fn half(number: Number) -> Number {
    number.shifted_right()
}
