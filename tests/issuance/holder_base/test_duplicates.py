"""Pairs of records that are likely one person's: all that the rule names, each of them once."""

from itertools import count

import pytest
from bureau import Bureau, make_application, make_number
from sqlalchemy import update

from card_core.application import Application
from card_core.identity import IdentityNumber, Likeness, check_character
from card_core.kernel.acts.batches import IssueChunk
from card_core.kernel.acts.cards import CancelCard, CancelReason
from card_core.kernel.acts.holder_base import HolderEvidence, MergeHolders, seen_digest
from card_core.store import cards, holder_base, holders, schema
from card_core.store.holder_base import NewHolder
from issuance.holder_base import duplicates, find_duplicates


def issue(bureau: Bureau, *applications: Application) -> list[str]:
    imported = bureau.import_roster(applications)
    bureau.approve(imported)
    bureau.perform(IssueChunk(imported["batch_id"], 1), bureau.maker)
    with bureau.store.read() as tx:
        found = [holders.find_id_by_number(tx, one.number.text) for one in applications]
    return [one for one in found if one is not None]


def one_digit_off(application: Application, place: int = 16) -> Application:
    body = list(application.number.text[:17])
    body[place] = str((int(body[place]) + 2) % 10)  # the sex stays
    text = "".join(body)
    number = IdentityNumber(text + check_character(text))
    return application._replace(number=number, phone="13900000000")


def pairs(bureau: Bureau, **more: int) -> set[tuple[str, str, Likeness]]:
    found = find_duplicates(bureau.store, **more)
    assert len({(one.one.id, one.other.id) for one in found}) == len(found)
    return {(one.one.id, one.other.id, one.likeness) for one in found}


@pytest.mark.parametrize("pass_max", [200_000, 3])
def test_the_rule_finds_each_pair_once(
    bureau: Bureau, monkeypatch: pytest.MonkeyPatch, pass_max: int
) -> None:
    monkeypatch.setattr(duplicates, "PASS_MAX", pass_max)
    person = make_application(4_200_001)
    mistyped = one_digit_off(person)
    # born on the same day, so that only the name and the phone tell
    again = make_application(4_200_090)._replace(name="同名", phone="13911112222")
    twin = make_application(4_200_140)._replace(name="同名", phone="13911112222")
    stranger = one_digit_off(make_application(4_200_002))._replace(name="别人")
    base = make_application(4_200_002)
    # alike in both ways at once: told once, by the stronger
    both = make_application(4_200_010)
    mistaken = one_digit_off(both)._replace(phone=both.phone)
    ids = issue(bureau, person, mistyped, again, twin, stranger, base, both, mistaken)
    assert again.birth_on == twin.birth_on
    assert pairs(bureau) == {
        (ids[0], ids[1], Likeness.ONE_DIGIT),
        (ids[2], ids[3], Likeness.SAME_PERSON),
        (ids[6], ids[7], Likeness.SAME_PERSON),
    }


def test_a_number_in_15_digits_is_found_by_its_18(bureau: Bureau) -> None:
    person = bureau.person()
    old = person.number[:6] + person.number[8:17]
    with bureau.store.write() as tx:
        new_id = "f" * 32
        other = [NewHolder(make_number(4_200_200), "别名", "")]
        holder_base.add_new(tx, other, lambda: new_id, bureau.clock())
        index = holders.index_of(tx, old)
        sealed = tx.cipher.seal("holders", "social_security_number", new_id, old.encode())
        tx.connection.execute(
            update(schema.holders)
            .where(schema.holders.c.id == new_id)
            .values(number_index=index, social_security_number=sealed)
        )
    assert pairs(bureau) == {(person.holder_id, new_id, Likeness.SAME_NUMBER)}


def test_a_merged_record_is_no_duplicate_any_more(bureau: Bureau) -> None:
    person = make_application(4_200_001)
    stays, gone = issue(bureau, person, one_digit_off(person))
    assert len(pairs(bureau)) == 1
    with bureau.store.read() as tx:
        card = cards.live_card_of(tx, gone)
        both = [holders.get(tx, one) for one in (stays, gone)]
        seen = seen_digest(tx, *(one for one in both if one is not None))
    assert card is not None
    bureau.decide(CancelCard(card.id, CancelReason.MADE_IN_ERROR))
    bureau.decide(MergeHolders(stays, gone, HolderEvidence.IDENTITY_DOCUMENT, seen))
    assert pairs(bureau) == set()


def test_there_is_a_limit_and_progress_is_told(bureau: Bureau) -> None:
    person = make_application(4_200_001)
    many = [one_digit_off(person, place) for place in (14, 15, 16)]
    issue(bureau, person, *many)
    # Three are one digit off the first; among each other they share name, birth date and phone.
    assert len(pairs(bureau)) == 6
    assert len(pairs(bureau, found_max=2)) == 2
    told: list[tuple[int, int | None]] = []
    find_duplicates(bureau.store, progress=lambda done, total: told.append((done, total)))
    with bureau.store.read() as tx:
        assert told[-1] == (holder_base.count(tx), holder_base.count(tx))


def test_pages_end_where_the_records_do(bureau: Bureau, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(duplicates, "PAGE_SIZE_MAX", 1)
    person = make_application(4_200_001)
    issue(bureau, person, one_digit_off(person))
    pages = count()
    real = holder_base.page

    def one_by_one(tx: object, *, after: str = "") -> object:
        next(pages)
        return real(tx, after=after, limit=1)  # type: ignore[arg-type]

    monkeypatch.setattr(holder_base, "page", one_by_one)
    assert len(pairs(bureau)) == 1
    with bureau.store.read() as tx:
        assert next(pages) == holder_base.count(tx) + 1
