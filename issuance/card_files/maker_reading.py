"""Reading a maker file: first whether it is whole and the issuer's, then its records.

    opened = open_maker_file(file, issuer_key)             # without any secret
    for record in opened.records(maker_key, decrypt): ...  # record.verify holds for each

Two passes over the file: nothing of it is given out before its signature was found good.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from card_core.receipts.tree import HASH_SIZE_BYTES, path_size, root_and_paths
from crypto import DecryptionError, InvalidSignatureError, sm2, sm3, sm4
from issuance.card_files.chunk import (
    CHUNK_RECORDS_MAX,
    SIGNATURE_SIZE_BYTES,
    ChunkPlace,
    SignedChunk,
    SignedRecord,
)
from issuance.card_files.errors import CardFileError
from issuance.card_files.maker_header import Decrypt, MakerHeader, SealedHeader, read_header
from issuance.card_files.maker_writing import (
    CHUNK_BYTES_MAX,
    CHUNK_HEAD,
    CHUNK_SIZE,
    MAKER_FILE_BYTES_MAX,
    RECORD_SIZE,
    chunk_associated,
    chunk_nonce,
    file_to_be_signed,
)
from issuance.card_files.record import RECORD_BYTES_MAX, record_number


@dataclass(frozen=True, slots=True, repr=False)
class MakerFile:
    """A maker file whose signature is good. digest: SM3 of the whole file, 32 bytes."""

    header: MakerHeader
    digest: bytes
    _sealed: SealedHeader
    _file: BinaryIO
    _issuer_key: sm2.Verifier

    def records(self, maker_key: sm2.PublicKey, decrypt: Decrypt) -> Iterator[SignedRecord]:
        """All records in their order, each verified; one chunk is in memory.

        maker_key, decrypt: the two halves of the maker's key. Raises CardFileError.
        """
        cipher = sm4.Gcm(self._sealed.open(maker_key, decrypt))
        self._file.seek(self._sealed.size_bytes)
        count = 0
        for number in range(1, self.header.chunks + 1):
            for record in self._chunk(cipher, number).records():
                count += 1
                if _number(record.content) != count:
                    raise CardFileError("record_bad", record=count)
                yield record
        if count != self.header.records:
            raise CardFileError("count_wrong", stated=self.header.records, found=count)

    def _chunk(self, cipher: sm4.Gcm, number: int) -> SignedChunk:
        sealed = _read_chunk(self._file, number)
        associated = chunk_associated(self._sealed.digest, number)
        try:
            data = cipher.decrypt(chunk_nonce(number), sealed, associated)
        except DecryptionError:
            raise CardFileError("chunk_undecryptable", chunk=number) from None
        place = ChunkPlace(self.header.issuer, self.header.key_number, self.header.batch, number)
        chunk = decode_chunk(data, place)
        _verify(chunk, self._issuer_key)
        return chunk


def open_maker_file(file: BinaryIO, issuer_key: sm2.PublicKey) -> MakerFile:
    """Check the layout and the issuer's signature over the file, without decrypting.

    file: open at its beginning, and seekable. issuer_key: the card issuing key, known beforehand.
    Raises CardFileError.
    """
    sealed, head = read_header(file)
    digest = sm3.Hash()
    digest.update(head)
    for number in range(1, sealed.header.chunks + 1):
        chunk = _read_chunk(file, number)
        if file.tell() > MAKER_FILE_BYTES_MAX:
            raise CardFileError("file_too_large", mebibytes=MAKER_FILE_BYTES_MAX // 2**20)
        digest.update(CHUNK_SIZE.pack(len(chunk)))
        digest.update(chunk)
    signature = file.read(SIGNATURE_SIZE_BYTES)
    if len(signature) < SIGNATURE_SIZE_BYTES:
        raise CardFileError("cut_in_chunk", chunk=sealed.header.chunks + 1)
    if file.read(1):
        raise CardFileError("surplus")
    verifier = sm2.Verifier(issuer_key)
    try:
        verifier.verify(signature, file_to_be_signed(digest.digest()))
    except InvalidSignatureError:
        raise CardFileError("signature_wrong") from None
    digest.update(signature)
    return MakerFile(sealed.header, digest.digest(), sealed, file, verifier)


def decode_chunk(data: bytes, place: ChunkPlace) -> SignedChunk:
    """The inverse of `encode_chunk`, its signature not yet verified. Raises CardFileError."""
    try:
        size, signature = CHUNK_HEAD.unpack_from(data)
        if not 1 <= size <= CHUNK_RECORDS_MAX:
            raise ValueError
        contents, paths, at = [], [], CHUNK_HEAD.size
        for index in range(size):
            content_at = at + RECORD_SIZE.size
            path_at = content_at + RECORD_SIZE.unpack_from(data, at)[0]
            at = path_at + HASH_SIZE_BYTES * path_size(index, size)
            if not 0 < path_at - content_at <= RECORD_BYTES_MAX:
                raise ValueError
            contents.append(data[content_at:path_at])
            paths.append(data[path_at:at])
        if at != len(data):
            raise ValueError
    except (ValueError, struct.error):
        raise CardFileError("chunk_bad", chunk=place.chunk) from None
    return SignedChunk(place, tuple(contents), tuple(paths), signature)


def _verify(chunk: SignedChunk, issuer_key: sm2.Verifier) -> None:
    """The tree is built again, which costs less than to follow every path. Raises CardFileError."""
    root, paths = root_and_paths(chunk.contents)
    to_be_signed = chunk.place.to_be_signed(len(chunk.contents), root)
    try:
        issuer_key.verify(chunk.signature, to_be_signed)
        if tuple(paths) != chunk.paths:
            raise InvalidSignatureError
    except InvalidSignatureError:
        raise CardFileError("record_signature_wrong", chunk=chunk.place.chunk) from None


def _read_chunk(file: BinaryIO, number: int) -> bytes:
    head = file.read(CHUNK_SIZE.size)
    if len(head) < CHUNK_SIZE.size:
        raise CardFileError("cut_in_chunk", chunk=number)
    size: int = CHUNK_SIZE.unpack(head)[0]
    if not sm4.TAG_SIZE < size <= CHUNK_BYTES_MAX:
        raise CardFileError("chunk_bad", chunk=number)
    data = file.read(size)
    if len(data) < size:
        raise CardFileError("cut_in_chunk", chunk=number)
    return data


def _number(content: bytes) -> int:
    """0 where the record is cut off before its number."""
    try:
        return record_number(content)
    except ValueError:
        return 0
