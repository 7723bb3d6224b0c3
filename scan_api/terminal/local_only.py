"""Keeps the counter to the clerk's own browser on this machine.

The counter answers on the loopback address, where every page that the browser shows may also send
requests. What it is protected from, and by what:

    another machine                         the peer's address
    a strange name that is made to point    the Host header (DNS rebinding)
      at this machine
    a page of another site                  the Origin header, and a token that only the counter's
                                            own page has; new at each start
"""

import hmac
from collections.abc import Mapping

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

PEERS = ("127.0.0.1", "::1")
COUNTER_HEADER = "x-counter-token"

_STRANGE = {
    "code": "not_from_the_counter",
    "title": "This request does not come from this machine's own page",
    "title_zh": "请求不是来自本机自己的页面",
    "detail": "Open or reload the page on this computer.",
    "detail_zh": "请在这台电脑上打开或刷新页面。",
}


class LocalOnly:
    """Pure ASGI middleware; answers 403 itself. port: where the counter listens."""

    def __init__(self, app: ASGIApp, *, port: int, token: str) -> None:
        self.app = app
        self._hosts = {f"127.0.0.1:{port}", f"localhost:{port}"}
        self._token = token.encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and not self._is_allowed(scope):
            await JSONResponse(_STRANGE, status_code=403)(scope, receive, send)
            return
        await self.app(scope, receive, send)

    def _is_allowed(self, scope: Scope) -> bool:
        headers = _single_headers(scope)
        host = headers.get("host", "")
        if scope["client"] is None or scope["client"][0] not in PEERS or host not in self._hosts:
            return False
        if scope["method"] in {"GET", "HEAD"} and _is_open(scope["path"]):
            return True
        # A browser leaves Origin out of a GET to its own site; of a POST it never does.
        origin = headers.get("origin", "" if scope["method"] == "POST" else f"http://{host}")
        token = headers.get(COUNTER_HEADER, "").encode("latin-1")
        return origin == f"http://{host}" and hmac.compare_digest(token, self._token)


def _is_open(path: str) -> bool:
    """The page itself and its styles and scripts; nothing in them is secret but the token, which
    another site's page can load but not read."""
    return path == "/" or path.startswith("/static/")


def _single_headers(scope: Scope) -> Mapping[str, str]:
    """A header that is there twice counts as strange: it gets a value that fits nothing."""
    found: dict[str, str] = {}
    for name, value in scope["headers"]:
        key = name.decode("latin-1")
        found[key] = "twice" if key in found else value.decode("latin-1")
    return found
