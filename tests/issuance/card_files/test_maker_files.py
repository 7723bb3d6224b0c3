"""The maker file: what was written is read, and nothing else is ever read as one."""

import io
import json
import struct
from collections.abc import Iterator
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crypto import InvalidSignatureError, sm2, sm4
from issuance.card_files import (
    CHUNK_RECORDS_MAX,
    CardFileError,
    ChunkPlace,
    ElementError,
    SignedChunk,
    SignedRecord,
    decode_record,
    encode_record,
    maker_reading,
    open_maker_file,
    prepare_chunk,
    write_maker_file,
)
from issuance.card_files.maker_header import encode_header, read_header
from issuance.card_files.maker_reading import decode_chunk
from issuance.card_files.maker_writing import encode_chunk
from tests.issuance.card_files.samples import (
    BATCH,
    ISSUER,
    ISSUER_KEY,
    KEY_NUMBER,
    MADE_AT,
    MAKER_KEY,
    card,
    maker_file,
    maker_header,
    record,
    signed_chunks,
)

PUBLIC = ISSUER_KEY.public_key
PLACE = ChunkPlace(ISSUER, KEY_NUMBER, BATCH, 1)
SMALL = maker_file(2, 1)


def read(data: bytes, key: sm2.PrivateKey = MAKER_KEY) -> list[SignedRecord]:
    opened = open_maker_file(io.BytesIO(data), PUBLIC)
    return list(opened.records(key.public_key(), key.decrypt))


def refusal(data: bytes) -> CardFileError:
    with pytest.raises(CardFileError) as raised:
        read(data)
    return raised.value


def signed_again(data: bytes) -> bytes:
    """The file with a new signature of its issuer at the end: what only the issuer could do."""
    from crypto import sm3
    from issuance.card_files.maker_writing import file_to_be_signed

    body = data[:-64]
    return body + ISSUER_KEY.sign(file_to_be_signed(sm3.digest(body)))


def chunks_of(data: bytes) -> tuple[bytes, list[bytes], bytes]:
    """Header, chunks with their sizes, signature."""
    file = io.BytesIO(data)
    _, head = read_header(file)
    chunks = []
    while file.tell() < len(data) - 64:
        size = file.read(4)
        chunks.append(size + file.read(struct.unpack(">I", size)[0]))
    return head, chunks, file.read()


@pytest.mark.parametrize("sizes", [(1,), (2, 1), (3, 5, 2), (1, 1, 1, 1), (17,)])
def test_what_is_written_is_read(sizes: tuple[int, ...]) -> None:
    found = read(maker_file(*sizes))
    assert [one.content for one in found] == [record(at) for at in range(1, sum(sizes) + 1)]
    for number, one in enumerate(found, 1):
        assert decode_record(one.content).card == card(number)


@settings(max_examples=15, deadline=None)
@given(st.lists(st.integers(1, 6), min_size=1, max_size=4))
def test_any_chunks_come_back(sizes: list[int]) -> None:
    header = open_maker_file(io.BytesIO(data := maker_file(*sizes)), PUBLIC).header
    assert (header.records, header.chunks) == (sum(sizes), len(sizes))
    assert [one.content for one in read(data)] == [record(n + 1) for n in range(sum(sizes))]


def test_each_record_is_verified_alone() -> None:
    records = read(maker_file(5))
    # Its way up turns right three times, as that of the first does.
    with pytest.raises(InvalidSignatureError):
        replace(records[0], index=-8).verify(PUBLIC)
    for one in records:
        one.verify(PUBLIC)
        for wrong in (
            replace(one, content=one.content[:-1] + bytes((one.content[-1] ^ 1,))),
            replace(one, index=(one.index + 1) % 5),
            replace(one, size=6),
            replace(one, index=5),
            replace(one, path=one.path[32:]),
            replace(one, path=one.path + bytes(32)),
            replace(one, path=bytes(32) + one.path[32:]),
            replace(one, place=replace(one.place, batch="other")),
            replace(one, place=replace(one.place, chunk=2)),
            replace(one, place=replace(one.place, issuer=8)),
            replace(one, place=replace(one.place, key_number=2)),
        ):
            with pytest.raises(InvalidSignatureError):
                wrong.verify(PUBLIC)


