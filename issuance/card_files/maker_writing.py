"""Writing a maker file (制卡数据文件) as a stream: a chunk is in memory, never the file.

    header
    chunks     4 size, then SM4-GCM of the chunk with its tag of 16 bytes
    signature  64, of the issuer over "sscard/maker-file/v1" 00 and SM3 of all before

GCM's nonce is the number of the chunk (12 bytes, from 1) under a key that is drawn for this one
file; its associated data are SM3 of the header (32) and the number of the chunk (4). So a chunk
opens in its own place of its own file only, and the header says how many there are.

A chunk, decrypted:

    2  number of records
    64 signature over their root (chunk)
    for each record: 2 size, record, path of 32 bytes a hash
"""

import struct
from collections.abc import Iterable
from typing import BinaryIO, Final

from crypto import sm2, sm3, sm4
from crypto.keys import Signer
from crypto.random_source import random_bytes
from issuance.card_files.chunk import (
    CHUNK_RECORDS_MAX,
    SIGNATURE_SIZE_BYTES,
    ChunkPlace,
    SignedChunk,
)
from issuance.card_files.maker_header import MakerHeader, encode_header
from issuance.card_files.record import RECORD_BYTES_MAX, record_number

PATH_BYTES_MAX: Final = 12 * 32
CHUNK_BYTES_MAX: Final = (
    2
    + SIGNATURE_SIZE_BYTES
    + CHUNK_RECORDS_MAX * (2 + RECORD_BYTES_MAX + PATH_BYTES_MAX)
    + sm4.TAG_SIZE
)
MAKER_FILE_BYTES_MAX: Final = 1024 * 1024 * 1024  # more than RECORDS_MAX of the longest records
CHUNK_HEAD: Final = struct.Struct(">H64s")
CHUNK_SIZE: Final = struct.Struct(">I")
RECORD_SIZE: Final = struct.Struct(">H")

_CONTEXT: Final = b"sscard/maker-file/v1\0"


def write_maker_file(
    file: BinaryIO,
    header: MakerHeader,
    chunks: Iterable[SignedChunk],
    *,
    maker_key: sm2.PublicKey,
    signer: Signer,
) -> bytes:
    """Write the whole file and return its SM3 digest, 32 bytes, the signature included.

    chunks: in order, as many as the header says, their records numbered from 1 without gaps.
    signer: the card issuing key that the header names. `file` should not take its final name
    before this returns (`issuance.files.whole_file`).
    Raises ElementError; ValueError where chunks and header disagree, which is the caller's own
    mistake; what the signer raises.
    """
    key = random_bytes(sm4.KEY_SIZE)
    head = encode_header(header, maker_key, sm2.ciphertext_to_der(maker_key.encrypt(key)))
    cipher, head_digest, digest = sm4.Gcm(key), sm3.digest(head), sm3.Hash()

    def put(data: bytes) -> None:
        digest.update(data)
        file.write(data)

    put(head)
    count, written = 0, 0
    for count, chunk in enumerate(chunks, 1):
        _check_place(chunk, ChunkPlace(header.issuer, header.key_number, header.batch, count))
        written = _check_numbers(chunk, written)
        sealed = cipher.encrypt(
            chunk_nonce(count), encode_chunk(chunk), chunk_associated(head_digest, count)
        )
        put(CHUNK_SIZE.pack(len(sealed)))
        put(sealed)
    if (count, written) != (header.chunks, header.records):
        raise ValueError("the header states other numbers of chunks and records")
    signature = signer.sign(file_to_be_signed(digest.digest()))
    put(signature)
    return digest.digest()


def file_to_be_signed(digest: bytes) -> bytes:
    """What the signature at the end is over. digest: SM3 of all before it."""
    return _CONTEXT + digest


def chunk_nonce(number: int) -> bytes:
    """12 bytes; one key never sees a nonce twice, as it belongs to one file."""
    return number.to_bytes(12)


def chunk_associated(header_digest: bytes, number: int) -> bytes:
    """What binds a chunk to its place: 36 bytes."""
    return header_digest + number.to_bytes(4)


def encode_chunk(chunk: SignedChunk) -> bytes:
    """A chunk before it is encrypted."""
    parts = [CHUNK_HEAD.pack(len(chunk.contents), chunk.signature)]
    for content, path in zip(chunk.contents, chunk.paths, strict=True):
        parts += (RECORD_SIZE.pack(len(content)), content, path)
    return b"".join(parts)


def _check_place(chunk: SignedChunk, place: ChunkPlace) -> None:
    if chunk.place != place:
        raise ValueError(f"chunk {place.chunk} was signed for another place")
    if len(chunk.signature) != SIGNATURE_SIZE_BYTES:
        raise ValueError(f"the signature of chunk {place.chunk} has {SIGNATURE_SIZE_BYTES} bytes")


def _check_numbers(chunk: SignedChunk, before: int) -> int:
    """The number of the last record. Raises ValueError where one is out of order."""
    for number, content in enumerate(chunk.contents, before + 1):
        if record_number(content) != number:
            raise ValueError(f"record {number} has another number")
    return before + len(chunk.contents)
