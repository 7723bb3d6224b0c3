"""What makes the holder's page an app: its shell, the worker that keeps it, and its manifest.

The shell is the page and every file that it loads, now or later. It is found by reading: what the
template names, what those scripts import, and so on. So a new script belongs to it by itself.
"""

import json
import posixpath
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final

from crypto import sm3

STATIC: Final = Path(__file__).parent / "static"
TEMPLATES: Final = Path(__file__).parent / "templates"
VERSION_HEADER: Final = "SSCARD-Shell"
WORKER_PATH: Final = "/phone-worker.js"
MANIFEST_PATH: Final = "/holder.webmanifest"
# The worker asks for the page and its files, and for nothing anywhere else.
WORKER_POLICY: Final = "default-src 'none'; connect-src 'self'"

_ICONS: Final = ("/static/icon-192.png", "/static/icon-512.png")
_loaded = re.compile(r'(?:src|href)="(/static/[^"]+)"').findall
_included = re.compile(r'{% (?:extends|include|import) "([^"]+)"').findall
_imported = re.compile(r'\b(?:from |import |import\()"(\.[^"]+)"').findall
_imported_first = re.compile(r'\b(?:from|import) "(\.[^"]+)"').findall


@dataclass(frozen=True, slots=True)
class Shell:
    """files: paths as the page names them. first: the scripts among them that the page needs
    before it can do anything, so that it may ask for all of them at once. version: changes
    with any byte of them, or of the page's templates."""

    files: tuple[str, ...]
    first: tuple[str, ...]
    version: str


def shell_of(template: str, named: Callable[[str], str]) -> Shell:
    """The shell of the page that this template draws. named: what the page calls a file."""
    templates = list(_templates(template))
    loaded = [path for text in templates for path in _loaded(text)]
    scripts = [path for path in loaded if path.endswith(".js")]
    files = sorted({*loaded, *_reached(scripts, _imported)})
    first = sorted(_reached(scripts, _imported_first))
    content = [*templates, *(_file(path).read_bytes().hex() for path in files)]
    version = sm3.digest("\0".join([*files, *content]).encode()).hex()[:16]
    return Shell(tuple(map(named, files)), tuple(map(named, first)), version)


def worker(shell: Shell) -> str:
    """The worker's script. Its bytes change with the shell: so a browser sees that it is new."""
    names = (
        f"const VERSION = {json.dumps(shell.version)};\nconst SHELL = {json.dumps(shell.files)};\n"
    )
    return names + (STATIC / "phone" / "worker.js").read_text(encoding="utf-8")


def manifest(language: str) -> dict[str, object]:
    """The web app manifest (W3C), in the reader's language."""
    chinese = language == "zh"
    return {
        "id": "/holder",
        "name": "电子社保卡" if chinese else "My e-card",
        "short_name": "电子社保卡" if chinese else "E-card",
        "description": "出示会自动更换的二维码，没有网络也能核验身份"
        if chinese
        else "Shows a code that changes by itself, and tells who you are without a network",
        "lang": "zh-CN" if chinese else "en",
        "start_url": "/holder",
        "scope": "/holder",
        "display": "standalone",
        "orientation": "portrait",
        "background_color": "#f4f3ee",
        "theme_color": "#17477e",
        "icons": [
            {"src": path, "type": "image/png", "sizes": f"{size}x{size}", "purpose": purpose}
            for path, size in zip(_ICONS, (192, 512), strict=True)
            for purpose in ("any", "maskable")
        ],
    }


def _templates(name: str) -> Iterator[str]:
    text = (TEMPLATES / name).read_text(encoding="utf-8")
    yield text
    for other in _included(text):
        yield from _templates(other)


def _reached(scripts: Iterable[str], imports_of: Callable[[str], list[str]]) -> set[str]:
    """These scripts and all that they import, and so on."""
    found: set[str] = set()
    waiting = list(scripts)
    while waiting:
        path = waiting.pop()
        if path not in found:
            found.add(path)
            text = _file(path).read_text(encoding="utf-8")
            folder = PurePosixPath(path).parent
            waiting += [posixpath.normpath(folder / name) for name in imports_of(text)]
    return found


def _file(path: str) -> Path:
    return STATIC / PurePosixPath(path).relative_to("/static")
