"""The header of a maker file: in clear, so that anybody can see which file this is.

8  "SSCMAKER"
1  version, 1
2  size of the header, all of it
2  issuer
1  number of its card issuing key
8  made at, seconds since 1970-01-01 UTC
4  number of records
4  number of chunks
8  name of the maker's key: the first bytes of SM3 over its 33 compressed bytes
1  length of the batch
b  batch
2  length of the envelope
e  envelope: the SM4 key of this file, encrypted to the maker's key, SM2Cipher in DER
   (GB/T 35276-2017)
"""

import struct
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import BinaryIO, Final

from crypto import DecryptionError, sm2, sm3
from issuance.card_files.chunk import BATCH_BYTES_MAX, CHUNK_RECORDS_MAX, batch_bytes
from issuance.card_files.errors import CardFileError, ElementError
from issuance.card_files.record import RECORDS_MAX

MAGIC: Final = b"SSCMAKER"
VERSION: Final = 1
KEY_NAME_SIZE_BYTES: Final = 8
ENVELOPE_BYTES_MAX: Final = 160

Decrypt = Callable[[bytes], bytes]
"""The maker's private key at work: a ciphertext 04, x, y, C3, C2 to the plaintext.

`sm2.PrivateKey.decrypt`, or a hardware module's. Raises DecryptionError.
"""

_FIXED: Final = struct.Struct(">8sBHHBQII8sB")
_SIZE: Final = struct.Struct(">H")
_HEADER_BYTES_MAX: Final = _FIXED.size + BATCH_BYTES_MAX + _SIZE.size + ENVELOPE_BYTES_MAX
_MADE_AT_MAX: Final = 253_402_300_799  # the end of the year 9999


@dataclass(frozen=True, slots=True)
class MakerHeader:
    """What the header says but the envelope. made_at: aware, UTC, whole seconds.

    issuer, key_number, batch: as in ChunkPlace. records: 1 to RECORDS_MAX. chunks: as many as hold
    them.
    """

    issuer: int
    key_number: int
    batch: str
    made_at: datetime
    records: int
    chunks: int

    def problem(self) -> str:
        """The first field that is out of its range, by its English name, or nothing."""
        if not (0 <= self.issuer <= 0xFFFF and 0 <= self.key_number <= 0xFF):
            return "issuer, key_number"
        if self.made_at.tzinfo is None or not 0 <= self.made_at.timestamp() <= _MADE_AT_MAX:
            return "made_at"
        if not 1 <= self.records <= RECORDS_MAX:
            return "records"
        if not self.records <= self.chunks * CHUNK_RECORDS_MAX or self.chunks > self.records:
            return "chunks"
        return ""


@dataclass(frozen=True, slots=True, repr=False)
class SealedHeader:
    """The header with its envelope. digest: SM3 of its bytes, which every chunk is bound to."""

    header: MakerHeader
    maker_key_name: bytes
    envelope: bytes
    size_bytes: int
    digest: bytes

    def open(self, maker_key: sm2.PublicKey, decrypt: Decrypt) -> bytes:
        """The SM4 key of the file. Raises CardFileError, not_for_this_key."""
        if key_name(maker_key) != self.maker_key_name:
            raise CardFileError("not_for_this_key")
        try:
            key = decrypt(sm2.ciphertext_from_der(self.envelope))
        except DecryptionError:
            raise CardFileError("not_for_this_key") from None
        if len(key) != 16:
            raise CardFileError("not_for_this_key")
        return key


def key_name(key: sm2.PublicKey) -> bytes:
    """By which a maker sees that a file is for it."""
    return sm3.digest(key.to_bytes(compressed=True))[:KEY_NAME_SIZE_BYTES]


def encode_header(header: MakerHeader, maker_key: sm2.PublicKey, envelope: bytes) -> bytes:
    """Raises ElementError for a value that can't be written."""
    batch = batch_bytes(header.batch)
    if field := header.problem():
        raise ElementError("element_unfit", field, field, "超出范围", "is out of range")
    size = _FIXED.size + len(batch) + _SIZE.size + len(envelope)
    fixed = _FIXED.pack(
        MAGIC,
        VERSION,
        size,
        header.issuer,
        header.key_number,
        int(header.made_at.timestamp()),
        header.records,
        header.chunks,
        key_name(maker_key),
        len(batch),
    )
    return b"".join((fixed, batch, _SIZE.pack(len(envelope)), envelope))


def read_header(file: BinaryIO) -> tuple[SealedHeader, bytes]:
    """The header and its bytes; `file` stands behind it. Raises CardFileError."""
    fixed = file.read(_FIXED.size)
    _check_beginning(fixed)
    (_, _, size, issuer, key_number, made_at, records, chunks, name, batch_size) = _FIXED.unpack(
        fixed
    )
    rest_size = size - _FIXED.size
    if not 0 < rest_size <= _HEADER_BYTES_MAX - _FIXED.size or made_at > _MADE_AT_MAX:
        raise CardFileError("header_bad", part="size, made_at")
    rest = file.read(rest_size)
    if len(rest) < rest_size:
        raise CardFileError("header_cut")
    batch, envelope = _split(rest, batch_size)
    header = MakerHeader(
        issuer, key_number, batch, datetime.fromtimestamp(made_at, UTC), records, chunks
    )
    if field := header.problem():
        raise CardFileError("header_bad", part=field)
    data = fixed + rest
    return SealedHeader(header, name, envelope, len(data), sm3.digest(data)), data


def _check_beginning(fixed: bytes) -> None:
    if not fixed:
        raise CardFileError("file_empty")
    if fixed[: len(MAGIC)] != MAGIC[: len(fixed)]:
        raise CardFileError("kind_unknown")
    if len(fixed) > len(MAGIC) and fixed[len(MAGIC)] != VERSION:
        raise CardFileError("version_unknown")
    if len(fixed) < _FIXED.size:
        raise CardFileError("header_cut")


def _split(rest: bytes, batch_size: int) -> tuple[str, bytes]:
    """Batch and envelope."""
    try:
        batch = rest[:batch_size].decode("ascii")
        if len(batch_bytes(batch)) != batch_size:
            raise CardFileError("header_bad", part="batch")
    except (UnicodeDecodeError, ElementError):
        raise CardFileError("header_bad", part="batch") from None
    length, envelope = rest[batch_size : batch_size + 2], rest[batch_size + 2 :]
    if length != _SIZE.pack(len(envelope)):
        raise CardFileError("header_bad", part="envelope")
    return batch, envelope
