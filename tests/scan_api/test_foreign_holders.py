"""A holder of another issuer before a terminal with no network."""

from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from offline_rig import OfflineTerminal, Ward, back
from phone import Phone, publisher_of, registered_phone
from region import NEIGHBOUR, Region
from scan_service import ScanService
from test_peer_lists import fetcher_of, made, todays, why_not

from card_core.bundles import Bundle, open_trust_lists
from card_core.business_types import ALL_PURPOSES
from card_core.codes import KeyPurpose, KeyState, PurposeClass
from card_core.kernel.acts.cards import CancelCard, CancelReason, ReportTemporaryLoss
from card_core.kernel.acts.devices import RemoveDevice
from card_core.kernel.acts.status import SetOfflinePolicy
from card_core.status_list import MalformedListError, OlderListError
from card_core.store import offline_scans
from card_core.trust import TrustedIssuer
from scan_api.issuers.fetching import PeerListFetcher


@dataclass
class Visit:
    """The neighbour's holder with a phone, at our hospital's terminal."""

    region: Region
    ward: Ward
    phone: Phone
    terminal: OfflineTerminal = field(init=False)
    fetcher: PeerListFetcher = field(init=False)

    def __post_init__(self) -> None:
        self.fetcher = fetcher_of(self.region.ours)
        self.publish()
        self.terminal = self.ward.terminal()

    @property
    def theirs(self) -> ScanService:
        return self.region.theirs

    def publish(self) -> None:
        """What both services do in the background."""
        publisher_of(self.theirs.bureau).round()
        self.fetcher.round()
        publisher_of(self.region.ours.bureau).round()

    def carry(self) -> None:
        """Everything that is published reaches the terminal."""
        self.publish()
        self.terminal.rounds.round()

    def show(self, **how: object) -> str:
        return self.phone.show(self.region.ours.clock(), **how)  # type: ignore[arg-type]

    def offline(self, code: str = "", **more: object) -> str:
        """What the terminal says with its network cut."""
        self.terminal.network.is_up = False
        try:
            return self.terminal.reason(code or self.show(), **more)  # type: ignore[arg-type]
        finally:
            self.terminal.network.is_up = True


@pytest.fixture
def visit(visited: Region, tmp_path: Path) -> Visit:
    phone = registered_phone(visited.theirs.bureau, visited.theirs.person, days=2)
    return Visit(visited, Ward(visited.ours, tmp_path), phone)


def test_a_neighbours_holder_is_accepted_once_with_no_network(visit: Visit) -> None:
    text = visit.show()
    visit.terminal.network.is_up = False
    verdict = visit.terminal.scan(text)
    assert (verdict["outcome"], verdict["offline"], verdict["list_age_seconds"]) == (
        "accepted",
        True,
        0,
    )
    assert visit.terminal.restarted().reason(text) == "already_used"
    # An online code of the neighbour's carries no status, as our own: genuine and in time.
    assert visit.terminal.reason(visit.theirs.mint()) == "accepted"


def test_what_the_neighbour_revoked_is_refused_with_no_network(visit: Visit) -> None:
    bureau, person = visit.theirs.bureau, visit.theirs.person
    removed = registered_phone(bureau, person, days=1)
    clock = visit.region.ours.clock
    assert [visit.offline(), visit.offline(removed.show(clock()))] == ["accepted", "accepted"]
    bureau.perform(RemoveDevice(removed.device_id), person.actor)
    visit.carry()
    assert visit.offline(removed.show(clock())) == "credential_withdrawn"
    assert visit.offline() == "accepted"
    bureau.perform(ReportTemporaryLoss(person.card_id), person.actor)
    visit.carry()
    assert visit.offline() == "card_lost"
    bureau.decide(CancelCard(person.card_id, CancelReason.DEATH), bureau.maker)
    visit.carry()
    assert visit.offline() == "card_cancelled"
    visit.terminal.network.is_up = False
    assert visit.terminal.restarted().reason(visit.show()) == "card_cancelled"


def test_without_the_neighbours_list_of_the_day_nothing_is_accepted(visit: Visit) -> None:
    clock = visit.region.ours.clock
    (path,) = visit.terminal.folder.glob(f"list-{NEIGHBOUR}-{todays(visit.region)}")
    kept = path.read_bytes()
    path.unlink()
    alone = visit.terminal.restarted()
    alone.network.is_up = False
    assert alone.reason(visit.show()) == "list_missing"
    # Nor is it by the list of another issuer or day under its name.
    (ours,) = visit.terminal.folder.glob(f"list-1-{todays(visit.region)}")
    path.write_bytes(ours.read_bytes())
    assert (
        visit.terminal.restarted().desk.carried.list_at(
            (NEIGHBOUR, min(visit.phone.credentials)), clock()
        )
        is None
    )
    path.write_bytes(kept)
    back_again = visit.terminal.restarted()
    back_again.network.is_up = False
    assert back_again.reason(visit.show()) == "accepted"
    # The neighbour falls silent: its list grows stale, and then too old, while ours is fresh.
    visit.region.network.cut = True
    clock.now = min(visit.phone.credentials) - timedelta(hours=5)
    visit.region.network.cut = False
    visit.carry()
    visit.region.network.cut = True
    clock.advance(86_401)
    visit.carry()
    tomorrow = max(visit.phone.credentials)
    assert visit.offline(visit.show(day=tomorrow)) == "list_expired"


