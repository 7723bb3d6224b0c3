"""A whole day at the service, and nothing of anybody in what it leaves lying about.

Every operation is asked, by whom it is for and in spoilt ways; then logs, metrics, error answers,
the database's files with their journal, and what Redis wrote to the disk are searched for every
text that belongs to somebody: names, numbers, phones, addresses, codes, card numbers, passwords,
tokens.
"""

import json
import logging
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx2
import pytest
from asks import ASKS, Ask
from bureau import HOLDER_PASSWORD, Person
from canaries import found_in
from contract_town import NOBODY, Town
from identifying import Identifying, prepared_bureau, serving
from servers import redis as redis_servers
from servers.databases import SQLiteDatabases
from servers.redis import RedisServer
from test_authority import operations, send

from card_core.store import FieldCipher, cards, holders
from scan_api.metrics import to_text
from scan_api.overload import Admission

SCANS = 20
# What stays a secret of somebody's, by the field in which it travels.
SECRET_FIELDS = frozenset(
    {
        "code",
        "text",
        "visit_token",
        "token",
        "session",
        "ticket",
        "new_password",
        "access_token",
        "client_assertion",
        "enrolment_code",
        "password",
        "card_text",
        "cryptogram",
        "challenge_id",
        "name",
        "social_security_number",
        "sign_number",
        "card_number",
        "phone",
        "clerk_salt",
        "operator",
        "department",
    }
)
# What these tell is about institutions and business types, for everybody.
PUBLIC = frozenset({"checkReceipt", "listBusinessTypes", "getTerminal", "getTrustList"})
SPOILT = "二0一canary"


def personal(holder: Any) -> set[str]:
    return {holder.name, holder.social_security_number, holder.phone, holder.address}


def numbers_of(store: Any, person: Person) -> set[str]:
    """What stands for the person outside: the numbers of card and e-card."""
    with store.read() as tx:
        card = cards.get(tx, person.card_id)
    assert card is not None
    return {card.card_number, person.sign_number}


def of_person(store: Any, person: Person) -> set[str]:
    with store.read() as tx:
        holder = holders.get(tx, person.holder_id)
    assert holder is not None
    return personal(holder)


def secrets_in(value: Any) -> Iterator[str]:
    """The texts of the fields above, wherever they are in a document."""
    match value:
        case dict():
            for name, one in value.items():
                if name in SECRET_FIELDS and isinstance(one, str):
                    yield one
                yield from secrets_in(one)
        case list():
            for one in value:
                yield from secrets_in(one)


class Day:
    """canaries: what belongs to somebody. errors: every answer that was one."""

    def __init__(self, town: Town) -> None:
        self.town = town
        self.errors: list[httpx2.Response] = []
        self.canaries = {HOLDER_PASSWORD, *town.tokens.values()}
        self.people = [town.holder, town.other_holder]
        self.card_numbers: set[str] = set()
        for person in self.people:
            self.canaries |= of_person(town.bureau.store, person)

    def run(self) -> None:
        for name, method, path, _ in operations(self.town.service.app.openapi()):
            ask = ASKS[name](self.town)
            answer = send(self.town, method, path, ask, ask.rightful)
            assert answer.status_code < 300, (name, answer.text)
            self.canaries |= set(secrets_in(ask.body))
            self.card_numbers |= {(ask.body or {}).get("card_number", "")}
            if name not in PUBLIC and "json" in answer.headers.get("content-type", ""):
                self.canaries |= set(secrets_in(answer.json()))
            self.canaries |= {token for _, token in self.town._signed_in.values()}
            ask = ASKS[name](self.town)
            for spoilt in self.spoilt(ask):
                for caller in (ask.rightful, NOBODY):
                    self._keep(send(self.town, method, path, spoilt, caller))

    def spoilt(self, ask: Ask) -> Iterator[Ask]:
        """Somebody's data where it does not belong: a field too many, a wrong field, a path."""
        number = self.town.holder.number
        if ask.path:
            yield Ask(ask.rightful, dict.fromkeys(ask.path, number), ask.body, ask.media_type)
        if ask.body is not None:
            more = {number: SPOILT, "name": self.town.holder.name}
            yield Ask(ask.rightful, ask.path, ask.body | more, ask.media_type)
            for name in ask.body:
                wrong = ask.body | {name: f"{number} {SPOILT}"}
                yield Ask(ask.rightful, ask.path, wrong, ask.media_type)

    def _keep(self, answer: httpx2.Response) -> None:
        if answer.status_code >= 400:
            self.errors.append(answer)


