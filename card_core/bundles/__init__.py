"""Bundles (离线数据包): what a terminal carries to check codes with no network.

A bundle holds the issuers' keys with their states, the business types, the issuer's policy for
offline scans, and the names of the status lists to carry; the lists themselves are fetched apart,
since they change every few minutes. The bytes are in docs/offline.md.

    issuer   BundleHead, Content -> bundle_to_be_signed -> its status key -> assemble_bundle
    terminal open_bundle(answer, keys=..., held=...) -> Bundle
             open_trust_lists(bundle), believed_keys(bundle, trusted, now)

The error tree:

    BundleError
    ├── InvalidBundleError      the caller's own fault
    ├── MalformedBundleError    bytes that are no bundle
    ├── BundleNotGenuineError   no status key in force signed it
    └── OlderBundleError        an older version than the one that is held
"""

from card_core.bundles.believed import believed_keys, open_trust_lists
from card_core.bundles.content import CarriedList, Content, OfflinePolicy, without_heads
from card_core.bundles.errors import (
    BundleError,
    BundleNotGenuineError,
    InvalidBundleError,
    MalformedBundleError,
    OlderBundleError,
)
from card_core.bundles.signed import (
    BUNDLE_BYTES_MAX,
    Bundle,
    BundleHead,
    assemble_bundle,
    bundle_to_be_signed,
    open_bundle,
)

__all__ = [
    "BUNDLE_BYTES_MAX",
    "Bundle",
    "BundleError",
    "BundleHead",
    "BundleNotGenuineError",
    "CarriedList",
    "Content",
    "InvalidBundleError",
    "MalformedBundleError",
    "OfflinePolicy",
    "OlderBundleError",
    "assemble_bundle",
    "believed_keys",
    "bundle_to_be_signed",
    "open_bundle",
    "open_trust_lists",
    "without_heads",
]