def test_a_chunk_made_again_has_the_same_bytes_to_sign() -> None:
    first, again = (prepare_chunk(PLACE, [record(1), record(2)]) for _ in range(2))
    assert (first.root, first.to_be_signed) == (again.root, again.to_be_signed)
    assert first.to_be_signed != prepare_chunk(PLACE, [record(2), record(1)]).to_be_signed


@pytest.mark.parametrize("bit", range(8))
def test_every_changed_byte_is_refused(bit: int) -> None:
    step = 1 if bit == 0 else 7  # every byte once, and each bit at many places
    for at in range(0, len(SMALL), step):
        data = bytearray(SMALL)
        data[at] ^= 1 << bit
        refusal(bytes(data))


def test_a_file_cut_anywhere_is_refused() -> None:
    for end in range(len(SMALL)):
        refusal(SMALL[:end])
    assert refusal(SMALL + b"\0").code == "surplus"


def test_chunks_dropped_swapped_or_doubled_are_refused() -> None:
    head, chunks, signature = chunks_of(maker_file(2, 2, 2))
    one, two, three = chunks
    for wrong in ([one, two], [two, one, three], [one, one, three], [one, two, three, three], []):
        refusal(head + b"".join(wrong) + signature)


def test_even_its_issuer_cannot_put_a_chunk_elsewhere() -> None:
    """The chunks are bound to place and file by themselves, not by the last signature alone."""
    head, (one, two, three), signature = chunks_of(maker_file(2, 2, 2))
    swapped = signed_again(head + two + one + three + signature)
    assert refusal(swapped).code == "chunk_undecryptable"
    other = chunks_of(maker_file(2, 2, 2))[1]
    assert refusal(signed_again(head + other[0] + two + three + signature)).code == (
        "chunk_undecryptable"
    )
    refusal(signed_again(head + one + two + signature))


def test_a_changed_header_opens_no_chunk() -> None:
    head, chunks, signature = chunks_of(SMALL)
    later = head[:14] + (1 + int.from_bytes(head[14:22], "big")).to_bytes(8, "big") + head[22:]
    assert refusal(signed_again(later + b"".join(chunks) + signature)).code == (
        "chunk_undecryptable"
    )


def test_nothing_is_given_out_before_the_signature_was_checked() -> None:
    with pytest.raises(CardFileError) as raised:
        open_maker_file(io.BytesIO(SMALL[:-1] + b"\0"), PUBLIC)
    assert raised.value.code == "signature_wrong"
    with pytest.raises(CardFileError) as raised:
        open_maker_file(io.BytesIO(SMALL), MAKER_KEY.public_key())
    assert raised.value.code == "signature_wrong"


def test_only_the_makers_key_opens_it() -> None:
    opened = open_maker_file(io.BytesIO(SMALL), PUBLIC)
    other = sm2.PrivateKey.generate()
    for public in (other.public_key(), MAKER_KEY.public_key()):
        with pytest.raises(CardFileError) as raised:
            next(opened.records(public, other.decrypt))
        assert raised.value.code == "not_for_this_key"
    with pytest.raises(CardFileError) as raised:
        next(opened.records(MAKER_KEY.public_key(), lambda _: bytes(8)))
    assert raised.value.code == "not_for_this_key"


@pytest.mark.parametrize("envelope", [b"", b"junk", b"\x30\x00", bytes(160)])
def test_an_envelope_that_is_none_is_refused(envelope: bytes) -> None:
    head = encode_header(maker_header([1]), MAKER_KEY.public_key(), envelope)
    body = head + struct.pack(">I", 17) + bytes(17)
    assert refusal(signed_again(body + bytes(64))).code == "not_for_this_key"


def test_no_file_has_the_key_of_another() -> None:
    """Chunk numbers are the nonces of GCM: one key for two files would be the end of both."""
    found = {read_header(io.BytesIO(maker_file(1)))[0].envelope for _ in range(4)}
    keys = {MAKER_KEY.decrypt(sm2.ciphertext_from_der(one)) for one in found}
    assert len(keys) == 4


