"""Compare a file of another department with the holder base; nothing is changed.

The file is sorted by the blind index that the holder base is found by, and both are gone through
side by side: memory stays the same however long they are. Differences, with personal data in full,
go to the output alone, which is for its owner's eyes (mode 0600). What changes in the holder base
meanwhile may or may not be seen.
"""

import codecs
import csv
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from enum import StrEnum
from itertools import groupby, islice
from operator import itemgetter
from pathlib import Path
from typing import BinaryIO, Final, NamedTuple

from card_core.identity import IdentityNumber, IdentityNumberError, number_of_18
from card_core.states import CardState
from card_core.store import Store, holder_base, holders
from card_core.store.holder_base import KeyData
from card_core.store.paging import PAGE_SIZE_MAX
from issuance.files import PRIVATE, whole_file
from issuance.holder_base.sorting import Keyed, sorted_rows
from issuance.roster.columns import Layout
from issuance.roster.normalise import (
    normalise_compact,
    normalise_name,
    normalise_number,
    normalise_phone,
)
from issuance.roster.problem import CELL_CHARS_MAX
from issuance.roster.read import RosterFile, open_roster
from issuance.spreadsheet_cells import harmless
from issuance.stock.validate import STATE_BY_TEXT

Progress = Callable[[int, int | None], None]

_NUMBER, _NAME, _PHONE, _STATE = "社会保障号码", "姓名", "手机号码", "卡应用状态"
COMPARED: Final = Layout(
    (_NUMBER, _NAME, _PHONE, _STATE),
    optional=frozenset({_PHONE, _STATE}),
    aliases={
        "证件号码": _NUMBER,
        "公民身份号码": _NUMBER,
        "AAC002": _NUMBER,
        "AAE135": _NUMBER,
        "AAC003": _NAME,
        "AAC067": _PHONE,
        "AAZ502": _STATE,
    },
)
HEADER: Final = ("差异", "行号", "社会保障号码", "本库", "对方")
NO_CARD: Final = "无卡"
_AT_ONCE: Final = 500
_NO_INDEX: Final = b""


class Kind(StrEnum):
    """In which way the two sides differ."""

    ONLY_HERE = "only_here"
    ONLY_THERE = "only_there"
    NAME = "name"
    PHONE = "phone"
    STATE = "state"
    MERGED_HERE = "merged_here"
    TWICE_THERE = "twice_there"
    NUMBER_UNUSABLE = "number_unusable"


class Difference(NamedTuple):
    """One line of the output. row: of the file, None for somebody who isn't in it."""

    kind: Kind
    row: int | None
    number: str
    here: str
    there: str


class _Theirs(NamedTuple):
    row: int
    number: str
    name: str
    phone: str
    state: str


def compare(
    store: Store, file: Path, output: Path, *, progress: Progress = lambda done, total: None
) -> Counter[Kind]:
    """Write the differences as CSV (UTF-8 with a mark), and return how many of each kind there are.

    file: CSV or XLSX with number and name, and where it has them phone and card state (AAZ502); an
    empty phone or state is not compared. A number in 15 digits stands for its 18.
    Raises RosterFileError, FileRefusedError, StoreError; the output is then as it was.
    """
    counted: Counter[Kind] = Counter()
    with whole_file(output, mode=PRIVATE) as raw:
        raw.write(codecs.BOM_UTF8)
        lines = csv.writer(_Encoded(raw))
        lines.writerow(HEADER)
        for one in _differences(store, file, progress):
            counted[one.kind] += 1
            cells = (one.kind.value, one.row or "", one.number, one.here, one.there)
            lines.writerow([harmless(str(cell)) for cell in cells])
    return counted


class _Encoded:
    """What a CSV writer writes to."""

    def __init__(self, raw: BinaryIO) -> None:
        self._raw = raw

    def write(self, text: str) -> int:
        return self._raw.write(text.encode())