def test_a_list_rolled_back_is_refused_by_service_and_terminal(visit: Visit) -> None:
    region = visit.region
    assert why_not(region, made(region, version=40)) == "taken"
    visit.terminal.rounds.round()
    name = (NEIGHBOUR, min(visit.phone.credentials))
    assert visit.terminal.carried.view.lists[name].head.version == 40
    assert visit.fetcher.round() == 0  # the neighbour's own is at 1
    older = visit.terminal.carried.view.lists[name]
    with pytest.raises(OlderListError):
        visit.terminal.carried.take_list(made(region, version=39), name, region.ours.clock())
    assert visit.terminal.carried.view.lists[name] == older
    # Nor is it taken for the list of a day that the terminal has none of.
    another = (NEIGHBOUR, max(visit.phone.credentials) + timedelta(days=1))
    with pytest.raises(MalformedListError):
        visit.terminal.carried.take_list(made(region, version=41), another, region.ours.clock())


def test_whom_the_trust_list_no_longer_names_is_nobody(visit: Visit) -> None:
    region, clock = visit.region, visit.region.ours.clock

    def by_a_list(**how: Any) -> str:
        region.trust_each_other(**how)
        visit.carry()
        return visit.offline()

    assert by_a_list(ours=False) == "unknown_key"
    assert by_a_list(states={KeyPurpose.STATUS: KeyState.REVOKED}) == "list_missing"
    assert by_a_list(states={KeyPurpose.DEVICE_CREDENTIAL: KeyState.REVOKED}) == "key_not_active"
    # A list that expires while the network is away ends the trust by itself.
    assert by_a_list(days=2 / 24) == "accepted"
    clock.advance(2 * 3600 - 1)
    assert visit.offline() == "accepted"
    clock.advance(1)
    assert visit.offline() == "unknown_key"


def test_a_trust_list_that_its_authority_did_not_sign_names_nobody(visit: Visit) -> None:
    """Whatever stands in a bundle: the terminal looks at the authority's signature itself."""
    bundle = visit.terminal.carried.view.bundle
    assert bundle is not None
    (document,) = bundle.content.trust_lists
    assert [one.number for one in opened(document, bundle)] == [NEIGHBOUR]
    at = document.index(b'"signature": "') + 20
    forged = document[:at] + bytes([document[at] ^ 1]) + document[at + 1 :]
    assert opened(forged, bundle) == []
    assert opened(document, bundle, authorities=()) == []


def opened(document: bytes, bundle: Bundle, **changed: object) -> list[TrustedIssuer]:
    values = {"trust_lists": (document,)}
    if "authorities" in changed:
        values["trust_authorities"] = changed["authorities"]  # type: ignore[assignment]
    content = replace(bundle.content, **values)
    lists = open_trust_lists(replace(bundle, content=content))
    return [issuer for one in lists for issuer in one.issuers]


def test_nothing_is_consumed_by_a_holder_whose_issuer_did_not_allow_it(visit: Visit) -> None:
    ours = visit.region.ours
    ours.bureau.decide(SetOfflinePolicy(True, 3, 1000), ours.bureau.administrator)
    visit.carry()
    text = visit.show(purposes=ALL_PURPOSES, purpose_class=PurposeClass.ANY_USE)
    assert visit.offline(text, business_type="01301", amount_fen=1) == "offline_not_allowed"
    own = registered_phone(ours.bureau, ours.person, days=1)
    text = own.show(ours.clock(), purposes=ALL_PURPOSES, purpose_class=PurposeClass.ANY_USE)
    assert visit.offline(text, business_type="01301", amount_fen=1) == "accepted"


def test_records_of_foreign_holders_are_kept_and_their_doubles_paired(visit: Visit) -> None:
    second, ours = visit.ward.cut_off(), visit.region.ours
    text, online = visit.show(), visit.theirs.mint()
    assert visit.offline(text, request_id="r1") == "accepted"
    assert second.reason(text, request_id="r2") == "accepted"
    # One that its issuer accepts online at our counter meets the record of the terminal without.
    assert second.reason(online, request_id="r3") == "accepted"
    scan_id = visit.region.scan(online)["scan_id"]
    visit.terminal.rounds.round()
    assert visit.terminal.journal.outcomes() == {"r1": "other_issuer"}
    assert back(second) == {"r2": "double", "r3": "double"}
    with ours.bureau.store.read() as tx:
        firsts = {pair.first_id for pair in offline_scans.pairs(tx)}
    assert len(firsts) == 2
    assert scan_id in firsts
    # What was handed in is no longer accepted online; the phone's other codes are.
    text, other = (visit.show(purpose_class=PurposeClass.ANY_USE) for _ in range(2))
    assert visit.offline(text) == "accepted"
    visit.terminal.rounds.round()
    verdict = visit.region.scan(text)
    assert (verdict["reason"], verdict["holder"], verdict["receipt"]) == (
        "already_used",
        None,
        None,
    )
    # The phone's codes are taken online, too, by its own issuer.
    accepted = visit.region.scan(other)
    assert (accepted["outcome"], accepted["medium"]) == ("accepted", "offline_code")
    assert accepted["holder"]["name"] == visit.theirs.person.name
