"""Keys change under load, and are revoked in an emergency: four real workers on PostgreSQL.

Clocks are real here, so the lead and the overlap of keys are waited for, not skipped. The short run
has one rotation, with a shorter lead, decided through the kernel of this process; the long one has
three, by command. Codes are minted by the workers, too.
"""

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from installation import Installation, connections_to_each
from outside import Connection, Holder, Terminal
from running_service import until

from benchmarks.bench_scan.bureau import HOSPITAL
from card_core import business_types, codes
from card_core.codes import KeyPurpose, KeyState, key_life, key_name
from card_core.kernel.acts import issuer_keys
from card_core.kernel.acts.issuer_keys import (
    ActivateIssuerKey,
    RegisterIssuerKey,
    RevocationCause,
    RevokeIssuerKey,
)
from card_core.store import issuers

CODES = KeyPurpose.CODE_SIGNING
THREADS = 8
REVOKED_SECONDS_MAX = 5.0
POLL_SECONDS = 0.1
STOCK = 60
ONLINE_CODE_BYTES = 103
KEY_NUMBER_AT = 3


@dataclass
class Lane:
    """What one thread of the load has: a holder and a terminal, on connections to one worker."""

    holder: Holder
    terminal: Terminal
    connection: Connection

    def scan(self) -> str:
        return self.terminal.scan(self.holder.code(self.connection), by=self.connection).word


