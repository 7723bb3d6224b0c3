"""A batch's issuing is paused, goes on, and is cancelled: what is issued stays so."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from bureau import Bureau

from card_core.errors import ApprovalNeededError, NotFoundError, WrongStateError
from card_core.kernel.acts import batches as acts
from card_core.kernel.acts.batch_control import CancelBatch, PauseBatch, ResumeBatch
from card_core.kernel.acts.batches import IssueChunk
from card_core.states import BatchState
from card_core.store import audit, batches, cards
from card_core.store.batches import Batch, Chunk


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(acts, "CHUNK_SIZE", 4)


def get(bureau: Bureau, batch_id: str) -> Batch:
    with bureau.store.read() as tx:
        batch = batches.get(tx, batch_id)
    assert batch is not None
    return batch


def test_a_paused_batch_hands_out_no_chunk_until_it_goes_on(bureau: Bureau) -> None:
    batch_id = bureau.released_batch(10)["batch_id"]
    bureau.perform(IssueChunk(batch_id), bureau.maker)
    paused = bureau.perform(PauseBatch(batch_id), bureau.checker)
    assert (paused["state"], paused["issued"], paused["accepted"]) == ("paused", 4, 10)
    nothing = bureau.perform(IssueChunk(batch_id), bureau.maker)
    assert (nothing["chunk_number"], nothing["issued"]) == (None, 0)
    with pytest.raises(WrongStateError):
        bureau.perform(IssueChunk(batch_id, 2), bureau.maker)
    # A chunk that ran gives its answer all the same.
    assert bureau.perform(IssueChunk(batch_id, 1), bureau.maker)["issued"] == 4
    with pytest.raises(WrongStateError):
        bureau.perform(PauseBatch(batch_id), bureau.maker)
    bureau.perform(ResumeBatch(batch_id), bureau.maker)
    with pytest.raises(WrongStateError):
        bureau.perform(ResumeBatch(batch_id), bureau.maker)
    assert [bureau.perform(IssueChunk(batch_id), bureau.maker)["issued"] for _ in range(3)] == [
        4,
        2,
        0,
    ]
    assert get(bureau, batch_id).state is BatchState.ISSUED


def test_a_cancelled_batch_keeps_its_cards_and_lets_the_others_apply_again(bureau: Bureau) -> None:
    people = bureau.next_applications(10)
    imported = bureau.import_roster(people)
    bureau.approve(imported)
    batch_id = imported["batch_id"]
    bureau.perform(IssueChunk(batch_id, 2), bureau.maker)
    first = get(bureau, batch_id).first_card_serial
    assert first is not None
    with pytest.raises(ApprovalNeededError):
        bureau.perform(CancelBatch(batch_id), bureau.maker)
    cancelled = bureau.decide(CancelBatch(batch_id))
    assert (cancelled["state"], cancelled["issued"]) == ("cancelled", 4)
    # The first chunk's numbers, and the last one's two.
    assert cancelled["unused"] == [[first, first + 3], [first + 8, first + 9]]
    assert bureau.perform(IssueChunk(batch_id), bureau.maker)["chunk_number"] is None
    for act in (ResumeBatch(batch_id), PauseBatch(batch_id), IssueChunk(batch_id, 1)):
        with pytest.raises(WrongStateError):
            bureau.perform(act, bureau.maker)
    again = bureau.import_roster(people)
    assert again["accepted"] == 6
    assert {one["code"] for one in again["refused"]} == {"has_live_card"}
    bureau.approve(again)
    assert get(bureau, again["batch_id"]).first_card_serial == first + 10
    with bureau.store.read() as tx:
        assert len(cards.page(tx, batch_id=batch_id)) == 4
        audit.verify_chain(tx, "bureau")
        audit.verify_rows(tx)


def test_a_paused_batch_may_be_cancelled_and_others_not(bureau: Bureau) -> None:
    imported = bureau.import_roster(bureau.next_applications(2))
    for act in (PauseBatch(imported["batch_id"]), PauseBatch("0" * 32)):
        with pytest.raises((WrongStateError, NotFoundError)):
            bureau.perform(act, bureau.maker)
    with pytest.raises(WrongStateError):
        bureau.decide(CancelBatch(imported["batch_id"]))
    batch_id = bureau.released_batch(2)["batch_id"]
    bureau.perform(PauseBatch(batch_id), bureau.maker)
    assert bureau.decide(CancelBatch(batch_id))["state"] == "cancelled"


def test_cancelled_in_the_midst_of_issuing_each_chunk_is_issued_or_unused(bureau: Bureau) -> None:
    people = 160
    imported = bureau.released_batch(people)
    batch_id = imported["batch_id"]
    proposed = bureau.kernel.propose(
        CancelBatch(batch_id), actor=bureau.maker, request_id="cancel it"
    )

    def issue(number: int) -> int:
        try:
            return int(bureau.perform(IssueChunk(batch_id, number), bureau.maker)["issued"])
        except WrongStateError:
            return 0

    with ThreadPoolExecutor(3) as threads:
        issuing = [threads.submit(issue, number) for number in range(1, imported["chunks"] + 1)]
        issuing[2].result()
        cancelled = bureau.approve(proposed)
        issued = sum(one.result() for one in issuing)
    unused = sum(last - first + 1 for first, last in cancelled["unused"])
    assert issued == cancelled["issued"] == get(bureau, batch_id).issued
    assert issued + unused == people
    assert unused
    with bureau.store.read() as tx:
        ledger = batches.chunks(tx, batch_id)
        assert sum(chunk.size for chunk in ledger if chunk.is_issued) == issued


@pytest.mark.parametrize("step", [PauseBatch, ResumeBatch])
def test_a_last_chunk_that_ends_beside_a_pause_finishes_its_batch(
    bureau: Bureau, monkeypatch: pytest.MonkeyPatch, step: type[PauseBatch | ResumeBatch]
) -> None:
    if bureau.store.writers_max == 1:
        pytest.skip("one transaction at a time: nothing happens beside another one")
    batch_id = bureau.released_batch(3)["batch_id"]
    issue = acts._issue

    def paused_meanwhile(*arguments: Any) -> Chunk:
        chunk = issue(*arguments)
        bureau.perform(PauseBatch(batch_id), bureau.maker)
        if step is ResumeBatch:
            bureau.perform(ResumeBatch(batch_id), bureau.maker)
        return chunk

    monkeypatch.setattr(acts, "_issue", paused_meanwhile)
    assert bureau.perform(IssueChunk(batch_id), bureau.maker)["issued"] == 3
    assert get(bureau, batch_id).state is BatchState.ISSUED
