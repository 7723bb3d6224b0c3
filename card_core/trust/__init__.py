"""Trust lists (信任列表): which other issuers are trusted, and with which keys.

A list is one document, signed by an authority: the province or whoever stands above the issuers,
or this bureau itself. Its edition only grows, so that an older list can't be put back in its place.
`document` has the bytes, `entries` what they say.
"""

from card_core.trust.document import (
    DOCUMENT_BYTES_MAX,
    read_entry,
    read_signed,
    sign,
    verify,
    write_entry,
)
from card_core.trust.entries import TrustedIssuer, TrustedKey, TrustList
from card_core.trust.errors import TrustListRefusedError
from card_core.trust.urls import check_url, is_safe_way

__all__ = [
    "DOCUMENT_BYTES_MAX",
    "TrustList",
    "TrustListRefusedError",
    "TrustedIssuer",
    "TrustedKey",
    "check_url",
    "is_safe_way",
    "read_entry",
    "read_signed",
    "sign",
    "verify",
    "write_entry",
]
