"""Where private keys and secrets come from: one small interface, and key files behind it.

    files = KeyFiles.create(directory, passphrase)      # once; then KeyFiles.open(...)
    files.create_signer("code_signing.1.1")
    signature = files.signer("code_signing.1.1").sign(message)

A `KeyProvider` gives out a `Signer`, which signs and never shows its key, and secrets for symmetric
use. Names are plain strings to this package.

A hardware module is another `KeyProvider`, and no caller changes. Over PKCS#11 (CKM_SM2 as the
vendor defines it) or GM/T 0018 (SDF) it opens a session for each thread, finds keys by name
(CKA_LABEL, or a table from names to SDF key indices), sends e = SM3(Z, message) to sign and turns
the answer into r, s of 32 bytes each; `secret` may refuse for keys that never leave the module,
whose SM4 and HMAC then need a seam of their own. Modules sign some thousand times a second and one
request at a time: callers wait, and hold no transaction while they do. Composition
(issuance/installation.py) is the one place that chooses.

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
from crypto.keys.provider import KeyMaker, KeyProvider, Signer
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
    "KeyMaker",
    "KeyMissingError",
    "KeyPermissionsError",
    "KeyProvider",
    "KeyStorageError",
    "PassphraseTooShortError",
    "Signer",
    "WrongPassphraseError",
]
