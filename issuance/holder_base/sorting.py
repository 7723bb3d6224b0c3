"""Sort more rows than fit the memory, by a key of bytes, in files that have no name.

The files are gone with the process, however it ends, so that no personal data stays behind.
"""

import heapq
import json
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from itertools import islice
from operator import itemgetter
from typing import IO, Any, Final

# As many rows as are in memory at a time; a file of the greatest size makes fifty runs.
RUN_ROWS: Final = 20_000

Keyed = tuple[bytes, list[Any]]


@contextmanager
def sorted_rows(rows: Iterable[Keyed]) -> Iterator[Iterator[Keyed]]:
    """The rows in the order of their keys; of equal keys those that came first come first.

    rows: key and values that JSON can hold. Raises OSError where there is no room for them.
    """
    with ExitStack() as stack:
        runs, rest = [], iter(rows)
        while run := list(islice(rest, RUN_ROWS)):
            run.sort(key=itemgetter(0))
            file = stack.enter_context(tempfile.TemporaryFile("w+", encoding="utf-8"))
            file.writelines(json.dumps([key.hex(), values]) + "\n" for key, values in run)
            file.seek(0)
            runs.append(_read(file))
        yield heapq.merge(*runs, key=itemgetter(0))


def _read(file: IO[str]) -> Iterator[Keyed]:
    for line in file:
        key, values = json.loads(line)
        yield bytes.fromhex(key), values
