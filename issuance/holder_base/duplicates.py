"""Find pairs of records that are likely one person's (`card_core.identity.likeness` has the rule).

Nobody's record is compared with all others: what is alike has the same name, or the same number in
15 and 18 digits. Records are gone through once for each PASS_MAX of them, keeping those of some
names at a time, so that memory stays the same however many there are.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Final

from card_core.identity import Likeness, Traits, likeness, number_of_18
from card_core.store import Store, holder_base
from card_core.store.holder_base import KeyData
from card_core.store.paging import PAGE_SIZE_MAX

Progress = Callable[[int, int | None], None]

PASS_MAX: Final = 200_000
FOUND_MAX: Final = 1000  # more than somebody decides on before looking again
_BODY_LENGTH: Final = 17


@dataclass(frozen=True, slots=True, repr=False)
class Likely:
    """Two records that are likely one person's; the older one first."""

    one: KeyData
    other: KeyData
    likeness: Likeness


def find_duplicates(
    store: Store, *, found_max: int = FOUND_MAX, progress: Progress = lambda done, total: None
) -> list[Likely]:
    """At most `found_max` pairs, each once, in no order that says anything.

    progress: called with (records gone through, records to go through). Raises StoreError.
    """
    with store.read() as tx:
        total = holder_base.count(tx)
    passes = max(1, -(-total // PASS_MAX))
    found: list[Likely] = []
    done = 0
    for number in range(passes):
        kept: dict[str, list[KeyData]] = defaultdict(list)
        for page in _pages(store):
            done += len(page)
            progress(done, total * passes)
            some = [one for one in page if hash(one.name) % passes == number]
            for one in some:
                kept[one.name].append(one)
            found += _same_number(store, some)
        for group in kept.values():
            found += _within(group)
            if len(found) >= found_max:
                return found[:found_max]
    return found[:found_max]


def _pages(store: Store) -> Iterator[list[KeyData]]:
    after = ""
    while True:
        with store.read() as tx:
            page = holder_base.page(tx, after=after)
        yield page
        if len(page) < PAGE_SIZE_MAX:
            return
        after = page[-1].id


def _same_number(store: Store, some: Sequence[KeyData]) -> Iterator[Likely]:
    """Of the records with 15 digits, those whose 18 characters are another's."""
    by_number = {
        number: one
        for one in some
        if (number := number_of_18(one.social_security_number)) != one.social_security_number
    }
    if by_number:
        with store.read() as tx:
            others = holder_base.find_many(tx, list(by_number))
        for number, other in others.items():
            yield _likely(by_number[number], other, Likeness.SAME_NUMBER)


def _within(group: Sequence[KeyData]) -> Iterator[Likely]:
    """Pairs among records of one name."""
    if len(group) == 1:
        return
    buckets: dict[tuple[str, str], list[KeyData]] = defaultdict(list)
    for one in group:
        buckets[one.birth_on.isoformat(), one.phone].append(one)
        number = one.social_security_number
        for place in range(_BODY_LENGTH):
            buckets["", f"{number[:place]}*{number[place + 1 : _BODY_LENGTH]}"].append(one)
    seen: set[tuple[str, str]] = set()
    for bucket in buckets.values():
        for one, other in combinations(bucket, 2):
            how = likeness(_traits(one), _traits(other))
            if how in {Likeness.SAME_PERSON, Likeness.ONE_DIGIT}:
                likely = _likely(one, other, how)
                pair = likely.one.id, likely.other.id
                if pair not in seen:
                    seen.add(pair)
                    yield likely


def _likely(one: KeyData, other: KeyData, how: Likeness) -> Likely:
    first, second = sorted((one, other), key=lambda record: record.id)
    return Likely(first, second, how)


def _traits(one: KeyData) -> Traits:
    return Traits(one.social_security_number, one.name, one.birth_on, one.phone)
