"""What both return files have in common: they are for this bureau, good in every row, and taken by
portions, whole or not at all."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Generic, TypeVar

from card_core.kernel import Act, Actor, Kernel
from card_core.store import Reader
from issuance.batches import new_request_id
from issuance.card_files import BadRow, RowFile, RowHeader
from issuance.errors import IssuanceError

_Row = TypeVar("_Row")
_Given = TypeVar("_Given")

Progress = Callable[[int, int], None]
"""Called with (records taken or written, records of the file)."""


@dataclass(frozen=True, slots=True)
class Taking(Generic[_Row, _Given]):
    """How a return is taken. given: a row of the file as the acts have it.

    check: refuses a portion that can't be taken. begin, take, end: the acts around the portions and
    for each. counts: what each portion's answer counts. rows_max: in one portion.
    """

    given: Callable[[_Row], _Given]
    check: Callable[[Reader, tuple[_Given, ...]], None]
    begin: Act
    take: Callable[[tuple[_Given, ...]], Act]
    end: Act
    counts: tuple[str, ...]
    rows_max: int


def take_whole(
    kernel: Kernel,
    opened: RowFile[_Row],
    path: Path,
    taking: Taking[_Row, _Given],
    *,
    actor: Actor,
    progress: Progress,
) -> dict[str, Any]:
    """Hold all of a return against what was sent, then take it, some rows at a time; killed in
    between, it goes on when it is run again.

    progress: of the taking. Answer: the counts of this time over what the last act answers.
    Raises IssuanceError, KernelError; OSError of the file.
    """

    def portions() -> Iterator[tuple[_Given, ...]]:
        rows = map(taking.given, good_rows(opened, path))
        while portion := tuple(islice(rows, taking.rows_max)):
            yield portion

    def perform(act: Act) -> dict[str, Any]:
        return kernel.perform(act, actor=actor, request_id=new_request_id())

    for portion in portions():
        with kernel.store.read() as tx:
            taking.check(tx, portion)
    perform(taking.begin)
    counts, done, records = Counter(dict.fromkeys(taking.counts, 0)), 0, opened.header.records
    progress(done, records)
    for portion in portions():
        answer = perform(taking.take(portion))
        counts.update({name: answer[name] for name in taking.counts})
        done += len(portion)
        progress(done, records)
    return {**perform(taking.end), **counts}


def check_header(header: RowHeader, *, issuer: int, partner: str) -> None:
    """partner: the code of who should have sent it. Raises IssuanceError."""
    if header.issuer != issuer:
        raise IssuanceError(
            "other_issuer",
            f"回盘文件是给发卡机构 {header.issuer} 的，不是本机构 {issuer} 的。请核对文件。",
            f"The return is for issuer {header.issuer} and not for {issuer}. Check the file.",
        )
    if header.partner != partner:
        raise IssuanceError(
            "other_partner",
            f"回盘文件来自 {header.partner}，而该批数据送给了 {partner}。请核对文件。",
            f"The return is from {header.partner}, and this was sent to {partner}. Check the file.",
        )


def good_rows(opened: RowFile[_Row], path: Path) -> Iterator[_Row]:
    """All rows of a file. Raises IssuanceError at a bad one: a return is taken whole."""
    for row in opened.rows():
        if isinstance(row, BadRow):
            raise IssuanceError(
                "return_has_bad_rows",
                f"回盘文件第 {row.line} 行有误，整个文件未采用。运行 sscard file check {path} "
                "查看全部问题，请对方改正后重发。",
                f"Line {row.line} of the return is wrong, and nothing of the file was taken. "
                f"sscard file check {path} shows all that is wrong; have it corrected and sent "
                "again.",
            )
        yield row
