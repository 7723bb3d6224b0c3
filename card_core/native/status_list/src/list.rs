use crate::changes::Changes;
use crate::error::Error;
use crate::position::{Entry, sorted};
use crate::sets;

/// The first state that is listed; the one before is good, and good positions are not written.
const LEAST: u8 = 1;

/// The positions of one day that are not good, in their order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatusList {
    size: u32,
    entries: Vec<Entry>,
}

impl StatusList {
    /// A list of `size` positions, those given in the state that stands beside them.
    ///
    /// # Errors
    /// [`Error::Size`], [`Error::Position`], [`Error::State`], [`Error::Repeated`],
    /// [`Error::TooMany`].
    pub fn new(size: u32, listed: impl IntoIterator<Item = (u32, u8)>) -> Result<Self, Error> {
        Ok(Self {
            size,
            entries: sorted(size, LEAST, listed)?,
        })
    }

    /// A list from what [`StatusList::encode`] gives.
    ///
    /// # Errors
    /// [`Error::Size`], [`Error::Malformed`].
    pub fn decode(size: u32, bytes: &[u8]) -> Result<Self, Error> {
        Ok(Self {
            size,
            entries: sets::read(size, LEAST, bytes)?,
        })
    }

    /// The list's only encoding.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        sets::write(self.size, LEAST, &self.entries)
    }

    /// How many positions there are.
    #[must_use]
    pub const fn size(&self) -> u32 {
        self.size
    }

    /// How many are not good.
    #[must_use]
    pub fn listed(&self) -> usize {
        self.entries.len()
    }

    /// The state at a position; None beyond the list, where nothing is known.
    #[must_use]
    pub fn state(&self, index: u32) -> Option<u8> {
        if index >= self.size {
            return None;
        }
        let found = self
            .entries
            .binary_search_by_key(&index, |entry| entry.index());
        Some(found.map_or(0, |at| self.entries[at].state()))
    }

    /// The changes that lead from this list to a later one of the same size.
    ///
    /// # Errors
    /// [`Error::Size`] where the sizes differ; [`Error::TooMany`].
    pub fn changes_to(&self, later: &Self) -> Result<Changes, Error> {
        if self.size != later.size {
            return Err(Error::Size);
        }
        let gone = self
            .entries
            .iter()
            .filter(|entry| later.state(entry.index()) == Some(0))
            .map(|entry| (entry.index(), 0));
        let come = later
            .entries
            .iter()
            .filter(|entry| self.state(entry.index()) != Some(entry.state()))
            .map(|entry| (entry.index(), entry.state()));
        Changes::new(self.size, gone.chain(come))
    }

    /// The list after changes that were written for its size.
    ///
    /// A change to the state that is there already changes nothing.
    ///
    /// # Errors
    /// [`Error::Size`] where the sizes differ; [`Error::TooMany`].
    pub fn apply(&self, changes: &Changes) -> Result<Self, Error> {
        if self.size != changes.size() {
            return Err(Error::Size);
        }
        let entries = changes.over(&self.entries, LEAST)?;
        Ok(Self {
            size: self.size,
            entries,
        })
    }
}
