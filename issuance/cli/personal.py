"""Names and numbers of people, as an operator gives them: in a file, never on the command line,
where every process of the computer could read them."""

from pathlib import Path
from typing import Annotated, Final

import typer

from card_core.identity import IdentityNumber, IdentityNumberError
from card_core.store import Reader, cards, holder_changes, holders
from issuance.errors import FileRefusedError, IssuanceError
from issuance.files import not_readable
from issuance.roster.normalise import normalise_name, normalise_number

_LINE_BYTES_MAX: Final = 256
_AT: Final = "@"

HolderArgument = Annotated[
    str,
    typer.Argument(
        metavar="HOLDER",
        help="记录编号、卡号，或 @文件（首行为社会保障号码）。\n\n"
        "Record id, card number, or @FILE with the number in its first line.",
    ),
]
NameFileOption = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        readable=False,
        help="正确的姓名取自文件第一行。\n\nThe right name, from this file's first line.",
    ),
]
NumberFileOption = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        readable=False,
        help="正确的社会保障号码取自文件第一行。\n\nThe right number, from this file's first line.",
    ),
]


def read_name(path: Path) -> str:
    """Raises FileRefusedError."""
    return normalise_name(_first_line(path))


def read_number(path: Path) -> IdentityNumber:
    """Raises FileRefusedError; IssuanceError with what is wrong with the number."""
    try:
        return IdentityNumber(normalise_number(_first_line(path)))
    except IdentityNumberError as error:
        problem = error.problems[0]
        raise IssuanceError(problem.code, problem.message_zh, problem.message_en) from None


def read_line(path: Path) -> str:
    """The first line of a file, such as the number of a document. Raises FileRefusedError."""
    return _first_line(path)


def find_record(tx: Reader, wanted: str) -> str:
    """The id of the record that a HolderArgument names, merged or not. Raises IssuanceError."""
    if wanted.startswith(_AT):
        found = _by_number(tx, read_number(Path(wanted.removeprefix(_AT))).text)
    elif holders.exists(tx, wanted):
        found = wanted
    else:
        card = cards.find_by_card_number(tx, wanted.strip().upper())
        found = None if card is None else card.holder_id
    if found is None:
        raise IssuanceError(
            "holder_unknown",
            "没有这个持卡人。请核对记录编号、卡号或号码文件。",
            "There is no such holder. Check the record id, the card number or the number's file.",
        )
    return found


def _by_number(tx: Reader, number: str) -> str | None:
    own = holders.find_id_by_number(tx, number)
    if own is not None:
        return own
    merged = holder_changes.indexes_of_merged(tx, [holders.index_of(tx, number)])
    return next((holder_changes.record_that_stays(tx, into) for into in merged.values()), None)


def _first_line(path: Path) -> str:
    try:
        with path.open("rb") as file:
            line = file.readline(_LINE_BYTES_MAX + 1)
    except OSError as error:
        raise not_readable(path, error) from error
    try:
        text = line.decode("utf-8-sig").strip()
    except UnicodeDecodeError:
        text = ""
    if not text or len(line) > _LINE_BYTES_MAX:
        raise FileRefusedError(
            "line_unusable",
            f"文件 {path} 的第一行应为 UTF-8 文本，至多 {_LINE_BYTES_MAX} 字节。",
            f"The first line of {path} must be text in UTF-8 of at most {_LINE_BYTES_MAX} bytes.",
        )
    return text
