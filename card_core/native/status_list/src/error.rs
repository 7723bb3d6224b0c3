/// Why bytes are no list, or positions make none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Error {
    /// The list has no positions, or more than `POSITIONS_MAX`.
    Size,
    /// A position beyond the list's size.
    Position,
    /// A state that there is not.
    State,
    /// A position that is there twice.
    Repeated,
    /// More positions than `LISTED_MAX`.
    TooMany,
    /// Bytes that no list and no changes are written as.
    Malformed,
}

impl Error {
    /// A word for the caller.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Size => "size",
            Self::Position => "position",
            Self::State => "state",
            Self::Repeated => "repeated position",
            Self::TooMany => "too many positions",
            Self::Malformed => "malformed",
        }
    }
}
