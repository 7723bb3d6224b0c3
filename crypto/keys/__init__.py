"""Where private keys and secrets come from: one small interface, and key files behind it.

    files = KeyFiles.create(directory, passphrase)      # once; then KeyFiles.open(...)
    files.create_signer("code_signing.1.1")
    signature = files.signer("code_signing.1.1").sign(message)

A `KeyProvider` gives out a `Signer`, which signs and never shows its key, and secrets for symmetric
use. A hardware module is another `KeyProvider`. Names are plain strings to this package.

    KeyFileError
    ├── KeyDirectoryMissingError    no directory there, or not one that `create` made
    ├── KeyDirectoryExistsError     `create` was done there already
    ├── KeyPermissionsError         others may read or change the directory or the file
    ├── KeyStorageError             the file system refuses
    ├── WrongPassphraseError        the passphrase opens nothing here
    ├── PassphraseTooShortError     a new passphrase is under PASSPHRASE_BYTES_MIN
    ├── DamagedKeyFileError         the file is cut, changed, renamed or no key file
    ├── KeyMissingError             no key of this name
    ├── KeyExistsError              a key of this name is there, and stays as it is
    └── KeyKindError                a secret where a signing key is asked for, or the reverse

No error holds a key, a secret or a passphrase.
"""

from crypto.keys.errors import (
    DamagedKeyFileError,
    KeyDirectoryExistsError,
    KeyDirectoryMissingError,
    KeyExistsError,
    KeyFileError,
    KeyKindError,
    KeyMissingError,
    KeyPermissionsError,
    KeyStorageError,
    PassphraseTooShortError,
    WrongPassphraseError,
)
from crypto.keys.files import KeyFiles
from crypto.keys.provider import KeyProvider, Signer
from crypto.keys.sealing import PASSPHRASE_BYTES_MIN

__all__ = [
    "PASSPHRASE_BYTES_MIN",
    "DamagedKeyFileError",
    "KeyDirectoryExistsError",
    "KeyDirectoryMissingError",
    "KeyExistsError",
    "KeyFileError",
    "KeyFiles",
    "KeyKindError",
    "KeyMissingError",
    "KeyPermissionsError",
    "KeyProvider",
    "KeyStorageError",
    "PassphraseTooShortError",
    "Signer",
    "WrongPassphraseError",
]