def metrics_text(town: Town) -> bytes:
    admission: Admission = next(
        one.kwargs["admission"]  # type: ignore[misc]
        for one in town.service.app.user_middleware
        if "admission" in one.kwargs
    )
    counted: Mapping[str, Any] = {
        "0": admission.metrics.snapshot(),
        "1": town.service.writer.metrics.snapshot(),
    }
    return to_text(counted)


def test_a_day_leaves_nothing_of_anybody_behind(
    town: Town, caplog: pytest.LogCaptureFixture
) -> None:
    # The caller's own library: what it writes at DEBUG is on the caller's machine.
    for name in ("httpx2", "httpcore", "asyncio"):
        caplog.set_level(logging.WARNING, logger=name)
    caplog.set_level(logging.DEBUG)
    day = Day(town)
    day.run()
    outside = set().union(*(numbers_of(town.bureau.store, one) for one in day.people))
    outside |= day.card_numbers
    everything = {one for one in day.canaries | outside if len(one) > 3}
    assert len(everything) > 30
    assert len(day.errors) > 100
    assert found_in(everything | {SPOILT}, caplog.text.encode()) == set()
    assert '"event": "request"' in caplog.text
    numbers = metrics_text(town)
    assert b'route="/v1/scans"' in numbers
    assert found_in(everything | {SPOILT}, numbers) == set()
    bodies = [answer.content for answer in day.errors]
    heads = [json.dumps(dict(answer.headers)).encode() for answer in day.errors]
    assert found_in(everything | {SPOILT}, *bodies, *heads) == set()
    # Cards and e-cards are known to the bureau by their numbers, which are no secret of its rows.
    stored = database_files(town)
    assert b"02121" in stored or b"01101" in stored
    assert found_in(everything - outside, stored) == set()


def database_files(town: Town) -> bytes:
    path = Path(str(town.bureau.store._engine.url.database))
    files = sorted(path.parent.glob(f"{path.name}*"))
    assert any(one.name.endswith("-wal") and one.stat().st_size for one in files)
    return b"".join(one.read_bytes() for one in files)


@pytest.fixture
def desk_and_redis(
    tmp_path: Path, sqlite_databases: SQLiteDatabases, cipher: FieldCipher
) -> Iterator[tuple[Identifying, RedisServer]]:
    # Nothing may hide in a compression.
    kept = ("save ''", "appendonly yes", "appendfsync always", "rdbcompression no")
    server = RedisServer(tmp_path / "redis", *kept)
    with (
        redis_servers.running(server),
        prepared_bureau(tmp_path, sqlite_databases, cipher) as bureau,
        serving(bureau, server.url) as desks,
    ):
        yield desks[0], server


def test_redis_keeps_nothing_of_anybody_on_its_disk(
    desk_and_redis: tuple[Identifying, RedisServer],
) -> None:
    desk, server = desk_and_redis
    store = desk.service.bureau.store
    canaries: set[str] = set()
    for person in desk.service.bureau.people(3):
        canaries |= of_person(store, person) | numbers_of(store, person) | {person.holder_id}
        for _ in range(SCANS):
            code = desk.mint(person)
            verdict = desk.scan(code, operator="clerk-canary", department="desk-canary")
            assert verdict["outcome"] == "accepted"
            canaries |= {code, verdict["pseudonym"], "clerk-canary", "desk-canary"}
    keys = server.client().keys()
    server.client().save()
    written = b"".join(one.read_bytes() for one in server.home.rglob("*") if one.is_file())
    assert keys
    assert all(key in written for key in keys)
    assert found_in(canaries, written) == set()
