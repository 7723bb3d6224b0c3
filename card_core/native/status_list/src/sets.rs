//! One set of positions for each state, behind each other: their sum is near the entropy however
//! the states are spread.

use crate::error::Error;
use crate::gaps;
use crate::position::{Entry, LISTED_MAX, STATE_MAX, check_size};

const COUNT_SIZE: usize = 4;

/// The counts of the states from `least` on, then the positions of each.
pub(crate) fn write(size: u32, least: u8, entries: &[Entry]) -> Vec<u8> {
    let states = least..=STATE_MAX;
    let counts = states.clone().map(|state| {
        // At most LISTED_MAX.
        entries
            .iter()
            .filter(|entry| entry.state() == state)
            .count() as u32
    });
    let counts: Vec<u32> = counts.collect();
    let mut bytes: Vec<u8> = counts
        .iter()
        .flat_map(|count| count.to_be_bytes())
        .collect();
    for (state, &count) in states.zip(&counts) {
        let positions = entries
            .iter()
            .filter(|entry| entry.state() == state)
            .map(|entry| entry.index());
        bytes.extend(gaps::write(size, count, positions));
    }
    bytes
}

/// Reads what [`write`] writes, and nothing else.
pub(crate) fn read(size: u32, least: u8, bytes: &[u8]) -> Result<Vec<Entry>, Error> {
    check_size(size)?;
    let states = least..=STATE_MAX;
    let (counts, mut rest) = bytes
        .split_at_checked(states.len() * COUNT_SIZE)
        .ok_or(Error::Malformed)?;
    let counts: Vec<u32> = counts
        .chunks_exact(COUNT_SIZE)
        .map(|count| {
            count
                .iter()
                .fold(0, |sum, &byte| sum << 8 | u32::from(byte))
        })
        .collect();
    let total: u64 = counts.iter().map(|&count| u64::from(count)).sum();
    // Each position takes a bit at least.
    if total > rest.len() as u64 * 8 || total > LISTED_MAX as u64 || total > u64::from(size) {
        return Err(Error::Malformed);
    }
    let mut entries = Vec::with_capacity(total as usize);
    for (state, &count) in states.zip(&counts) {
        rest = gaps::read(size, count, rest, |index| {
            entries.push(Entry::new(index, state))
        })?;
    }
    if !rest.is_empty() {
        return Err(Error::Malformed);
    }
    // Each state's positions ascend already, and this sort merges what it finds sorted.
    entries.sort();
    if entries
        .windows(2)
        .any(|pair| pair[0].index() == pair[1].index())
    {
        return Err(Error::Malformed);
    }
    Ok(entries)
}
