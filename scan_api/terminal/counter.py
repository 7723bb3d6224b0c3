"""The counter: a page for the clerk, served by the terminal's own process on this machine.

The page reads codes from a scanner or a camera and shows the verdict. It talks to this process
alone; key, signatures and decoding stay here.
"""

import secrets
from typing import Any, Protocol

import anyio.to_thread
from pydantic import ValidationError
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from scan_api import problems
from scan_api.limits import BODY_BYTES_MAX
from scan_api.pages.site import Site
from scan_api.request_log import RequestLog
from scan_api.scans.models import ScanRequest
from scan_api.security_headers import SecurityHeaders
from scan_api.terminal.frames import FRAME_BYTES_MAX, read_frame
from scan_api.terminal.local_answers import HANDLERS, BadAskError, read_body
from scan_api.terminal.local_only import LocalOnly


class Asked(Protocol):
    """Whom the counter asks: a `TerminalClient`, or one that fails over to itself."""

    def describe(self) -> dict[str, Any]: ...

    def scan(
        self,
        code: str,
        business_type: str,
        *,
        request_id: str | None = None,
        amount_fen: int | None = None,
        operator: str | None = None,
        department: str | None = None,
    ) -> dict[str, Any]: ...


def create_counter_app(client: Asked, *, port: int) -> Starlette:
    """The counter's application. It is for the loopback address, on `port`, and refuses others."""
    token = secrets.token_urlsafe(32)
    counter = _Counter(client, token)
    return Starlette(
        routes=[
            Route("/", counter.page, methods=["GET"]),
            Route("/terminal", counter.terminal, methods=["GET"]),
            Route("/scans", counter.scans, methods=["POST"]),
            Route("/frames", counter.frames, methods=["POST"]),
            Route("/static/{path:path}", counter.file, methods=["GET"]),
        ],
        middleware=[
            Middleware(RequestLog),
            Middleware(SecurityHeaders),
            Middleware(LocalOnly, port=port, token=token),
        ],
        exception_handlers=HANDLERS,
    )


class _Counter:
    def __init__(self, client: Asked, token: str) -> None:
        self.site = Site()
        self._client = client
        self._token = token

    async def page(self, request: Request) -> Response:
        return self.site.render(request, "counter.html", camera=True, counter_token=self._token)

    async def file(self, request: Request) -> Response:
        return self.site.static.answer(request)

    async def terminal(self, _: Request) -> Response:
        """Who this terminal is, as the service says."""
        return JSONResponse(await anyio.to_thread.run_sync(self._client.describe))

    async def scans(self, request: Request) -> Response:
        """Asks the service; the page's request id is kept, so that it can ask again."""
        try:
            scan = ScanRequest.model_validate_json(await read_body(request, BODY_BYTES_MAX))
        except ValidationError:
            # The page sends well-formed requests; what failed is not told, it may be personal.
            raise BadAskError(problems.BAD_REQUEST) from None

        def ask() -> dict[str, Any]:
            return self._client.scan(**scan.model_dump())

        return JSONResponse(await anyio.to_thread.run_sync(ask))

    async def frames(self, request: Request) -> Response:
        """Decodes one camera picture; {"text": null} when there is no code in it."""
        pixels = await read_body(request, FRAME_BYTES_MAX)

        def decode() -> str | None:
            width, height = (int(request.query_params.get(side, "0")) for side in _SIDES)
            return read_frame(pixels, width=width, height=height)

        try:
            return JSONResponse({"text": await anyio.to_thread.run_sync(decode)})
        except ValueError:
            raise BadAskError(problems.BAD_REQUEST) from None


_SIDES = ("width", "height")
