use crate::error::Error;

/// The most positions that a list may have.
pub const POSITIONS_MAX: u32 = 1 << 30;

/// The most positions that a list, or changes, may name: 16 MiB in memory.
pub const LISTED_MAX: usize = 1 << 22;

/// The highest state; 0 is good.
pub const STATE_MAX: u8 = 3;

/// A position and its state in one number, which sorts by the position.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Entry(u32);

impl Entry {
    /// `index` is below [`POSITIONS_MAX`], so that two bits are free.
    pub(crate) const fn new(index: u32, state: u8) -> Self {
        Self(index << 2 | (state & STATE_MAX) as u32)
    }

    pub(crate) const fn index(self) -> u32 {
        self.0 >> 2
    }

    pub(crate) const fn state(self) -> u8 {
        (self.0 & STATE_MAX as u32) as u8
    }
}

pub(crate) const fn check_size(size: u32) -> Result<(), Error> {
    if size == 0 || size > POSITIONS_MAX {
        return Err(Error::Size);
    }
    Ok(())
}

/// Sorts positions given in any order; each once, within the size, of a state from `least` on.
pub(crate) fn sorted(
    size: u32,
    least: u8,
    positions: impl IntoIterator<Item = (u32, u8)>,
) -> Result<Vec<Entry>, Error> {
    check_size(size)?;
    let mut entries = Vec::new();
    for (index, state) in positions {
        if index >= size {
            return Err(Error::Position);
        }
        if !(least..=STATE_MAX).contains(&state) {
            return Err(Error::State);
        }
        if entries.len() == LISTED_MAX {
            return Err(Error::TooMany);
        }
        entries.push(Entry::new(index, state));
    }
    entries.sort_unstable();
    if entries
        .windows(2)
        .any(|pair| pair[0].index() == pair[1].index())
    {
        return Err(Error::Repeated);
    }
    Ok(entries)
}