def _differences(store: Store, file: Path, progress: Progress) -> Iterator[Difference]:
    with open_roster(file, COMPARED) as rows, sorted_rows(_keyed(store, rows, progress)) as theirs:
        waiting: list[_Theirs] = []
        for one in _side_by_side(store, theirs):
            if isinstance(one, Difference):
                yield one
                continue
            waiting.append(one)
            if len(waiting) == _AT_ONCE:
                yield from _not_here(store, waiting)
                waiting.clear()
        yield from _not_here(store, waiting)


def _keyed(store: Store, file: RosterFile, progress: Progress) -> Iterator[Keyed]:
    """The file's rows under their blind indexes; those without a number under _NO_INDEX."""
    rows = iter(file.rows)
    done = 0
    while some := list(islice(rows, _AT_ONCE)):
        with store.read() as tx:
            for row, cells, _ in some:
                number, name, phone, state = (cell[:CELL_CHARS_MAX] for cell in cells)
                one = _Theirs(
                    row,
                    number_of_18(normalise_number(number)),
                    normalise_name(name),
                    normalise_phone(phone),
                    normalise_compact(state),
                )
                key = holders.index_of(tx, one.number) if _is_number(one.number) else _NO_INDEX
                yield key, list(one)
        done += len(some)
        progress(done, file.rows_expected)


def _is_number(text: str) -> bool:
    try:
        IdentityNumber(text)
    except IdentityNumberError:
        return False
    return True


def _side_by_side(store: Store, theirs: Iterator[Keyed]) -> Iterator[Difference | _Theirs]:
    """The differences; and, as they stand in the file, those whom the holder base does not find."""
    ours = _ours(store)
    here = next(ours, None)
    for key, rows in groupby(theirs, key=itemgetter(0)):
        group = (_Theirs(*values) for _, values in rows)
        if key == _NO_INDEX:
            for one in group:
                yield Difference(Kind.NUMBER_UNUSABLE, one.row, one.number, "", one.name)
            continue
        there = next(group)
        for again in group:
            yield Difference(Kind.TWICE_THERE, again.row, again.number, "", again.name)
        while here is not None and here.person.number_index < key:
            yield _only_here(here)
            here = next(ours, None)
        if here is not None and here.person.number_index == key:
            yield from _fields(here, there)
            here = next(ours, None)
        else:
            yield there
    while here is not None:
        yield _only_here(here)
        here = next(ours, None)


class _Ours(NamedTuple):
    person: KeyData
    state: CardState | None


def _ours(store: Store) -> Iterator[_Ours]:
    after = b""
    while True:
        with store.read() as tx:
            page = holder_base.page_by_index(tx, after=after)
            states = holder_base.states_of(tx, [one.id for one in page])
        yield from (_Ours(one, states.get(one.id)) for one in page)
        if len(page) < PAGE_SIZE_MAX:
            return
        after = page[-1].number_index


def _only_here(here: _Ours) -> Difference:
    person = here.person
    return Difference(Kind.ONLY_HERE, None, person.social_security_number, person.name, "")


def _fields(here: _Ours, there: _Theirs) -> Iterator[Difference]:
    person = here.person
    row, number = there.row, person.social_security_number
    if there.name != person.name:
        yield Difference(Kind.NAME, row, number, person.name, there.name)
    if there.phone and there.phone != person.phone:
        yield Difference(Kind.PHONE, row, number, person.phone, there.phone)
    if there.state and STATE_BY_TEXT.get(there.state) is not here.state:
        state = NO_CARD if here.state is None else here.state.aaz502 or "未启用"
        yield Difference(Kind.STATE, row, number, state, there.state)


def _not_here(store: Store, waiting: Sequence[_Theirs]) -> Iterator[Difference]:
    """Who is only there, and who is here under another number since a merge."""
    with store.read() as tx:
        merged = holder_base.merged_numbers(tx, [one.number for one in waiting])
    for one in waiting:
        kind = Kind.MERGED_HERE if one.number in merged else Kind.ONLY_THERE
        yield Difference(kind, one.row, one.number, "", one.name)
