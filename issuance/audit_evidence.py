"""What says where the audit log stood, and lies outside of it: checkpoints, bundles, receipts.

Each was signed by the issuer when the log was what it names. The public halves are taken from the
key folder of this machine as far as they are there, since whoever rewrites the log can rewrite the
rows of the keys, too; and whatever state a key has come to since, what it signed then counts here.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from card_core import checkpoint, receipts
from card_core.bundles import BUNDLE_BYTES_MAX, open_bundle
from card_core.bundles.signed import VERSION_AND_KIND
from card_core.checkpoint import Checkpoint, CheckpointRefusedError, Head
from card_core.codes import CodeKey, KeyPurpose, KeyState
from card_core.errors import CardCoreError
from card_core.receipts import ReceiptKey
from card_core.store import Reader, checkpoints, issuers
from card_core.store.paging import PAGE_SIZE_MAX
from crypto.keys import KeyProvider
from issuance import checkpoint_file
from issuance.errors import FileRefusedError
from issuance.files import not_readable


@dataclass(frozen=True, slots=True)
class Claim:
    """That a chain stood at this head, as the issuer signed."""

    chain: str
    head: Head


def evidence_keys(tx: Reader, keys: KeyProvider, issuer: int) -> list[CodeKey]:
    """The issuer's own keys, whatever their rows say of their state."""
    here = set(keys.names())
    return [
        replace(
            key,
            state=KeyState.ACTIVE,
            signs_from=None,
            signs_until=None,
            public_key=keys.signer(key.name).public_key if key.name in here else key.public_key,
        )
        for key in issuers.keys(tx)
        if key.issuer == issuer and key.purpose in {KeyPurpose.STATUS, KeyPurpose.RECEIPT}
    ]


def of_database(tx: Reader, keys: Sequence[CodeKey]) -> Iterator[Claim]:
    """The checkpoints that the database itself keeps. Raises CheckpointRefusedError."""
    after = 0
    while found := checkpoints.page(tx, after=after, limit=PAGE_SIZE_MAX):
        for one in found:
            yield from _claims(_verified(one.content, one.signature, keys))
        after = found[-1].number


def of_file(path: Path, keys: Sequence[CodeKey]) -> Iterator[Claim]:
    """A file of checkpoints, a bundle as a terminal carries it, or a receipt, by its first byte.

    Raises FileRefusedError for a file that is none of them, or that nobody of ours has signed.
    """
    try:
        with path.open("rb") as file:
            first = file.read(1)
    except OSError as error:
        raise not_readable(path, error) from error
    if first == bytes([VERSION_AND_KIND]):
        yield from _of_bundle(path, keys)
    elif first == b"{" and b'"checkpoint"' in _beginning(path):
        yield from _of_checkpoints(path, keys)
    else:
        yield from _of_receipt(path, keys)


def _of_checkpoints(path: Path, keys: Sequence[CodeKey]) -> Iterator[Claim]:
    expected = 0
    for line, (content, signature) in enumerate(checkpoint_file.read_all(path), 1):
        try:
            found = _verified(content, signature, keys)
        except CheckpointRefusedError:
            raise checkpoint_file.unusable(path, line) from None
        # None is missing between two that are there.
        if expected and found.number != expected:
            raise checkpoint_file.unusable(path, line)
        expected = found.number + 1
        yield from _claims(found)


def _of_bundle(path: Path, keys: Sequence[CodeKey]) -> Iterator[Claim]:
    try:
        found = open_bundle(_read(path, BUNDLE_BYTES_MAX), keys=keys)
    except CardCoreError as error:
        raise _not_ours(path) from error
    for chain, head in found.content.audit_heads.items():
        yield Claim(chain, head)


def _of_receipt(path: Path, keys: Sequence[CodeKey]) -> Iterator[Claim]:
    known = [ReceiptKey.of(key) for key in keys if key.purpose is KeyPurpose.RECEIPT]
    try:
        text = receipts.text_in(_read(path, receipts.INPUT_BYTES_MAX))
        found = receipts.verify_receipt(receipts.from_text(text), known)
    except CardCoreError as error:
        raise _not_ours(path) from error
    yield Claim(found.audit_chain, Head(found.audit_seq, found.audit_link))


def _verified(content: bytes, signature: bytes, keys: Sequence[CodeKey]) -> Checkpoint:
    claimed = Checkpoint.parse(content)
    for key in keys:
        named = (claimed.issuer, claimed.key_number, KeyPurpose.STATUS)
        if (key.issuer, key.number, key.purpose) == named:
            return checkpoint.verify(content, signature, key.public_key)
    raise CheckpointRefusedError


def _claims(found: Checkpoint) -> Iterator[Claim]:
    for chain, head in found.heads.items():
        yield Claim(chain, head)


def _beginning(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(32)


def _read(path: Path, bytes_max: int) -> bytes:
    with path.open("rb") as file:
        return file.read(bytes_max + 1)


def _not_ours(path: Path) -> FileRefusedError:
    return FileRefusedError(
        "not_evidence",
        f"{path} 不是本机构签名的检查点文件、离线数据包或凭据，不能作证。",
        f"{path} is no file of checkpoints, bundle or receipt that this issuer has signed; it "
        "proves nothing.",
    )
