/// Why a text may not be relied on. The names are stable: terminals and records keep them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Step 1 or 2: not the text of a code, or a value in it that is not defined.
    Malformed,
    /// Step 2: a version that this verifier does not know.
    UnknownVersion,
    /// Step 3: no key with this issuer and number, for what it would have to sign.
    UnknownKey,
    /// Step 3: the key is pending or revoked.
    KeyNotActive,
    /// Step 4: a signature is wrong, the issuer's or the device's.
    BadSignature,
    /// Step 4: the day of the device credential has not begun.
    CredentialNotYetValid,
    /// Step 4: the day of the device credential is over.
    CredentialExpired,
    /// Step 5: minted later than now.
    NotYetValid,
    /// Step 5: its life is over.
    Expired,
    /// Step 6: not signed for this purpose, or for identifying only where something is consumed.
    PurposeMismatch,
    /// Step 6: an offline code where something is consumed.
    OfflineNotAllowed,
    /// Step 6: bound to another terminal.
    TerminalMismatch,
    /// Step 6: bound to another amount.
    AmountMismatch,
}

impl Refusal {
    /// The stable name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Malformed => "malformed",
            Self::UnknownVersion => "unknown_version",
            Self::UnknownKey => "unknown_key",
            Self::KeyNotActive => "key_not_active",
            Self::BadSignature => "bad_signature",
            Self::CredentialNotYetValid => "credential_not_yet_valid",
            Self::CredentialExpired => "credential_expired",
            Self::NotYetValid => "not_yet_valid",
            Self::Expired => "expired",
            Self::PurposeMismatch => "purpose_mismatch",
            Self::OfflineNotAllowed => "offline_not_allowed",
            Self::TerminalMismatch => "terminal_mismatch",
            Self::AmountMismatch => "amount_mismatch",
        }
    }
}
