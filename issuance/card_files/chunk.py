"""Records signed together: one SM2 signature over the root of a Merkle tree, a path for each.

    leaf          the record's bytes
    tree          RFC 6962, section 2.1, with SM3 (card_core.receipts.tree)
    to be signed  "sscard/card-records/v1" 00, issuer (2), key number (1), length of the batch (1),
                  batch, number of the chunk (4), number of records (2), root (32)

Preparing and signing are two steps, so that what will be signed can be written down between them:
the same records give the same root, and whoever signs keeps one signature for it.
"""

import re
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from card_core.receipts.tree import HASH_SIZE_BYTES, path_size, root_and_paths, root_of
from crypto import sm2
from issuance.card_files.errors import ElementError
from issuance.card_files.record import RECORD_BYTES_MAX

CHUNK_RECORDS_MAX: Final = 4096
BATCH_BYTES_MAX: Final = 32
SIGNATURE_SIZE_BYTES: Final = 64

_CONTEXT: Final = b"sscard/card-records/v1\0"
_is_batch = re.compile("[0-9A-Za-z_-]{1,32}").fullmatch


@dataclass(frozen=True, slots=True)
class ChunkPlace:
    """Where records belong. issuer: 0 to 65535. key_number: 0 to 255, of the card issuing key.

    batch: 1 to 32 of A-Z, a-z, 0-9, _ and -. chunk: from 1, without gaps in a file.
    """

    issuer: int
    key_number: int
    batch: str
    chunk: int

    def __post_init__(self) -> None:
        """Raises ValueError for a number out of range, ElementError for a batch."""
        batch_bytes(self.batch)
        if not (0 <= self.issuer <= 0xFFFF and 0 <= self.key_number <= 0xFF and self.chunk >= 1):
            raise ValueError("issuer, key number or chunk is out of range")

    def to_be_signed(self, size: int, root: bytes) -> bytes:
        """What the signature over `size` records is over. root: 32 bytes."""
        batch = batch_bytes(self.batch)
        return b"".join(
            (
                _CONTEXT,
                struct.pack(">HBB", self.issuer, self.key_number, len(batch)),
                batch,
                struct.pack(">IH", self.chunk, size),
                root,
            )
        )


@dataclass(frozen=True, slots=True, repr=False)
class SignedRecord:
    """One record with all that proves it, needing no other record. index: from 0, below size."""

    place: ChunkPlace
    content: bytes
    index: int
    size: int
    path: bytes
    signature: bytes

    def verify(self, issuer_key: sm2.PublicKey | sm2.Verifier) -> None:
        """Raises InvalidSignatureError, whatever is wrong."""
        if not 0 <= self.index < self.size <= CHUNK_RECORDS_MAX or len(
            self.path
        ) != HASH_SIZE_BYTES * path_size(self.index, self.size):
            raise sm2.InvalidSignatureError
        root = root_of(self.content, self.index, self.size, self.path)
        issuer_key.verify(self.signature, self.place.to_be_signed(self.size, root))


@dataclass(frozen=True, slots=True, repr=False)
class SignedChunk:
    """Records under one signature. paths: one for each of contents. signature: 64 bytes."""

    place: ChunkPlace
    contents: tuple[bytes, ...]
    paths: tuple[bytes, ...]
    signature: bytes

    def records(self) -> list[SignedRecord]:
        """Each record by itself, in their order."""
        size = len(self.contents)
        return [
            SignedRecord(self.place, content, index, size, path, self.signature)
            for index, (content, path) in enumerate(zip(self.contents, self.paths, strict=True))
        ]


@dataclass(frozen=True, slots=True, repr=False)
class PreparedChunk:
    """Records before they are signed. root: 32 bytes. to_be_signed: what a `Signer` is given."""

    place: ChunkPlace
    contents: tuple[bytes, ...]
    root: bytes
    paths: tuple[bytes, ...]

    @property
    def to_be_signed(self) -> bytes:
        return self.place.to_be_signed(len(self.contents), self.root)

    def signed(self, signature: bytes) -> SignedChunk:
        """With the signature over `to_be_signed`, 64 bytes."""
        return SignedChunk(self.place, self.contents, self.paths, signature)


def prepare_chunk(place: ChunkPlace, contents: Sequence[bytes]) -> PreparedChunk:
    """contents: 1 to CHUNK_RECORDS_MAX encoded records, in the order of their numbers.

    Raises ValueError for a count or a size.
    """
    if not 1 <= len(contents) <= CHUNK_RECORDS_MAX:
        raise ValueError(f"a chunk has 1 to {CHUNK_RECORDS_MAX} records")
    if any(not 0 < len(content) <= RECORD_BYTES_MAX for content in contents):
        raise ValueError(f"a record has 1 to {RECORD_BYTES_MAX} bytes")
    root, paths = root_and_paths(contents)
    return PreparedChunk(place, tuple(contents), root, tuple(paths))


def batch_bytes(batch: str) -> bytes:
    """The batch as it is signed. Raises ElementError."""
    if not _is_batch(batch):
        raise ElementError(
            "element_unfit",
            "batch",
            "制卡批次",
            f"应为1至{BATCH_BYTES_MAX}位字母、数字、_ 或 -",
            f"must be 1 to {BATCH_BYTES_MAX} letters, digits, _ or -",
        )
    return batch.encode("ascii")
