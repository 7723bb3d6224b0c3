"""Requests that are ready to be sent: each code new, each request of one of the terminals.

What a scan of a kind is made of stands here and nowhere else: `IDENTIFY` and `CONSUME` say which
codes and business types are measured, and how a terminal proves itself for each.
"""

import json
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import cycle
from pathlib import Path

from benchmarks.bench_scan.bureau import Ground, Terminal
from card_core import codes
from card_core.business_types import ALL_PURPOSES
from card_core.codes import KeyPurpose, OnlineCode, PurposeClass
from card_core.kernel import Actor, ActorKind, BoxKeyWrap
from card_core.kernel.acts.set_up import EnsureBoxKey
from card_core.kernel.box_keys import BOX_KEY_SIZE_BYTES, box_day
from card_core.signing import SigningKeys
from card_core.store import box_keys
from issuance.installation import random_bytes, utc_now
from scan_api.signed_requests import NONCE_BYTES, authorization
from scan_api.terminals.access_tokens import LIFE_SECONDS, AccessTokens
from scan_api.terminals.registry import key_name

TARGET = "/v1/scans"


@dataclass(frozen=True)
class Kind:
    """What is scanned, and for what."""

    name: str
    purpose_class: PurposeClass
    business_type: str
    amount_fen: int | None = None
    by_token: bool = False


# What consumes is signed; the rest may show the access token that a signature bought.
IDENTIFY = Kind("identify", PurposeClass.IDENTIFY_ONLY, "01101", by_token=True)
CONSUME = Kind("consume", PurposeClass.ANY_USE, "01301", amount_fen=4580)


class Press:
    """Makes codes as the holder service makes them, without asking the database for each."""

    def __init__(self, ground: Ground) -> None:
        site = ground.site
        self._ground = ground
        self._issuer = site.facts.issuer
        found = SigningKeys(site.store, site.keys, issuer=self._issuer, clock=utc_now)
        self._key = found.current(KeyPurpose.CODE_SIGNING)
        self._wrap = BoxKeyWrap(site.keys.secret("box_wrap"))
        self._tokens = AccessTokens(site.store.cipher, random_bytes=random_bytes)
        self._bearers: dict[bytes, tuple[datetime, str]] = {}
        self.store = site.store
        self._ecards = cycle(ground.ecards)
        self._terminals = cycle(ground.terminals)

    def requests(self, kind: Kind, count: int) -> list[bytes]:
        """Raw HTTP requests for codes that are minted now and good for the next 60 s."""
        pairs = zip(self.codes(kind, count), self._terminals, strict=False)
        return [self.request(kind, code, terminal) for code, terminal in pairs]

    def codes(self, kind: Kind, count: int, *, minted_at: datetime | None = None) -> list[str]:
        """minted_at: whole seconds, aware; now, unless it is given."""
        at = minted_at or datetime.now(UTC).replace(microsecond=0)
        box_key = self._box_key(at)
        return [self._code(kind, at, box_key) for _ in range(count)]

    def request(
        self,
        kind: Kind,
        code: str,
        terminal: Terminal,
        *,
        request_id: str | None = None,
        signed_at: datetime | None = None,
    ) -> bytes:
        """One raw HTTP request. request_id: one of its own, signed_at: now, unless given."""
        fields = {
            "code": code,
            "business_type": kind.business_type,
            "request_id": request_id or os.urandom(12).hex(),
            "amount_fen": kind.amount_fen,
        }
        body = json.dumps({name: value for name, value in fields.items() if value}).encode()
        at = signed_at or utc_now()
        shown = self._bearer(terminal, at) if kind.by_token else _signature(terminal, body, at)
        return post(body, authorization=shown)

    def _bearer(self, terminal: Terminal, now: datetime) -> str:
        """As the service issues it, kept for as long as the terminal would keep it."""
        known = self._bearers.get(terminal.serial_number)
        if known is None or abs(now - known[0]) > timedelta(seconds=LIFE_SECONDS / 2):
            point = terminal.key.public_key().to_bytes(compressed=True)
            token = self._tokens.issue(terminal.serial_number, key_name(point), now)
            known = self._bearers[terminal.serial_number] = (now, f"Bearer {token}")
        return known[1]

    def _code(self, kind: Kind, now: datetime, box_key: bytes) -> str:
        box = codes.seal_box(box_key, next(self._ecards), os.urandom(8))
        code = OnlineCode(
            self._issuer, self._key.number, now, kind.purpose_class, ALL_PURPOSES, box
        )
        to_be_signed = code.to_be_signed()
        return codes.assemble(to_be_signed, self._key.signer.sign(to_be_signed))

    def _box_key(self, now: datetime) -> bytes:
        """The day's key, which the first code of the day makes."""
        site, day = self._ground.site, box_day(now)
        with site.store.read() as tx:
            wrapped = box_keys.get(tx, day)
        if wrapped is None:
            new = self._wrap.wrap(day, random_bytes(BOX_KEY_SIZE_BYTES), random_bytes(12))
            answer = site.kernel.perform(
                EnsureBoxKey(day, new),
                actor=Actor(ActorKind.SYSTEM, "minting"),
                request_id=random_bytes(16).hex(),
            )
            wrapped = bytes.fromhex(answer["wrapped"])
        return self._wrap.unwrap(day, wrapped)


def _signature(terminal: Terminal, body: bytes, at: datetime) -> str:
    return authorization(
        terminal.key,
        terminal.serial_number,
        method="POST",
        target=TARGET,
        body=body,
        signed_at=int(at.timestamp()),
        nonce=os.urandom(NONCE_BYTES),
    )


def post(body: bytes, **headers: str) -> bytes:
    """One POST to the scans' address, as it goes over the wire."""
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    head = (
        f"POST {TARGET} HTTP/1.1\r\nhost: sscard\r\ncontent-type: application/json\r\n"
        f"content-length: {len(body)}\r\n{lines}\r\n"
    )
    return head.encode() + body


def write(requests: Iterable[bytes], path: Path) -> Path:
    """In the form that the load generator reads."""
    path.write_bytes(b"".join(_framed(requests)))
    return path


def _framed(requests: Iterable[bytes]) -> Iterator[bytes]:
    for request in requests:
        yield len(request).to_bytes(4)
        yield request
