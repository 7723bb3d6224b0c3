"""Short codes: another name of a code that is there, for as long as it lives, and nothing else."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from bureau import Bureau, SeededBytes
from sqlalchemy import select, update

from card_core import codes
from card_core.codes.short_text import SHORT_CODE_DIGITS, is_short_code
from card_core.errors import TamperedRowError, TooManyShortCodesError
from card_core.kernel.kernel import SHORT_CODES_MAX
from card_core.minting import MintedCode
from card_core.short_codes import ShortCodes
from card_core.store import schema
from card_core.store import short_codes as stored

LIFE = timedelta(seconds=codes.CODE_LIFE_SECONDS + codes.ONLINE_SKEW_SECONDS)


@pytest.fixture
def short_codes(bureau: Bureau) -> ShortCodes:
    return ShortCodes(bureau.store, bureau.kernel, random_bytes=SeededBytes(b"short codes"))


def minted(bureau: Bureau, holder_id: str) -> MintedCode:
    return bureau.minter.mint(holder_id)


def named(short_codes: ShortCodes, bureau: Bureau, holder_id: str) -> tuple[str, str]:
    """A new code's two texts, the long one first."""
    code = minted(bureau, holder_id)
    text = short_codes.name(code.text, holder_id=holder_id, minted_at=code.minted_at)
    return code.text, text


def row_count(bureau: Bureau) -> int:
    with bureau.store.read() as tx:
        return len(tx.connection.execute(select(schema.short_codes.c.id)).all())


def test_a_short_code_leads_to_the_code_that_it_was_made_for(
    bureau: Bureau, short_codes: ShortCodes
) -> None:
    ids = [person.holder_id for person in bureau.people(2)]
    pairs = [named(short_codes, bureau, holder_id) for holder_id in ids * 3]
    assert len({short for _, short in pairs}) == 6
    for long, short in pairs:
        assert is_short_code(short)
        assert short_codes.find_code(short) == long


def test_nothing_is_found_for_other_digits(bureau: Bureau, short_codes: ShortCodes) -> None:
    _, short = named(short_codes, bureau, bureau.person().holder_id)
    for at in range(SHORT_CODE_DIGITS):
        other = str((int(short[at]) + 1) % 10)
        assert short_codes.find_code(short[:at] + other + short[at + 1 :]) is None


@pytest.mark.parametrize(
    "text", ["", "1" * 27, "1" * 29, "1" * 253, "a" * 28, "１" * 28, " " + "1" * 27, "²" * 28]
)
def test_what_is_not_28_digits_is_no_short_code(text: str) -> None:
    assert not is_short_code(text)


def test_a_drawn_number_that_is_small_keeps_its_zeros(bureau: Bureau) -> None:
    service = ShortCodes(bureau.store, bureau.kernel, random_bytes=(7).to_bytes)
    _, short = named(service, bureau, bureau.person().holder_id)
    assert short == "7".rjust(SHORT_CODE_DIGITS, "0")


def test_the_table_holds_no_digit_of_either_name(bureau: Bureau, short_codes: ShortCodes) -> None:
    long, short = named(short_codes, bureau, bureau.person().holder_id)
    with bureau.store.read() as tx:
        row = tx.connection.execute(select(schema.short_codes)).one()
    assert short not in row.id
    assert long.encode() not in row.code
    assert row.expires_at == bureau.clock() + LIFE + timedelta(seconds=1)


def test_a_row_that_was_changed_or_put_in_anothers_place_is_refused(
    bureau: Bureau, short_codes: ShortCodes
) -> None:
    own, other = (person.holder_id for person in bureau.people(2))
    _, short = named(short_codes, bureau, own)
    with bureau.store.read() as tx:
        mine = tx.connection.execute(select(schema.short_codes)).one()
    named(short_codes, bureau, other)
    with bureau.store.write() as tx:
        table = schema.short_codes
        theirs = tx.connection.execute(select(table).where(table.c.id != mine.id)).one()
        tx.connection.execute(update(table).where(table.c.id == mine.id).values(code=theirs.code))
    with pytest.raises(TamperedRowError):
        short_codes.find_code(short)


def test_a_holder_has_a_limit_and_others_are_not_touched_by_it(
    bureau: Bureau, short_codes: ShortCodes
) -> None:
    one, other = (person.holder_id for person in bureau.people(2))
    for _ in range(SHORT_CODES_MAX):
        named(short_codes, bureau, one)
    with pytest.raises(TooManyShortCodesError):
        named(short_codes, bureau, one)
    assert row_count(bureau) == SHORT_CODES_MAX
    named(short_codes, bureau, other)
    bureau.clock.advance(LIFE.total_seconds() + 2)
    with bureau.store.read() as tx:
        assert stored.count_of(tx, one, bureau.clock()) == 0
    named(short_codes, bureau, one)


def test_a_short_code_is_there_to_the_last_second_in_which_its_code_is_accepted(
    bureau: Bureau, short_codes: ShortCodes
) -> None:
    holder_id = bureau.person().holder_id
    long, short = named(short_codes, bureau, holder_id)
    bureau.clock.advance(LIFE.total_seconds() + 0.9)
    assert bureau.kernel.sweep()["short_codes"] == 0
    assert short_codes.find_code(short) == long
    bureau.clock.advance(1)
    assert bureau.kernel.sweep()["short_codes"] == 1
    assert short_codes.find_code(short) is None


def test_each_new_one_takes_old_ones_away(bureau: Bureau, short_codes: ShortCodes) -> None:
    holder_id = bureau.person().holder_id
    for _ in range(4):
        named(short_codes, bureau, holder_id)
    bureau.clock.advance(LIFE.total_seconds() + 2)
    counts = []
    for _ in range(3):
        named(short_codes, bureau, holder_id)
        counts.append(row_count(bureau))
    assert counts == [3, 2, 3]


def test_many_at_once_are_all_kept(bureau: Bureau, short_codes: ShortCodes) -> None:
    people = bureau.people(6)
    for person in people:
        named(short_codes, bureau, person.holder_id)
    bureau.clock.advance(LIFE.total_seconds() + 2)
    start = threading.Barrier(len(people))

    def name(holder_id: str) -> tuple[str, str]:
        start.wait()
        return named(short_codes, bureau, holder_id)

    with ThreadPoolExecutor(len(people)) as pool:
        pairs = list(pool.map(name, [person.holder_id for person in people]))
    assert all(short_codes.find_code(short) == long for long, short in pairs)
    assert row_count(bureau) == len(people)
