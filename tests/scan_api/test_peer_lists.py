"""Another issuer's status lists: fetched by our service, believed for its own status key alone."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from bureau import ISSUER, SYSTEM, MemorySigner
from phone import Phone, day_ends, publisher_of, registered_phone
from region import NEIGHBOUR, Region, name
from scan_service import ScanService

from card_core.codes import KeyPurpose, KeyState
from card_core.errors import CardCoreError
from card_core.kernel.acts.cards import ReportTemporaryLoss
from card_core.kernel.acts.peer_lists import TakePeerList, held_list
from card_core.signing import SigningKey
from card_core.status_list import (
    CredentialState,
    ListHead,
    StatusList,
    assemble_list,
    make_changes,
)
from card_core.store import audit, status_lists
from crypto import sm2, sm3
from scan_api.issuers.fetching import PeerListFetcher
from scan_api.issuers.signatures import NONCE_BYTES, Question, authorization

SIZE = 1 << 24


def fetcher_of(service: ScanService) -> PeerListFetcher:
    """What a serving process has in the background."""
    bureau = service.bureau
    return PeerListFetcher(
        bureau.store,
        bureau.kernel,
        service.channel,
        clock=bureau.clock,
        random_bytes=bureau.kernel.random_bytes,
    )


def stored(region: Region) -> status_lists.ListVersion | None:
    with region.ours.bureau.store.read() as tx:
        return status_lists.latest(tx, NEIGHBOUR, todays(region))


def todays(region: Region) -> int:
    return int(day_ends(region.ours.clock(), 1)[0].timestamp())


def state_of(region: Region, phone: Phone) -> CredentialState:
    latest = stored(region)
    assert latest is not None
    (credential,) = phone.credentials.values()
    return held_list(latest).state(int.from_bytes(credential[12:16]))


def test_lists_are_fetched_and_followed_by_updates(visited: Region) -> None:
    theirs, fetcher = visited.theirs.bureau, fetcher_of(visited.ours)
    phone = registered_phone(theirs, visited.theirs.person, days=1)
    # Today's, and tomorrow's so that it is here when terminals need it.
    assert (fetcher.round(), fetcher.round()) == (2, 0)
    assert state_of(visited, phone) is CredentialState.GOOD
    visited.network.requests.clear()
    theirs.perform(ReportTemporaryLoss(visited.theirs.person.card_id), visited.theirs.person.actor)
    publisher_of(theirs).round()
    assert fetcher.round() == 1
    assert all("?have=1" in str(request.url) for request in visited.network.requests)
    assert state_of(visited, phone) is CredentialState.SUSPENDED
    with visited.ours.bureau.store.read() as tx:
        audit.verify_chain(tx, "bureau")
        audit.verify_rows(tx)


def test_an_issuer_that_is_away_leaves_what_is_here(visited: Region) -> None:
    fetcher = fetcher_of(visited.ours)
    assert fetcher.round() == 2
    before = stored(visited)
    visited.ours.clock.advance(160)
    publisher_of(visited.theirs.bureau).round()
    visited.network.cut = True
    assert fetcher.round() == 0
    visited.network.cut = False
    for how in (
        {"body": b"\x13" + bytes(200)},
        {"headers": {}},
        {"status": 503},
        {"body": bytes(9 * 1024 * 1024)},
    ):
        visited.network.replacing = how
        assert fetcher.round() == 0
    assert stored(visited) == before
    visited.network.replacing = {}
    assert fetcher.round() == 2
    # Who has no address for lists, or is not trusted, is not asked at all.
    visited.network.requests.clear()
    visited.lists = False
    visited.trust_each_other()
    assert fetcher.round() == 0
    visited.lists = True
    visited.trust_each_other(ours=False)
    assert fetcher.round() == 0
    assert visited.network.requests == []


def made(region: Region, signer: MemorySigner | None = None, **changed: Any) -> bytes:
    """A whole list of the neighbour's for today, with one position suspended."""
    body = StatusList(SIZE, []).apply(make_changes(SIZE, [(7, 1)])).encode()
    head = ListHead(
        issuer=NEIGHBOUR,
        key_number=1,
        day_ends_at=day_ends(region.ours.clock(), 1)[0],
        version=5,
        issued_at=region.ours.clock().replace(microsecond=0),
        fresh_for_seconds=300,
        usable_for_seconds=86_400,
        size=SIZE,
        digest=sm3.digest(body),
    )
    head = replace(head, **changed)
    signer = signer or region.theirs.bureau.keys.make(name(region.theirs.bureau, KeyPurpose.STATUS))
    return assemble_list(head, signer.sign(head.to_be_signed()), body)