def test_records_in_the_file_cannot_be_read_in_it() -> None:
    assert card(1).social_security_number.encode() not in SMALL
    assert card(1).name.encode("gb18030") not in SMALL


def resealed(change: bytes, *, number: int = 1) -> bytes:
    """A file of one chunk, which has been changed by somebody with both keys."""
    from issuance.card_files.maker_writing import chunk_associated, chunk_nonce

    head, _, signature = chunks_of(maker_file(2))
    sealed, _ = read_header(io.BytesIO(head))
    key = sealed.open(MAKER_KEY.public_key(), MAKER_KEY.decrypt)
    data = sm4.Gcm(key).encrypt(
        chunk_nonce(number), change, chunk_associated(sealed.digest, number)
    )
    return signed_again(head + struct.pack(">I", len(data)) + data + signature)


def test_records_that_the_issuer_did_not_sign_are_refused() -> None:
    (chunk,) = signed_chunks([2])
    good = encode_chunk(chunk)
    assert len(read(resealed(good))) == 2
    assert refusal(resealed(encode_chunk(replace(chunk, signature=bytes(64))))).code == (
        "record_signature_wrong"
    )
    swapped = replace(chunk, contents=chunk.contents[::-1], paths=chunk.paths[::-1])
    assert refusal(resealed(encode_chunk(swapped))).code == "record_signature_wrong"
    pathless = replace(chunk, paths=(bytes(32), chunk.paths[1]))
    assert refusal(resealed(encode_chunk(pathless))).code == "record_signature_wrong"
    for wrong in (good[:-1], good + b"\0", good[:70], b"", bytes(66)):
        assert refusal(resealed(wrong)).code == "chunk_bad"


def test_numbers_and_count_are_those_of_the_header() -> None:
    prepared = prepare_chunk(PLACE, [record(1), record(3)])
    gap = prepared.signed(ISSUER_KEY.sign(prepared.to_be_signed))
    assert refusal(resealed(encode_chunk(gap))).code == "record_bad"
    prepared = prepare_chunk(PLACE, [record(1)])
    short = prepared.signed(ISSUER_KEY.sign(prepared.to_be_signed))
    assert refusal(resealed(encode_chunk(short))).code == "count_wrong"


def test_a_writer_that_is_given_other_chunks_than_its_header_says_fails() -> None:
    for sizes, header in (([2], maker_header([3])), ([2, 1], maker_header([3])), ([], None)):
        with pytest.raises(ValueError, match=r"header|place"):
            write_maker_file(
                io.BytesIO(),
                header or maker_header([1]),
                signed_chunks(sizes),
                maker_key=MAKER_KEY.public_key(),
                signer=ISSUER_KEY,
            )
    (chunk,) = signed_chunks([2])
    with pytest.raises(ValueError, match="number"):
        write_maker_file(
            io.BytesIO(),
            maker_header([2]),
            [replace(chunk, contents=chunk.contents[::-1])],
            maker_key=MAKER_KEY.public_key(),
            signer=ISSUER_KEY,
        )


def test_limits() -> None:
    with pytest.raises(ValueError, match="records"):
        prepare_chunk(PLACE, [])
    with pytest.raises(ValueError, match="records"):
        prepare_chunk(PLACE, [b"1"] * (CHUNK_RECORDS_MAX + 1))
    with pytest.raises(ValueError, match="bytes"):
        prepare_chunk(PLACE, [bytes(4096)])
    for batch in ("", "x" * 33, "批次"):
        with pytest.raises(ElementError):
            replace(PLACE, batch=batch)
    for wrong in ({"issuer": 65536}, {"key_number": 256}, {"chunk": 0}):
        with pytest.raises(ValueError, match="out of range"):
            replace(PLACE, **wrong)
    for wrong in (
        {"made_at": MADE_AT.replace(tzinfo=None)},
        {"issuer": -1},
        {"records": 0},
        {"records": 1_000_001},
        {"chunks": 3},
        {"records": 5000, "chunks": 1},
    ):
        with pytest.raises(ElementError):
            encode_header(replace(maker_header([2]), **wrong), MAKER_KEY.public_key(), b"")
    for number, region in ((0, "440604"), (1_000_001, "440604"), (1, "4406"), (1, "44060x")):
        with pytest.raises(ElementError):
            encode_record(replace(decode_record(record(1)), number=number, region=region))
    keyless = replace(decode_record(record(1)), keys=())
    with pytest.raises(ValueError, match="kind"):
        encode_record(keyless)
    chunk = struct.pack(">I", 1 << 31)
    head, _, _ = chunks_of(SMALL)
    assert refusal(head + chunk + bytes(100)).code == "chunk_bad"


