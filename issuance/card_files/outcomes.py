"""What a return file says of one card: done, with what came of it, or failed, with the reason."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Final

from card_core.identity import Problem
from issuance.card_files.columns import Column, RowProblem, optional, shaped
from issuance.card_files.row_layout import RowError

DONE: Final = "1"
FAILED: Final = "0"

REASON: Final = Column(
    "reason",
    "失败原因",
    optional(shaped("[0-9]{2}", "应为两位原因代码", "must be a reason code of two digits")),
)

_MISSING: Final = Problem(
    "outcome_field_missing", "成功时必须填写", "must be there where the outcome is 1"
)
_SURPLUS: Final = Problem(
    "outcome_field_surplus", "失败时应为空", "must be empty where the outcome is 0"
)
_REASON_MISSING: Final = Problem(
    "reason_missing", "失败时必须填写原因代码", "must be there where the outcome is 0"
)
_REASON_SURPLUS: Final = Problem(
    "reason_surplus", "成功时应为空", "must be empty where the outcome is 1"
)
_REASON_UNKNOWN: Final = Problem(
    "reason_unknown", "原因代码不在文档所列之中", "is not among the documented codes"
)


def check_outcome(
    outcome: str, reason: str, results: Sequence[tuple[Column, str]], reasons: type[StrEnum]
) -> None:
    """results: the columns that are filled exactly where the card is done. Raises RowError."""
    is_done = outcome == DONE
    problems = [
        RowProblem(column.field, column.title_zh, _MISSING if is_done else _SURPLUS)
        for column, value in results
        if bool(value) != is_done
    ]
    if bool(reason) == is_done:
        problem = _REASON_SURPLUS if is_done else _REASON_MISSING
        problems.append(RowProblem(REASON.field, REASON.title_zh, problem))
    elif reason and reason not in {one.value for one in reasons}:
        problems.append(RowProblem(REASON.field, REASON.title_zh, _REASON_UNKNOWN))
    if problems:
        raise RowError(*problems)
