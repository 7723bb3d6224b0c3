//! Status lists: the state of each device credential of one day, as `docs/offline.md` lays down.
//!
//! - [`StatusList`] holds the positions that are not good, and answers for any position.
//! - [`Changes`] leads from one list to a later one; changes that follow each other compose.
//!
//! Both have one encoding each: what is read and written again has the same bytes. So whoever has
//! applied changes can compute the digest that the issuer signed for the list they lead to.
//!
//! Nothing here allocates more than the bytes that are read can hold, nor more than [`LISTED_MAX`]
//! positions, whatever those bytes claim.

#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod bits;
mod changes;
mod error;
mod gaps;
mod list;
mod position;
mod sets;

pub use changes::Changes;
pub use error::Error;
pub use list::StatusList;
pub use position::{LISTED_MAX, POSITIONS_MAX, STATE_MAX};
