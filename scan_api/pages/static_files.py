"""Styles, scripts and pictures, named by what is in them, packed, kept by browsers for good.

A page asks for `/static/v-5b0c.../holder.js`. The middle part changes with any byte of any file, so
what has such a name never changes, and a script's imports, which are relative, have it as well.
Without it, or by the name of another version (two versions serve side by side while a service is
renewed), a file is there too, but is not kept.

All is read and packed once, at the start: a name can't come to stand for other bytes.
"""

import gzip
import mimetypes
import re
from dataclasses import dataclass
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import PurePosixPath
from typing import Final

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from crypto import sm3

ROOT: Final = "/static"
KEPT: Final = "public, max-age=31536000, immutable"
ASKED_ANEW: Final = "no-cache"
_VERSION_MARK: Final = "v-"
_HEX_DIGITS: Final = 16
_no_weight = re.compile(r"q=0(\.0*)?").fullmatch
_PACKED_TYPES: Final = frozenset({"text/css", "text/javascript", "image/svg+xml"})


@dataclass(frozen=True, slots=True)
class _File:
    """packed: by gzip; None where that gains nothing."""

    content: bytes
    packed: bytes | None
    media_type: str
    tag: str


class StaticPages:
    """The files of one program: those of its own packages over those that all share."""

    def __init__(self, *packages: str) -> None:
        """packages: with a folder `static`; what every page shares is there without being named."""
        self._files: dict[str, _File] = {}
        for package in (__package__, *reversed(packages)):
            for path, content in _read(resources.files(package) / "static", PurePosixPath()):
                self._files[path] = _file(PurePosixPath(path), content)
        told = "\0".join(f"{path} {self._files[path].tag}" for path in sorted(self._files))
        self.root = f"{ROOT}/{_VERSION_MARK}{_digest(told.encode())}"

    def named(self, path: str) -> str:
        """What a page calls the file at `path`, which begins with `/static/`."""
        return self.root + path.removeprefix(ROOT)

    def answer(self, request: Request) -> Response:
        """The file that the path names behind `/static/`. Raises HTTPException, 404."""
        path: str = request.path_params["path"]
        version, _, rest = path.partition("/")
        if not version.startswith(_VERSION_MARK):
            return self.file(path, request)
        is_ours = f"{ROOT}/{version}" == self.root
        return self.file(rest, request, caching=KEPT if is_ours else ASKED_ANEW)

    def file(self, path: str, request: Request, *, caching: str = ASKED_ANEW) -> Response:
        """The file at `path`, within the folder. Raises HTTPException, 404."""
        found = self._files.get(path)
        if found is None:
            raise HTTPException(404)
        is_packed = found.packed is not None and takes_gzip(request.headers)
        tag = f'"{found.tag}{"-gzip" if is_packed else ""}"'
        headers = {"Cache-Control": caching, "ETag": tag}
        if found.packed is not None:
            headers["Vary"] = "Accept-Encoding"
        known = request.headers.get("If-None-Match", "")
        if tag in (one.strip().removeprefix("W/") for one in known.split(",")):
            return Response(status_code=304, headers=headers)
        if is_packed:
            headers["Content-Encoding"] = "gzip"
            return Response(found.packed, media_type=found.media_type, headers=headers)
        return Response(found.content, media_type=found.media_type, headers=headers)


def takes_gzip(headers: Headers) -> bool:
    """Whether the asker says that it reads gzip (RFC 9110, section 12.5.3)."""
    for one in headers.get("Accept-Encoding", "").split(","):
        coding, _, weight = one.partition(";")
        if coding.strip().lower() == "gzip":
            return not _no_weight(weight.strip().lower())
    return False


def _read(folder: Traversable, under: PurePosixPath) -> list[tuple[str, bytes]]:
    found = []
    for one in folder.iterdir():
        path = under / one.name
        found += _read(one, path) if one.is_dir() else [(str(path), one.read_bytes())]
    return found


def _file(path: PurePosixPath, content: bytes) -> _File:
    guessed = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    packed = gzip.compress(content, mtime=0) if guessed in _PACKED_TYPES else None
    return _File(content, packed, guessed, _digest(content))


def _digest(content: bytes) -> str:
    return sm3.digest(content).hex()[:_HEX_DIGITS]
