"""The rows of one table as a process knows them, brought up to date by what has changed."""

import json
import logging
from collections.abc import Callable, Collection
from typing import Generic, TypeVar

from card_core.store import Reader
from card_core.store.institutions import Institution, Terminal
from card_core.store.registered import ROWS_AT_ONCE, Page, Rows, Versioned

RECHECKED_ROWS = 20

_Record = TypeVar("_Record", Institution, Terminal)

_log = logging.getLogger("sscard.scan_api")


class KnownRows(Generic[_Record]):
    """changed, page: how the table is read, of `card_core.store.registered`.

    records: by row id, without the rows in `tampered`: those that fail their HMAC, are older than
    they were before, or are gone. A row that is right again is taken again. altered: the ids of
    rows that are other than before, for whoever empties it; a read that fails loses none of them.
    """

    def __init__(
        self,
        table: str,
        changed: Callable[[Reader, int], Rows[_Record]],
        page: Callable[[Reader, str, int], Page[_Record]],
    ) -> None:
        self.records: dict[str, _Record] = {}
        self.tampered: set[str] = set()
        self.altered: set[str] = set()
        self._table = table
        self._changed: Callable[[Reader, int], Rows[_Record]] = changed
        self._page: Callable[[Reader, str, int], Page[_Record]] = page
        self._versions: dict[str, int] = {}
        self._is_complete = False
        self._last = 0
        self._after = ""
        self._met: set[str] = set()

    def read(self, tx: Reader) -> None:
        """Take what has changed, and the next rows in turn; the first time, every row."""
        if not self._is_complete:
            self._read_all(tx)
            return
        news = self._changed(tx, self._last)
        self._take(news.found, news.tampered)
        self._look_at_next(tx, RECHECKED_ROWS)

    def _read_all(self, tx: Reader) -> None:
        self._after, self._met = "", set()
        self._look_at_next(tx, ROWS_AT_ONCE)
        while self._after:
            self._look_at_next(tx, ROWS_AT_ONCE)
        self._is_complete = True

    def _look_at_next(self, tx: Reader, rows: int) -> None:
        page = self._page(tx, self._after, rows)
        self._take(page.found, page.tampered)
        self._after = page.end or ""
        if not self._after:
            for row_id in self.records.keys() - self._met:
                self._drop(row_id)
            self._met = set()

    def _take(self, found: Collection[Versioned[_Record]], tampered: Collection[str]) -> None:
        for one in found:
            row_id = one.record.id
            self._met.add(row_id)
            # Only of rows that fit their HMAC: a number made up could hide what comes behind it.
            self._last = max(self._last, one.change_number)
            if one.version < self._versions.get(row_id, 0):
                self._drop(row_id)
                continue
            self._versions[row_id] = one.version
            self.tampered.discard(row_id)
            if self.records.get(row_id) != one.record:
                self.records[row_id] = one.record
                self.altered.add(row_id)
        for row_id in tampered:
            self._met.add(row_id)
            self._drop(row_id)

    def _drop(self, row_id: str) -> None:
        if row_id not in self.tampered:
            self.tampered.add(row_id)
            self.records.pop(row_id, None)
            self.altered.add(row_id)
            line = {"event": "tampered_row", "table": self._table, "row_id": row_id}
            _log.error(json.dumps(line))
