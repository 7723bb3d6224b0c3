"""A bank's program, written from docs/files.md alone (sections 6 and 7), as a check of that page.

It shares nothing with the service; SM3 is GmSSL's (gmssl_pyx).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from gmssl_pyx import sm3_hash

FIELDS = (
    "number", "card_number", "document", "social_security_number", "name", "sex", "born_on",
    "ethnic_group", "mobile", "address", "guardian_name", "guardian_number",
)  # fmt: skip


class RefusedError(Exception):
    """The file is not what the page says."""


def read_opening(data: bytes) -> tuple[dict[str, str], list[dict[str, str]]]:
    """Header and rows of a bank pre-opening file, or RefusedError."""
    lines = data.split(b"\n")
    if lines.pop() != b"" or len(lines) < 3:
        raise RefusedError("cut off")
    body = b"".join(line + b"\n" for line in lines[:-1])
    header = lines[0].rstrip(b"\r").decode("ascii").split("|")
    if len(header) != 9 or header[:3] != ["H", "SSCBANKOPEN", "1"]:
        raise RefusedError("header")
    names = ("charset", "batch", "issuer", "partner", "records", "made_at")
    head = dict(zip(names, header[3:], strict=True))
    count = len(lines) - 2
    trailer = lines[-1].rstrip(b"\r").decode("ascii").split("|")
    if trailer != ["T", str(count), sm3_hash(body).hex().upper()]:
        raise RefusedError("trailer")
    if head["records"] != str(count):
        raise RefusedError("count")
    rows = []
    for line in lines[1:-1]:
        # Decoded first: the second byte of a character may be that of the separator.
        cells = line.rstrip(b"\r").decode(head["charset"]).split("|")
        if cells[0] != "D" or len(cells) != len(FIELDS) + 1:
            raise RefusedError("row")
        rows.append(dict(zip(FIELDS, cells[1:], strict=True)))
    return head, rows


def answer(
    head: Mapping[str, str], rows: Sequence[Mapping[str, str]], refused: Mapping[str, str]
) -> bytes:
    """A bank return file. refused: reasons by the number of the row."""
    names = f"{head['batch']}|{head['issuer']}|{head['partner']}"
    header = f"H|SSCBANKBACK|1|GBK|{names}|{len(rows)}|20261201090000"
    lines = []
    for row in rows:
        number = row["number"]
        result = f"0||{refused[number]}" if number in refused else f"1|{int(number):04d}|"
        lines.append(f"D|{number}|{row['card_number']}|{result}")
    return sealed(header, lines)


def sealed(header: str, lines: Sequence[str]) -> bytes:
    """A whole file, with its trailer (section 6.1)."""
    body = "".join(line + "\n" for line in (header, *lines)).encode("gbk")
    return body + f"T|{len(lines)}|{sm3_hash(body).hex()}\n".encode("ascii")
