"""The page of a service channel, served by the channel's own process on this machine.

The page asks one thing a screen: of the holder at a kiosk, of the clerk where one serves people.
Which of the two, and what may be done, the service says. It talks to this process alone: key,
signatures and the session of whoever is signed in stay here.
"""

import secrets
import time
from collections.abc import Callable
from typing import Any, Final, TypeVar

import anyio.to_thread
from pydantic import BaseModel, ConfigDict, ValidationError
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from card_core.sign_in import Prover
from scan_api import problems
from scan_api.channels.clerk_models import ClerkSignIn
from scan_api.channels.models import ChannelSignIn
from scan_api.kiosk.client import ChannelClient
from scan_api.kiosk.person import CLERK_IDLE_SECONDS, PersonBefore
from scan_api.limits import BODY_BYTES_MAX
from scan_api.pages.site import Site
from scan_api.request_log import RequestLog
from scan_api.scans.models import RequestId
from scan_api.security_headers import SecurityHeaders
from scan_api.terminal.local_answers import HANDLERS, BadAskError, read_body
from scan_api.terminal.local_only import LocalOnly

_Asked = TypeVar("_Asked", bound=BaseModel)


# What of the service a clerk's page asks for, under `/v1/channel/clerk/`.
BY_CLERK: Final = frozenset({"activations", "loss-reports", "applications"})


class _ByClerk(BaseModel):
    """An object; the service judges what is in it."""

    model_config = ConfigDict(extra="allow")


class _LossReport(BaseModel):
    """The page's own name for the report, so that it can ask again."""

    request_id: RequestId


def create_kiosk_app(
    client: ChannelClient,
    *,
    port: int,
    prover: Prover | None = None,
    monotonic: Callable[[], float] = time.monotonic,
) -> Starlette:
    """The channel's application. It is for the loopback address, on `port`, and refuses others.

    prover: the second factor of the clerk whose machine this is; None: they type dynamic passwords.
    """
    token = secrets.token_urlsafe(32)
    kiosk = _Kiosk(client, PersonBefore(client, monotonic=monotonic), token, prover)
    return Starlette(
        routes=[
            Route("/", kiosk.page, methods=["GET"]),
            Route("/channel", kiosk.channel, methods=["GET"]),
            Route("/session", kiosk.arrive, methods=["POST"]),
            Route("/session/end", kiosk.leave, methods=["POST"]),
            Route("/loss-reports", kiosk.report_loss, methods=["POST"]),
            Route("/printed-codes", kiosk.print_code, methods=["POST"]),
            Route("/applications/progress", kiosk.see_applications, methods=["POST"]),
            Route("/clerk/session", kiosk.clerk_arrives, methods=["POST"]),
            Route("/clerk/{what:str}", kiosk.by_clerk, methods=["POST"]),
            Route("/static/{path:path}", kiosk.file, methods=["GET"]),
        ],
        middleware=[
            Middleware(RequestLog),
            Middleware(SecurityHeaders),
            Middleware(LocalOnly, port=port, token=token),
        ],
        exception_handlers=HANDLERS,
    )


class _Kiosk:
    def __init__(
        self, client: ChannelClient, person: PersonBefore, token: str, prover: Prover | None
    ) -> None:
        self.site = Site("scan_api.kiosk")
        self._prover = prover
        self._client = client
        self._person = person
        self._token = token

    async def page(self, request: Request) -> Response:
        """A page that is loaded anew begins with nobody before it."""
        await anyio.to_thread.run_sync(self._person.leave)
        has_key = self._prover is not None
        return self.site.render(request, "kiosk.html", page_token=self._token, has_key=has_key)

    async def file(self, request: Request) -> Response:
        return self.site.static.answer(request)

    async def channel(self, _: Request) -> Response:
        return await _answer(self._client.describe)

    async def arrive(self, request: Request) -> Response:
        asked = await _parsed(request, ChannelSignIn)
        number, password = asked.social_security_number, asked.password
        return await _answer(
            lambda: self._person.arrive(lambda: self._client.open_session(number, password))
        )

    async def leave(self, _: Request) -> Response:
        await anyio.to_thread.run_sync(self._person.leave)
        return JSONResponse({})

    async def report_loss(self, request: Request) -> Response:
        asked = await _parsed(request, _LossReport)
        return await _answer(
            lambda: self._client.report_loss(self._person.session(), request_id=asked.request_id)
        )

    async def see_applications(self, _: Request) -> Response:
        return await _answer(lambda: self._client.see_applications(self._person.session()))

    async def clerk_arrives(self, request: Request) -> Response:
        asked = await _parsed(request, ClerkSignIn)
        name, password, digits = asked.name, asked.password, asked.dynamic_password

        def opened() -> dict[str, Any]:
            return self._client.open_clerk_session(name, password, digits, self._prover)

        return await _answer(lambda: self._person.arrive(opened, idle_seconds=CLERK_IDLE_SECONDS))

    async def by_clerk(self, request: Request) -> Response:
        """The page's own name for it is in it, so that it can ask again."""
        what = request.path_params["what"]
        if what not in BY_CLERK:
            raise BadAskError(problems.NOT_FOUND)
        fields = (await _parsed(request, _ByClerk)).model_dump()
        return await _answer(lambda: self._client.by_clerk(what, self._person.session(), fields))

    async def print_code(self, _: Request) -> Response:
        return await _answer(lambda: self._client.print_code(self._person.session()))


async def _answer(ask: Callable[[], dict[str, Any]]) -> Response:
    return JSONResponse(await anyio.to_thread.run_sync(ask))


async def _parsed(request: Request, model: type[_Asked]) -> _Asked:
    """What the page sent; what is wrong in it is not told, it may be personal."""
    try:
        return model.model_validate_json(await read_body(request, BODY_BYTES_MAX))
    except ValidationError:
        raise BadAskError(problems.BAD_REQUEST) from None