def why_not(region: Region, data: bytes) -> str:
    bureau = region.ours.bureau
    try:
        bureau.perform(TakePeerList(NEIGHBOUR, day_ends(bureau.clock(), 1)[0], data), SYSTEM)
    except CardCoreError as error:
        return error.code
    return "taken"


def test_a_list_that_can_not_be_believed_is_not_taken(visited: Region) -> None:
    now, day = visited.ours.clock().replace(microsecond=0), day_ends(visited.ours.clock(), 1)[0]
    # The first that comes has nothing before it to be compared with.
    ours = visited.ours.bureau.keys.make(name(visited.ours.bureau, KeyPurpose.STATUS))
    tomorrow = day + timedelta(days=1)
    assert why_not(visited, made(visited, ours, issuer=ISSUER)) == "status_list_not_genuine"
    assert why_not(visited, made(visited, day_ends_at=tomorrow)) == "status_list_not_genuine"
    assert stored(visited) is None
    assert why_not(visited, made(visited)) == "taken"
    kept = stored(visited)
    theirs = visited.theirs.bureau
    code_key = theirs.keys.make(name(theirs, KeyPurpose.CODE_SIGNING))
    stranger = MemorySigner(sm2.PrivateKey.generate())
    not_genuine: list[dict[str, Any]] = [
        {"signer": stranger},
        {"signer": code_key},
        {"key_number": 2},
        {"issued_at": now + timedelta(seconds=301)},
        {"issued_at": now - timedelta(seconds=86_401)},
    ]
    for how in not_genuine:
        data = made(visited, **{"version": 6, **how})
        assert why_not(visited, data) == "status_list_not_genuine", how
    assert why_not(visited, made(visited, version=4)) == "older_status_list"
    for other in ({"issuer": ISSUER}, {"day_ends_at": tomorrow}):
        assert why_not(visited, made(visited, **{"version": 6, **other})) != "taken", other
    whole = made(visited, version=6)
    assert why_not(visited, whole[:-1] + bytes([whole[-1] ^ 1])) == "malformed_status_list"
    visited.trust_each_other(states={KeyPurpose.STATUS: KeyState.REVOKED})
    assert why_not(visited, whole) == "status_list_not_genuine"
    visited.trust_each_other(ours=False)
    assert why_not(visited, whole) == "not_found"
    assert stored(visited) == kept
    visited.trust_each_other(days=1)
    assert why_not(visited, whole) == "taken"


def test_of_versions_that_never_were_here_terminals_still_get_updates(visited: Region) -> None:
    for version in (5, 9):
        assert why_not(visited, made(visited, version=version)) == "taken"
    target = f"/v1/terminal/status-lists/{NEIGHBOUR}/{todays(visited)}"

    def first_byte(have: int) -> int:
        asked = f"{target}?have={have}"
        signed = visited.ours.hospital.authorization("GET", asked)
        return visited.ours.http.get(asked, headers={"Authorization": signed}).content[0]

    assert [first_byte(have) for have in (5, 9)] == [0x14, 0x14]
    assert [first_byte(have) for have in (4, 6, 8)] == [0x13, 0x13, 0x13]


def test_lists_are_told_to_trusted_issuers_alone_and_each_question_once(visited: Region) -> None:
    target = f"/v1/peer-status-lists/{todays(visited)}"
    ours = visited.ours.bureau
    peer = ours.keys.make(name(ours, KeyPurpose.PEER))

    def ask(
        at: str = target, *, signer: MemorySigner = peer, header: str = "", **other: Any
    ) -> tuple[int, str]:
        question: dict[str, Any] = {
            "method": "GET",
            "target": at,
            "asking": ISSUER,
            "asked": NEIGHBOUR,
            "signed_at": int(ours.clock().timestamp()),
            "nonce": ours.kernel.random_bytes(NONCE_BYTES),
            "body": b"",
        }
        signed = header or authorization(Question(**question | other), SigningKey(1, signer))
        answer = visited.theirs.http.get(at, headers={"Authorization": signed})
        return answer.status_code, signed

    status, header = ask()
    assert status == 200
    assert ask(header=header)[0] == 401
    assert ask(signer=MemorySigner(sm2.PrivateKey.generate()))[0] == 401
    assert ask(asked=3)[0] == 401
    assert ask(target=f"{target}?have=1")[0] == 401
    assert ask(f"/v1/peer-status-lists/{todays(visited) + 86_400 * 5}")[0] == 404
    assert visited.theirs.http.get(target).status_code == 401
    visited.trust_each_other(theirs=False)
    assert ask()[0] == 401
