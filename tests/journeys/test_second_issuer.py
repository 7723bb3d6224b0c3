"""A holder of another issuer at our counter: two services, two installations, one terminal.

Each is a process of its own: `sscard serve` twice, `sscard terminal serve` once.
"""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from phone import day_ends
from running_service import until
from terminal_process import counter_at
from town import SERIAL, Town, founded

from card_core.codes import PurposeClass
from card_core.signing import SigningKeys
from card_core.status_publishing import StatusPublisher
from card_core.store import institutions, offline_scans
from issuance.installation import random_bytes, utc_now

OURS, THEIRS = 21, 22
WAIT_SECONDS = 60


@pytest.fixture
def towns(tmp_path: Path) -> Iterator[tuple[Town, Town]]:
    with founded(tmp_path / "ours", OURS) as ours, founded(tmp_path / "theirs", THEIRS) as theirs:
        yield ours, theirs


def publish(town: Town) -> None:
    """At once what the service would do within 15 s; several processes may."""
    site = town.site
    keys = SigningKeys(site.store, site.keys, issuer=town.issuer, clock=utc_now)
    StatusPublisher(site.store, site.kernel, keys, clock=utc_now, random_bytes=random_bytes).round()


def carried(folder: Path) -> Path:
    """The file of the neighbour's list of today at the terminal."""
    day = int(day_ends(utc_now(), 1)[0].timestamp())
    return folder / "offline" / f"list-{THEIRS}-{day}"


def outcomes(town: Town, *request_ids: str) -> dict[str, str]:
    with town.site.store.read() as tx:
        terminal = institutions.terminal_by_serial(tx, SERIAL)
        assert terminal is not None
        found = offline_scans.of_requests(tx, terminal.id, request_ids)
    return {name: one.outcome.value for name, one in found.items()}


def test_a_neighbours_holders_online_and_with_no_network(towns: tuple[Town, Town]) -> None:
    ours, theirs = towns
    good, lost = theirs.citizens(2)
    folder = ours.terminal()
    theirs.trust(ours.entry(None))
    with ExitStack() as stack:
        address = stack.enter_context(theirs.served()).address
        for citizen in (good, lost):
            stack.enter_context(citizen.with_phone(address))
        # Their list has revoked entries before anybody of ours has seen it.
        lost.report_loss()
        publish(theirs)
        ours.trust(theirs.entry(f"http://{address}"))
        with ours.served() as service, counter_at(folder, f"http://{service.address}") as counter:
            port = service.address.split(":")[1]
            assert until(carried(folder).exists, WAIT_SECONDS), ours.running.log
            text = good.app.phone.show(utc_now(), purpose_class=PurposeClass.ANY_USE)
            online = counter.scan(text, "online-1")
            assert (online["outcome"], online["offline"]) == ("accepted", False), online
            assert online["holder"]["name"].startswith("测试")
            again = counter.scan(text, "online-2")
            assert (again["reason"], again["offline"]) == ("already_used", False), again
            refused = counter.scan(lost.app.phone.show(utc_now()), "online-3")
            assert (refused["reason"], refused["offline"]) == ("card_lost", False), refused
            service.process.kill()
            service.process.wait()
            # From here on the terminal is alone.
            shown = good.show()
            first, second = counter.scan(shown, "r1"), counter.scan(shown, "r2")
            assert (first["outcome"], first["offline"]) == ("accepted", True), first
            assert (second["reason"], second["offline"]) == ("already_used", True), second
            by_list = counter.scan(lost.show(), "r3")
            assert (by_list["reason"], by_list["offline"]) == ("card_lost", True), by_list
            with ours.served("--port", port):
                assert until(lambda: outcomes(ours, "r1", "r3"), WAIT_SECONDS), ours.running.log
                assert outcomes(ours, "r1", "r3") == {"r1": "other_issuer"}
