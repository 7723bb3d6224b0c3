"""The service's own pages: the start page, the holder's page, and what they load."""

from dataclasses import dataclass
from functools import cache

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from scan_api.holders.session import COOKIE
from scan_api.pages import installing
from scan_api.pages.site import Site
from scan_api.services import Services


@dataclass(frozen=True, slots=True)
class StartHints:
    """What the start page may tell a newcomer: where the counter is, and whom to sign in as.

    Set as `app.state.start_hints` by whoever starts the service. The holder is there for
    demonstrations alone: everyone who opens the page reads the number and the password. So is
    `desk_sign_in`: a command of this machine that, with an operator's name, gives a ticket for the
    bureau's desk.
    """

    counter_url: str | None = None
    holder_number: str | None = None
    holder_password: str | None = None
    desk_url: str | None = None
    desk_sign_in: str | None = None


@cache
def _drawn_from() -> tuple[Site, installing.Shell]:
    """The same for every application of a process: read, packed and hashed once."""
    site = Site()
    return site, installing.shell_of("holder.html", site.static.named)


def routes(services: Services) -> APIRouter:
    router = APIRouter(include_in_schema=False)
    site, shell = _drawn_from()
    worker = installing.worker(shell)
    provider = services.person_check
    person_check = "" if provider is None else "simulated" if provider.is_simulated else "real"

    @router.get("/")
    def start(request: Request) -> Response:
        hints = getattr(request.app.state, "start_hints", StartHints())
        return site.render(request, "start.html", public=True, hints=hints)

    @router.get("/holder")
    def holder(request: Request) -> Response:
        # Only saves a question: whether the session is alive is asked by the page.
        response = site.render(
            request,
            "holder.html",
            installable=True,
            public=True,
            has_session=COOKIE in request.cookies,
            person_check=person_check,
            manifest=installing.MANIFEST_PATH,
            scripts_first=shell.first,
        )
        response.headers[installing.VERSION_HEADER] = shell.version
        return response

    @router.get(installing.WORKER_PATH)
    def holder_worker() -> Response:
        headers = {
            "Content-Security-Policy": installing.WORKER_POLICY,
            "Cache-Control": "no-cache",
        }
        return Response(worker, media_type="text/javascript", headers=headers)

    @router.get(installing.MANIFEST_PATH)
    def holder_manifest(lang: str = "zh") -> Response:
        return JSONResponse(
            installing.manifest(lang),
            media_type="application/manifest+json",
            headers={"Cache-Control": "no-cache"},
        )

    @router.get("/verify")
    def verify(request: Request) -> Response:
        return site.render(request, "verify.html", camera=True, public=True)

    @router.get("/favicon.ico")
    async def favicon(request: Request) -> Response:
        """Browsers ask for it on pages that name no icon, such as the reference."""
        return site.static.file("mark.svg", request)

    @router.get("/static/{path:path}")
    async def static_file(request: Request) -> Response:
        return site.static.answer(request)

    return router
