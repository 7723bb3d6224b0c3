use std::collections::BTreeSet;
use std::panic::Location;
use std::sync::{Mutex, PoisonError};

use super::valgrind;

/// A place in the source.
pub type Place = (&'static str, u32);

/// Where the consequence of a secret was given away.
static GIVEN_AWAY: Mutex<BTreeSet<Place>> = Mutex::new(BTreeSet::new());

/// From here on no branch and no address may depend on these bytes.
pub fn mark_secret(bytes: &mut [u8]) {
    valgrind::make_undefined(bytes);
}

/// Output that everybody may see.
pub fn mark_public(bytes: &mut [u8]) {
    valgrind::make_defined(bytes);
}

/// Gives a word away, and notes the caller's place when the word depends on a secret.
#[track_caller]
pub(crate) fn give_away(word: u64) -> u64 {
    let mut bytes = word.to_ne_bytes();
    if !valgrind::is_defined(&bytes) {
        let place = Location::caller();
        GIVEN_AWAY
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert((place.file(), place.line()));
    }
    valgrind::make_defined(&mut bytes);
    u64::from_ne_bytes(bytes)
}

/// The places that gave the consequence of a secret away so far.
pub fn given_away() -> Vec<Place> {
    let places = GIVEN_AWAY.lock().unwrap_or_else(PoisonError::into_inner);
    places.iter().copied().collect()
}

/// Whether somebody is watching.
pub fn is_watched() -> bool {
    valgrind::is_running()
}

/// Errors that valgrind has reported so far.
pub fn error_count() -> usize {
    valgrind::error_count()
}
