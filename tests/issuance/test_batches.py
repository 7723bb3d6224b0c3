"""Batches between kernel and command line: finding, releasing, issuing on after a failure."""

import pytest
from office import ROSTERS

from card_core.errors import StoreBusyError
from card_core.kernel import Actor, ActorKind, Kernel
from card_core.states import BatchState
from card_core.store import batches, cards, operators
from card_core.store.batches import Batch
from issuance import engine
from issuance.batches import find_batch, release_approval
from issuance.batches import new_request_id as rid
from issuance.errors import BatchError
from issuance.importing import Imported, import_roster
from issuance.installation import Installation, utc_now
from issuance.roster import WholeRoster, check_roster

TODAY = utc_now().date()


def issue(site: Installation, batch_id: str, *, actor: Actor, progress: engine.Progress) -> Batch:
    with engine.here(site.kernel) as pool:
        return engine.issue(pool, site.store, batch_id, actor=actor, progress=progress)


def operator(site: Installation, name: str) -> Actor:
    with site.store.read() as tx:
        found = operators.find_by_name(tx, name)
    assert found is not None
    return Actor(ActorKind.OPERATOR, found.id)


@pytest.fixture(scope="module")
def roster() -> WholeRoster:
    return check_roster(ROSTERS / "foshan-2000.csv", today=TODAY)


@pytest.fixture
def imported(site: Installation, roster: WholeRoster) -> Imported:
    return import_roster(site.kernel, roster, name="foshan", actor=operator(site, "wang"))


def release(site: Installation, imported: Imported) -> str:
    with site.store.read() as tx:
        batch = find_batch(tx, "foshan")
        approval = release_approval(tx, batch)
    assert approval.id == imported.approval_id
    site.kernel.approve(
        approval.id,
        content_hash=approval.content_hash,
        actor=operator(site, "li"),
        request_id=rid(),
    )
    return batch.id


def test_issuing_reports_each_chunk_and_goes_on_where_it_stopped(
    site: Installation, imported: Imported, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch_id = release(site, imported)
    maker = operator(site, "wang")
    seen: list[int] = []

    def stop_at_1000(done: int, total: int) -> None:
        assert total == imported.accepted
        seen.append(done)
        if done >= 1000 and len(seen) == 3:
            raise StoreBusyError

    with pytest.raises(StoreBusyError):
        issue(site, batch_id, actor=maker, progress=stop_at_1000)
    assert seen == [0, 500, 1000]
    with site.store.read() as tx:
        half = batches.get(tx, batch_id)
    assert half is not None
    # The chunk that was under way has ended, and no other one has begun.
    assert half.issued in {1000, 1500}
    assert half.state is BatchState.RELEASED

    after = issue(site, batch_id, actor=maker, progress=stop_at_1000)
    assert seen[3] == half.issued
    assert seen[-1] == after.issued == imported.accepted
    assert after.state is BatchState.ISSUED
    asked = []
    monkeypatch.setattr(Kernel, "perform", lambda *_, **__: asked.append(1))
    assert issue(site, batch_id, actor=maker, progress=stop_at_1000) == after
    assert asked == []


def test_an_unreleased_batch_is_not_issued(site: Installation, imported: Imported) -> None:
    with pytest.raises(BatchError) as caught:
        issue(
            site,
            str(imported.batch_id),
            actor=operator(site, "wang"),
            progress=lambda _done, _total: None,
        )
    assert caught.value.code == "batch_not_released"
    with site.store.read() as tx:
        assert cards.page(tx) == []


def test_a_batch_is_found_by_id_beginning_and_name(site: Installation, imported: Imported) -> None:
    batch_id = str(imported.batch_id)
    with site.store.read() as tx:
        for wanted in (batch_id, batch_id[:20], "foshan"):
            assert find_batch(tx, wanted).id == batch_id
        with pytest.raises(BatchError) as caught:
            find_batch(tx, "nothing")
    assert caught.value.code == "batch_unknown"


def test_two_batches_of_one_name_are_told_apart_by_id(
    site: Installation, imported: Imported, roster: WholeRoster
) -> None:
    site.kernel.reject(str(imported.approval_id), actor=operator(site, "wang"), request_id=rid())
    second = import_roster(site.kernel, roster, name="foshan", actor=operator(site, "wang"))
    with site.store.read() as tx:
        with pytest.raises(BatchError) as caught:
            find_batch(tx, "foshan")
        first = find_batch(tx, str(imported.batch_id))
        with pytest.raises(BatchError) as waiting:
            release_approval(tx, first)
        assert release_approval(tx, find_batch(tx, str(second.batch_id))).id == second.approval_id
    assert caught.value.code == "batch_ambiguous"
    assert waiting.value.code == "batch_not_waiting"


def test_imported_again_everybody_is_under_way(
    site: Installation, imported: Imported, roster: WholeRoster
) -> None:
    again = import_roster(site.kernel, roster, name="again", actor=operator(site, "wang"))
    assert (again.batch_id, again.approval_id, again.accepted) == (None, None, 0)
    assert {code: list(rows) for code, rows in again.refused.items()} == {
        "has_open_application": list(roster.accepted)
    }


def test_a_roster_without_a_good_row_makes_no_batch(
    site: Installation, roster: WholeRoster
) -> None:
    empty = WholeRoster((), roster.refused, (), roster.digest_hex, ())
    with pytest.raises(BatchError) as caught:
        import_roster(site.kernel, empty, name="empty", actor=operator(site, "wang"))
    assert caught.value.code == "no_row_accepted"
    with site.store.read() as tx:
        assert batches.page(tx) == []
