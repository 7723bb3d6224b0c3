"""Bodies that are files: how the reference describes them."""

from typing import Any, Final

BYTES: Final = "application/octet-stream"
CSV: Final = "text/csv"
XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_FILE: Final = {"schema": {"type": "string", "format": "binary"}}


def file_answer(*media_types: str) -> dict[int | str, dict[str, Any]]:
    """The good answer of a route that gives a file, of one of these kinds."""
    return {200: {"description": "The file · 文件", "content": dict.fromkeys(media_types, _FILE)}}


def file_body() -> dict[str, Any]:
    """What a route takes that reads the bytes of a file."""
    return {"requestBody": {"required": True, "content": {BYTES: _FILE}}}