@pytest.mark.parametrize("at", [0, 1, 2, 5, 6, 7])
def test_a_record_of_another_version_number_or_region_is_refused(at: int) -> None:
    data = bytearray(record(1))
    data[at] = 0xFF
    with pytest.raises(ValueError, match="range"):
        decode_record(bytes(data))


def test_a_record_cut_or_with_other_keys_than_it_counts_is_refused() -> None:
    data = record(1)
    for wrong in (data[:-1], data[:-21], data + data[-21:], data[:100], b""):
        with pytest.raises(ValueError, match=r"cut|number|kind"):
            decode_record(wrong)


def test_a_size_of_path_that_runs_over_the_end_is_refused() -> None:
    (chunk,) = signed_chunks([3])
    data = encode_chunk(chunk)
    for size in (0, 4, CHUNK_RECORDS_MAX + 1, 65535):
        with pytest.raises(CardFileError):
            decode_chunk(size.to_bytes(2, "big") + data[2:], PLACE)


@pytest.mark.parametrize("content", [b"", bytes(483)])
def test_a_record_of_no_possible_size_is_refused(content: bytes) -> None:
    data = encode_chunk(SignedChunk(PLACE, (content,), (b"",), bytes(64)))
    with pytest.raises(CardFileError) as raised:
        decode_chunk(data, PLACE)
    assert raised.value.code == "chunk_bad"


def test_refusals_say_where_and_what_to_do_and_nothing_of_anybody() -> None:
    error = refusal(SMALL[: len(SMALL) - 100])
    assert "第2块" in error.message_zh
    assert "chunk 2" in error.message_en
    spoken = json.dumps([error.message_zh, error.message_en, str(error)], ensure_ascii=False)
    assert card(1).social_security_number not in spoken


class WatchedFile(io.BytesIO):
    """Remembers the longest piece that was read at once."""

    longest = 0

    def read(self, size: int | None = -1, /) -> bytes:
        data = super().read(size)
        self.longest = max(self.longest, len(data))
        return data


def test_writing_and_reading_hold_one_chunk_at_a_time() -> None:
    sizes = (3,) * 8
    file = WatchedFile()
    written: list[int] = []

    def watched() -> Iterator[SignedChunk]:
        for chunk in signed_chunks(sizes):
            yield chunk
            written.append(file.tell())  # the chunk is out before the next one is asked for

    write_maker_file(
        file, maker_header(sizes), watched(), maker_key=MAKER_KEY.public_key(), signer=ISSUER_KEY
    )
    assert written == sorted(set(written))
    assert len(written) == len(sizes)
    file.seek(0)
    records = open_maker_file(file, PUBLIC).records(MAKER_KEY.public_key(), MAKER_KEY.decrypt)
    next(records)
    assert file.tell() == written[0]
    assert len(list(records)) == sum(sizes) - 1
    assert file.longest < 2 * (written[0] + 1000)
    assert file.longest < len(file.getvalue()) // 4


def test_a_file_beyond_the_limit_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(maker_reading, "MAKER_FILE_BYTES_MAX", len(SMALL) - 65)
    assert refusal(SMALL).code == "file_too_large"
    monkeypatch.setattr(maker_reading, "MAKER_FILE_BYTES_MAX", len(SMALL))
    assert len(read(SMALL)) == 3
