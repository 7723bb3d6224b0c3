"""The header of a maker file: each field that is wrong has its own refusal."""

import io
from dataclasses import replace

import pytest

from crypto import sm2
from issuance.card_files import CardFileError, write_maker_file
from issuance.card_files.maker_header import encode_header, read_header
from tests.issuance.card_files.samples import (
    BATCH,
    ISSUER_KEY,
    MADE_AT,
    MAKER_KEY,
    maker_file,
    maker_header,
    signed_chunks,
)

ENVELOPE = bytes(range(100, 220))
HEAD = encode_header(maker_header([2, 1]), MAKER_KEY.public_key(), ENVELOPE)
BATCH_AT = 39


def changed(at: int, new: bytes) -> bytes:
    return HEAD[:at] + new + HEAD[at + len(new) :]


def code_of(data: bytes) -> str:
    with pytest.raises(CardFileError) as raised:
        read_header(io.BytesIO(data))
    return raised.value.code


def test_what_is_written_is_read() -> None:
    sealed, data = read_header(io.BytesIO(HEAD + b"the first chunk"))
    assert sealed.header == maker_header([2, 1])
    assert sealed.header.made_at == MADE_AT
    assert (sealed.envelope, sealed.size_bytes, data) == (ENVELOPE, len(HEAD), HEAD)


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "file_empty"),
        (b"S", "header_cut"),
        (HEAD[:20], "header_cut"),
        (HEAD[:-1], "header_cut"),
        (b"H|", "kind_unknown"),
        (changed(0, b"T"), "kind_unknown"),
        (changed(8, b"\2"), "version_unknown"),
        (changed(9, b"\0\0"), "header_bad"),
        (changed(9, (len(HEAD) - 1).to_bytes(2, "big")), "header_bad"),
        (changed(9, (len(HEAD) + 1).to_bytes(2, "big")) + b"\0", "header_bad"),
        (changed(9, b"\xff\xff") + bytes(65536), "header_bad"),
        (changed(14, b"\x7f" + bytes(7)), "header_bad"),  # made at
        (changed(22, bytes(4)), "header_bad"),  # no records
        (changed(22, b"\xff" * 4), "header_bad"),
        (changed(26, bytes(4)), "header_bad"),  # no chunks
        (changed(26, bytes((0, 0, 0, 4))), "header_bad"),  # more chunks than records
        (changed(38, b"\0"), "header_bad"),  # no batch
        (changed(38, b"\xff"), "header_bad"),
        (changed(BATCH_AT, b"|"), "header_bad"),
        (changed(BATCH_AT, b"\xe6"), "header_bad"),
        (changed(BATCH_AT + len(BATCH), b"\0\1"), "header_bad"),  # size of the envelope
    ],
)
def test_a_header_that_is_not_as_documented_is_refused(data: bytes, code: str) -> None:
    assert code_of(data) == code


def test_another_makers_file_is_known_before_its_envelope_is_opened() -> None:
    other = sm2.PrivateKey.generate()
    asked: list[bytes] = []

    def decrypt(ciphertext: bytes) -> bytes:
        asked.append(ciphertext)
        return bytes(16)

    sealed, _ = read_header(io.BytesIO(maker_file(1)))
    with pytest.raises(CardFileError) as raised:
        sealed.open(other.public_key(), decrypt)
    assert raised.value.code == "not_for_this_key"
    assert asked == []


def test_a_chunk_that_was_signed_for_another_place_is_not_written() -> None:
    (chunk,) = signed_chunks([2])
    for wrong in (
        replace(chunk, place=replace(chunk.place, batch="other")),
        replace(chunk, place=replace(chunk.place, chunk=2)),
        replace(chunk, place=replace(chunk.place, issuer=8)),
        replace(chunk, signature=bytes(63)),
    ):
        with pytest.raises(ValueError, match=r"another place|64 bytes"):
            write_maker_file(
                io.BytesIO(),
                maker_header([2]),
                [wrong],
                maker_key=MAKER_KEY.public_key(),
                signer=ISSUER_KEY,
            )
