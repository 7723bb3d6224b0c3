"""Minting: a code for whoever may use their card now, and for nobody else."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from bureau import BOX_WRAP_KEY, ISSUER, KEY_NUMBER, Bureau, Clock
from sqlalchemy import select

from card_core import codes
from card_core.business_types import Purpose
from card_core.codes import PurposeClass
from card_core.errors import CardUnusableError, InvalidActError, TamperedRowError
from card_core.kernel import BoxKeyWrap
from card_core.kernel.acts.cards import CancelCard, CancelReason, ReportTemporaryLoss
from card_core.kernel.acts.set_up import EnsureBoxKey
from card_core.kernel.box_keys import box_day
from card_core.minting import Minter
from card_core.store import guarded, schema
from card_core.verdicts import Reason


def minter(bureau: Bureau, *, issuer: int = ISSUER) -> Minter:
    return Minter(
        bureau.store,
        bureau.keys,
        bureau.kernel,
        issuer=issuer,
        clock=bureau.clock,
        random_bytes=bureau.kernel.random_bytes,
    )


def test_a_minted_code_says_what_it_was_minted_for(bureau: Bureau) -> None:
    person = bureau.person()
    bureau.clock.now += timedelta(microseconds=999_999)
    minted = bureau.minter.mint(
        person.holder_id,
        purpose_class=PurposeClass.IDENTIFY_ONLY,
        purposes=Purpose.MEDICAL_IDENTIFY | Purpose.ELIGIBILITY,
    )
    assert minted.minted_at == bureau.clock().replace(microsecond=0)
    assert minted.expires_at == minted.minted_at + timedelta(seconds=codes.CODE_LIFE_SECONDS)
    checked = bureau.checked(minted.text, bureau.hospital, "01101")
    assert checked.minted_at == minted.minted_at
    assert (checked.issuer, checked.key_number) == (ISSUER, KEY_NUMBER)
    assert checked.purpose_class is PurposeClass.IDENTIFY_ONLY
    assert checked.purposes == Purpose.MEDICAL_IDENTIFY | Purpose.ELIGIBILITY


def test_codes_of_one_person_have_nothing_in_common(bureau: Bureau) -> None:
    person = bureau.person()
    boxes = set()
    for _ in range(50):
        text = bureau.minter.mint(person.holder_id).text
        boxes.add(bureau.checked(text, bureau.hospital, "01101").box)
    assert len(boxes) == 50


def test_no_code_for_a_card_that_may_not_be_used(bureau: Bureau) -> None:
    lost, cancelled = bureau.people(2)
    (new,) = bureau.issued_cards(1)
    bureau.perform(ReportTemporaryLoss(lost.card_id), lost.actor)
    bureau.decide(CancelCard(cancelled.card_id, CancelReason.DEATH))
    expected = {
        lost.holder_id: Reason.CARD_LOST,
        cancelled.holder_id: Reason.CARD_CANCELLED,
        new.holder_id: Reason.CARD_NOT_ACTIVE,
        "0" * 32: Reason.CARD_CANCELLED,
    }
    for holder_id, reason in expected.items():
        with pytest.raises(CardUnusableError) as refused:
            bureau.minter.mint(holder_id)
        assert refused.value.reason is reason


def test_no_code_under_a_key_that_is_not_active(bureau: Bureau) -> None:
    person = bureau.person()
    for state in ("pending", "verify_only", "revoked"):
        with bureau.store.write() as tx:
            guarded.change(
                tx, schema.issuer_keys, f"code_signing.{ISSUER}.{KEY_NUMBER}", state=state
            )
        with pytest.raises(CardUnusableError) as refused:
            bureau.minter.mint(person.holder_id)
        assert refused.value.reason is Reason.KEY_NOT_ACTIVE


def test_a_days_codes_have_one_key_and_the_next_days_another(bureau: Bureau) -> None:
    person = bureau.person()
    bureau.clock.now = datetime(2026, 3, 2, 23, 59, 59, tzinfo=UTC)
    before = bureau.minter.mint(person.holder_id).text
    bureau.clock.advance(1)
    after = bureau.minter.mint(person.holder_id).text
    assert bureau.scan(before)["outcome"] == "accepted"
    assert bureau.scan(after)["outcome"] == "accepted"
    with bureau.store.read() as tx:
        days = tx.connection.execute(select(schema.code_box_keys.c.day)).scalars().all()
    assert {day.isoformat() for day in days} >= {"2026-03-02", "2026-03-03"}


def test_of_processes_that_make_the_days_key_at_once_all_use_one(bureau: Bureau) -> None:
    people = bureau.people(6)
    bureau.clock.advance(7 * 24 * 3600)
    minters = [minter(bureau) for _ in people]
    with ThreadPoolExecutor(6) as threads:
        minted = threads.map(
            lambda pair: pair[0].mint(pair[1].holder_id).text, zip(minters, people, strict=True)
        )
        texts = list(minted)
    assert [bureau.scan(text)["outcome"] for text in texts] == ["accepted"] * 6


def test_a_box_key_is_stored_wrapped_and_opens_for_its_day_alone(bureau: Bureau) -> None:
    bureau.minter.mint(bureau.person().holder_id)
    day = box_day(bureau.clock())
    wrap = BoxKeyWrap(BOX_WRAP_KEY)
    with bureau.store.read() as tx:
        row = tx.connection.execute(
            select(schema.code_box_keys).where(schema.code_box_keys.c.day == day)
        ).one()
    key = wrap.unwrap(day, row.wrapped)
    assert key not in row.wrapped
    with pytest.raises(TamperedRowError):
        wrap.unwrap(day + timedelta(days=1), row.wrapped)
    with pytest.raises(TamperedRowError):
        BoxKeyWrap(bytes(16)).unwrap(day, row.wrapped)
    for cut in (b"", row.wrapped[:11], row.wrapped[:-1]):
        with pytest.raises(TamperedRowError):
            wrap.unwrap(day, cut)


def test_a_box_key_of_another_size_is_refused() -> None:
    with pytest.raises(InvalidActError):
        EnsureBoxKey(box_day(Clock().now), bytes(43))
