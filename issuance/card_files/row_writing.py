"""Writing a file of rows as a stream (row_layout has the layout)."""

from collections.abc import Iterable
from typing import BinaryIO

from crypto import sm3
from issuance.card_files.charset import Charset, encode_text
from issuance.card_files.row_header import RowHeader, encode_row_header
from issuance.card_files.row_layout import ROW_MARK, TRAILER_MARK, Layout, T


def write_row_file(
    file: BinaryIO, layout: Layout[T], header: RowHeader, rows: Iterable[tuple[str, ...]]
) -> bytes:
    """Write the whole file and return the digest of its trailer, 32 bytes.

    rows: the cells of each, as many rows as the header says, their numbers going up. `file` should
    not take its final name before this returns (`issuance.files.whole_file`).
    Raises ElementError; ValueError where rows and header disagree, which is the caller's mistake.
    """
    digest = sm3.Hash()

    def put(data: bytes) -> None:
        digest.update(data)
        file.write(data)

    put(encode_row_header(layout.kind, header))
    count, last = 0, 0
    for cells in rows:
        count += 1
        put(encode_row(layout, header.charset, cells))
        if int(cells[0]) <= last:
            raise ValueError("the numbers of the rows go up")
        last = int(cells[0])
    if count != header.records:
        raise ValueError("the header states another number of rows")
    found = digest.digest()
    file.write(f"{TRAILER_MARK}|{count}|{found.hex().upper()}\n".encode("ascii"))
    return found


def encode_row(layout: Layout[T], charset: Charset, cells: tuple[str, ...]) -> bytes:
    """One line with its end. Raises ElementError."""
    parts = [ROW_MARK.encode("ascii")]
    for column, cell in zip(layout.columns, cells, strict=True):
        column.check(cell)
        parts.append(encode_text(cell, charset, field=column.field, title_zh=column.title_zh))
    return b"|".join(parts) + b"\n"