@pytest.fixture
def lanes(town: Installation) -> Iterator[list[Lane]]:
    """Two to each worker."""
    each = connections_to_each(town.service, THREADS // 4)
    yield [
        Lane(town.sign_in(town.person()), town.terminal(HOSPITAL), one)
        for several in each
        for one in several
    ]
    for several in each:
        for one in several:
            one.close()


def keys_of(town: Installation) -> list[codes.CodeKey]:
    with town.ground.site.store.read() as tx:
        found = issuers.keys(tx)
    return [key for key in found if key.purpose is CODES]


def wait_until_signing(holder: Holder, number: int, seconds: float) -> None:
    """Until codes carry this key's number (docs/code-format.md, section 2), and a second longer."""

    def signs() -> bool:
        answer = holder.post("/v1/holder/codes")
        if answer.status != 201:
            return False
        data = int(answer.body["text"][4:]).to_bytes(ONLINE_CODE_BYTES)
        return data[KEY_NUMBER_AT] == number

    assert until(signs, seconds), f"key {number} never signed"
    threading.Event().wait(1.0)


def under_load(lanes: list[Lane], rate: float, work: Callable[[], None]) -> Counter[str]:
    """Mint and scan at this rate as long as the work lasts; how often each answer came."""
    reasons: Counter[str] = Counter()
    stop, lock = threading.Event(), threading.Lock()

    def load(lane: Lane) -> None:
        due = time.monotonic()
        while not stop.is_set():
            reason = lane.scan()
            with lock:
                reasons[reason] += 1
            due += len(lanes) / rate
            stop.wait(max(0.0, due - time.monotonic()))

    with ThreadPoolExecutor(len(lanes)) as threads:
        running = [threads.submit(load, lane) for lane in lanes]
        began = time.monotonic()
        try:
            work()
        finally:
            seconds = time.monotonic() - began
            stop.set()
        for one in running:
            one.result()
    print(f"scans: {dict(reasons)}, {sum(reasons.values()) / seconds:.0f} a second")
    return reasons


@dataclass
class Ceremony:
    """Two people at a keyboard decide on keys: through the kernel, or by command."""

    town: Installation
    by_command: bool = False

    @property
    def lead_seconds(self) -> float:
        return issuer_keys.ACTIVATION_LEAD.total_seconds()

    def register(self) -> int:
        """The number of the next key, pending."""
        number, site = max(key.number for key in keys_of(self.town)) + 1, self.town.ground.site
        if self.by_command:
            self._command("rotate")
            return number
        name = key_name(CODES, site.facts.issuer, number)
        site.keys.create_signer(name)
        point = site.keys.signer(name).public_key.to_bytes(compressed=True)
        self.town.decide(RegisterIssuerKey(site.facts.issuer, number, point))
        return number

    def activate(self, number: int) -> None:
        if self.by_command:
            self._command("activate", str(number))
        else:
            self.town.decide(ActivateIssuerKey(CODES, number))

    def revoke(self, number: int, successor: int) -> None:
        if self.by_command:
            self._command("revoke", str(number), "--cause", "leaked", "--successor", str(successor))
        else:
            self.town.decide(RevokeIssuerKey(CODES, number, RevocationCause.LEAKED, successor))

    def _command(self, *arguments: str) -> None:
        together = ("--operator", "admin", "--with", "checker", "--yes")
        self.town.command("keys", *arguments, *together)


@pytest.fixture
def short_lead(monkeypatch: pytest.MonkeyPatch) -> None:
    """As long as a ring may be old, on one machine with one clock."""
    lead = timedelta(seconds=key_life.RING_AGE_SECONDS_MAX + 1)
    monkeypatch.setattr(issuer_keys, "ACTIVATION_LEAD", lead)


def check_rotations(lanes: list[Lane], ceremony: Ceremony, *, rotations: int, rate: float) -> None:
    watcher = ceremony.town.sign_in(ceremony.town.person())

    def rotate() -> None:
        for _ in range(rotations):
            number = ceremony.register()
            ceremony.activate(number)
            wait_until_signing(watcher, number, ceremony.lead_seconds + 10)

    reasons = under_load(lanes, rate, rotate)
    assert set(reasons) == {"accepted"}, reasons
    assert reasons["accepted"] > len(lanes)


def check_revocation(ceremony: Ceremony) -> None:
    town = ceremony.town
    connections = [one for (one,) in connections_to_each(town.service)]
    holders = [town.sign_in(town.person()) for _ in connections]
    terminals = [town.terminal(HOSPITAL) for _ in connections]
    successor = ceremony.register()
    # Codes of the key that leaks, more than are needed, minted while it was good.
    stock = [[holder.code() for _ in range(STOCK)] for holder in holders]
    ceremony.revoke(successor - 1, successor)
    returned_at = time.monotonic()

    def poll(at: int) -> tuple[float, set[str]]:
        """When this worker last accepted, and what it says from 5 s on."""
        last, later = 0.0, set()
        for code in stock[at]:
            since = time.monotonic() - returned_at
            reason = terminals[at].scan(code, by=connections[at]).word
            if reason == "accepted":
                last = max(last, since)
            if since > REVOKED_SECONDS_MAX:
                later.add(reason)
                return last, later
            threading.Event().wait(POLL_SECONDS)
        return last, later

    with ThreadPoolExecutor(len(connections)) as threads:
        found = list(threads.map(poll, range(len(connections))))
    print("last accepted after the revocation, s:", [round(last, 2) for last, _ in found])
    assert all(last < REVOKED_SECONDS_MAX for last, _ in found), found
    assert [later for _, later in found] == [{"key_not_active"}] * len(connections)
    # Holders are told to wait, and then have codes of the next key.
    wait_until_signing(holders[0], successor, ceremony.lead_seconds + 10)
    assert terminals[0].scan(holders[0].code(), by=connections[0]).word == "accepted"


@pytest.mark.usefixtures("short_lead")
def test_a_rotation_under_load_refuses_no_good_code(town: Installation, lanes: list[Lane]) -> None:
    check_rotations(lanes, Ceremony(town), rotations=1, rate=40)


@pytest.mark.usefixtures("short_lead")
def test_an_emergency_revocation_is_in_force_on_every_worker_within_5_seconds(
    town: Installation,
) -> None:
    check_revocation(Ceremony(town))


@pytest.mark.long
def test_an_emergency_revocation_by_command(town: Installation) -> None:
    check_revocation(Ceremony(town, by_command=True))


@pytest.mark.long
def test_three_rotations_by_command_at_200_scans_a_second_and_the_old_key_ends(
    town: Installation, lanes: list[Lane]
) -> None:
    """What rate the machine really gave is printed: one process signs and asks here."""
    check_rotations(lanes, Ceremony(town, by_command=True), rotations=3, rate=200)
    site = town.ground.site
    # The last but one signed until now; whoever has its private half makes fresh codes with it.
    superseded = keys_of(town)[-2]
    assert superseded.state is KeyState.VERIFY_ONLY
    end = key_life.ends_at(superseded)
    assert end is not None
    while datetime.now(UTC) < end + timedelta(seconds=1):
        threading.Event().wait(0.2)
    forged = codes.OnlineCode(
        site.facts.issuer,
        superseded.number,
        datetime.now(UTC),
        codes.PurposeClass.ANY_USE,
        business_types.ALL_PURPOSES,
        bytes(16),
    ).to_be_signed()
    text = codes.assemble(forged, site.keys.signer(superseded.name).sign(forged))
    for (connection,) in connections_to_each(town.service):
        assert lanes[0].terminal.scan(text, by=connection).word == "key_not_active"
