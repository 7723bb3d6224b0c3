"""Which of the files a file is, by how it begins."""

from collections.abc import Mapping
from typing import Any, BinaryIO, Final

from issuance.card_files import bank_opening, bank_return, maker_return
from issuance.card_files.errors import CardFileError
from issuance.card_files.maker_header import MAGIC
from issuance.card_files.row_header import kind_of
from issuance.card_files.row_layout import Layout

_BEGINNING_BYTES: Final = 64

LAYOUTS: Final[Mapping[str, Layout[Any]]] = {
    layout.kind: layout for layout in (bank_opening.LAYOUT, bank_return.LAYOUT, maker_return.LAYOUT)
}


def layout_of(file: BinaryIO) -> Layout[Any] | None:
    """The layout of a file of rows; None for a maker file. `file` stays at its beginning.

    Raises CardFileError for anything else.
    """
    beginning = file.read(_BEGINNING_BYTES)
    file.seek(0)
    if not beginning:
        raise CardFileError("file_empty")
    if beginning.startswith(MAGIC):
        return None
    layout = LAYOUTS.get(kind_of(beginning))
    if layout is None:
        raise CardFileError("kind_unknown")
    return layout
