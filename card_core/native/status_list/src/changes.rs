use crate::error::Error;
use crate::position::{Entry, LISTED_MAX, sorted};
use crate::sets;

/// Changes may lead back to good.
const LEAST: u8 = 0;

/// Positions that changed, each with its new state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Changes {
    size: u32,
    entries: Vec<Entry>,
}

impl Changes {
    /// Changes in a list of `size` positions.
    ///
    /// # Errors
    /// As of [`crate::StatusList::new`].
    pub fn new(size: u32, changed: impl IntoIterator<Item = (u32, u8)>) -> Result<Self, Error> {
        Ok(Self {
            size,
            entries: sorted(size, LEAST, changed)?,
        })
    }

    /// Changes from what [`Changes::encode`] gives.
    ///
    /// # Errors
    /// [`Error::Size`], [`Error::Malformed`].
    pub fn decode(size: u32, bytes: &[u8]) -> Result<Self, Error> {
        Ok(Self {
            size,
            entries: sets::read(size, LEAST, bytes)?,
        })
    }

    /// The only encoding of these changes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        sets::write(self.size, LEAST, &self.entries)
    }

    /// How many positions the list has that they are for.
    #[must_use]
    pub const fn size(&self) -> u32 {
        self.size
    }

    /// How many positions change.
    #[must_use]
    pub fn count(&self) -> usize {
        self.entries.len()
    }

    /// These changes, and then `later` ones, as one.
    ///
    /// # Errors
    /// [`Error::Size`] where the sizes differ; [`Error::TooMany`].
    pub fn then(&self, later: &Self) -> Result<Self, Error> {
        if self.size != later.size {
            return Err(Error::Size);
        }
        let entries = later.over(&self.entries, LEAST)?;
        Ok(Self {
            size: self.size,
            entries,
        })
    }

    /// `entries` with these changes laid over them; states below `least` are left out.
    pub(crate) fn over(&self, entries: &[Entry], least: u8) -> Result<Vec<Entry>, Error> {
        let mut merged = Vec::with_capacity(entries.len() + self.entries.len());
        let mut before = entries.iter().copied().peekable();
        for &changed in &self.entries {
            while let Some(entry) = before.next_if(|entry| entry.index() < changed.index()) {
                merged.push(entry);
            }
            before.next_if(|entry| entry.index() == changed.index());
            if changed.state() >= least {
                merged.push(changed);
            }
        }
        merged.extend(before);
        if merged.len() > LISTED_MAX {
            return Err(Error::TooMany);
        }
        Ok(merged)
    }
}
