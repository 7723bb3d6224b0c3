"""Rows of a CSV roster: UTF-8 with or without a mark, or GB 18030, told apart by the bytes."""

import codecs
import csv
import io
from collections.abc import Generator, Iterator
from typing import BinaryIO, Final

from issuance.roster.file_error import LINE_CHARS_MAX, RosterFileError

_CHUNK_BYTES: Final = 1 << 20


def detect_encoding(file: BinaryIO) -> str:
    """Return "utf-8-sig" if that decodes the whole file, else "gb18030".

    GB 18030 text of more than a few characters is practically never valid UTF-8, so trying UTF-8
    first decides right. Raises RosterFileError (file_not_text) for NUL bytes, as in UTF-16.
    """
    file.seek(0)
    decoder = codecs.getincrementaldecoder("utf-8-sig")()
    encoding = "utf-8-sig"
    while chunk := file.read(_CHUNK_BYTES):
        if b"\0" in chunk:
            raise RosterFileError("file_not_text")
        if encoding == "utf-8-sig":
            try:
                decoder.decode(chunk)
            except UnicodeDecodeError:
                encoding = "gb18030"
    return encoding


def csv_rows(file: BinaryIO, encoding: str) -> Generator[tuple[int, list[str]]]:
    """Yield (record number from 0, cells). Raises RosterFileError.

    Quotation marks are taken strictly: after a stray one nobody can say where the rows end.
    """
    file.seek(0)
    text = io.TextIOWrapper(file, encoding=encoding, newline="")
    reader = csv.reader(_lines(text), strict=True)
    try:
        yield from enumerate(reader)
    except csv.Error:
        raise RosterFileError("quotes_unclosed", line=str(reader.line_num)) from None
    except UnicodeDecodeError:
        raise RosterFileError("file_not_text") from None
    finally:
        text.detach()


def _lines(text: io.TextIOWrapper) -> Iterator[str]:
    """Yield the lines with their ends; one that never ends must not fill the memory."""
    number = 1
    while line := text.readline(LINE_CHARS_MAX + 1):
        if len(line) > LINE_CHARS_MAX:
            raise RosterFileError("line_too_long", line=str(number))
        yield line
        number += 1
