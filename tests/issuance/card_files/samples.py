"""Made-up people and everybody's keys for the files of banks and makers."""

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import Any

from card_core.identity import check_character
from crypto import sm2, sm3
from issuance.card_files import (
    AccountRequest,
    CardKeyKind,
    CardRecord,
    ChunkPlace,
    MakerHeader,
    MasterKey,
    Personalisation,
    RowHeader,
    SignedChunk,
    SoftwareCardKeys,
    encode_record,
    prepare_chunk,
    write_maker_file,
)

ISSUER, KEY_NUMBER, BATCH, REGION = 7, 1, "2026-11-foshan", "440604"
MADE_AT = datetime(2026, 11, 30, 1, 30, tzinfo=UTC)
TRANSPORT_KEY = bytes.fromhex("00112233445566778899aabbccddeeff")
MASTERS = {
    kind: MasterKey(1, bytes([kind]) + bytes.fromhex("23456789abcdeffedcba9876543210"))
    for kind in CardKeyKind
}

# Common, in four bytes of GB 18030, in two that GBK has not, with a second byte of `|`, long.
NAMES = ("张伟", "𠮷娜", "刘䶮", "東億", "阿卜杜热合曼·买买提艾力·吐尔逊江·艾合买提")


@dataclass(frozen=True)
class FileSigner:
    """A `Signer` over a key in memory."""

    private: sm2.PrivateKey

    @property
    def public_key(self) -> sm2.PublicKey:
        return self.private.public_key()

    def sign(self, message: bytes) -> bytes:
        return self.private.sign(message)


ISSUER_KEY = FileSigner(sm2.PrivateKey.from_bytes(bytes(31) + b"\x11"))
MAKER_KEY = sm2.PrivateKey.from_bytes(bytes(31) + b"\x22")
CARD_KEYS = SoftwareCardKeys(MASTERS, TRANSPORT_KEY)


def identity_number(at: int, sex: str = "1") -> str:
    body = f"44060419900101{at % 50:02d}{'1' if sex == '1' else '2'}"
    return body + check_character(body)


def card_number(at: int) -> str:
    return f"FS{at:07d}"


def card(at: int = 1, **more: object) -> Personalisation:
    sex = "1" if at % 2 else "2"
    made = Personalisation(
        card_class="3",
        spec_version="3.00",
        initialising_organisation="915600000244060444060401",
        issued_on=date(2026, 11, 30),
        expires_on=date(2036, 11, 30),
        card_number=card_number(at),
        social_security_number=identity_number(at, sex),
        name=NAMES[at % len(NAMES)],
        sex=sex,
        ethnic_group="01",
        birthplace="440604",
        born_on=date(1990, 1, 1),
    )
    return made._replace(**more)


def record(at: int) -> bytes:
    """The encoded record number `at`."""
    keys = CARD_KEYS.keys_of(REGION, card_number(at))
    return encode_record(CardRecord(at, REGION, card(at), keys))


def signed_chunks(sizes: Sequence[int]) -> Iterator[SignedChunk]:
    first = 1
    for number, size in enumerate(sizes, 1):
        place = ChunkPlace(ISSUER, KEY_NUMBER, BATCH, number)
        prepared = prepare_chunk(place, [record(at) for at in range(first, first + size)])
        yield prepared.signed(ISSUER_KEY.sign(prepared.to_be_signed))
        first += size


def maker_header(sizes: Sequence[int]) -> MakerHeader:
    return MakerHeader(ISSUER, KEY_NUMBER, BATCH, MADE_AT, sum(sizes), len(sizes))


def maker_file(*sizes: int) -> bytes:
    file = io.BytesIO()
    write_maker_file(
        file,
        maker_header(sizes),
        signed_chunks(sizes),
        maker_key=MAKER_KEY.public_key(),
        signer=ISSUER_KEY,
    )
    return file.getvalue()


def row_header(records: int, partner: str = "102", **more: object) -> RowHeader:
    return replace(RowHeader(BATCH, ISSUER, partner, records, MADE_AT), **more)


def account_request(at: int = 1, **more: object) -> AccountRequest:
    person = card(at)
    made = AccountRequest(
        number=at,
        card_number=person.card_number,
        social_security_number=person.social_security_number,
        name=person.name,
        sex=person.sex,
        born_on=person.born_on,
        ethnic_group=person.ethnic_group,
        phone="13800000000",
        address="佛山市顺德区東樂路1号",
        guardian_name=None,
        guardian_number=None,
    )
    return replace(made, **more)


def made_by_hand(*rows: str, kind: str = "SSCBANKBACK", end: str = "\n", **more: Any) -> bytes:
    """A file with right counts and digest around rows of any kind."""
    charset = more.get("charset", "GB18030")
    header = more.get(
        "header",
        f"H|{kind}|1|{charset}|{BATCH}|7|102|{more.get('count', len(rows))}|20261130093000",
    )
    body = "".join(line + end for line in (header, *rows)).encode(charset.lower())
    trailer = f"T|{more.get('trailer', len(rows))}|{sm3.digest(body).hex()}{end}".encode()
    return body + trailer
