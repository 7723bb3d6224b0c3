"""Which pages there are, and who finds which: a page shows nothing that its API would refuse."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, Protocol

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from card_core.errors import SessionEndedError
from card_core.kernel import Kernel
from card_core.kernel.acts.imports import OpenImport
from card_core.kernel.permissions import READERS, RULES, Reading
from card_core.states import ServiceState
from card_core.store import operators
from card_core.store.operators import Operator, Role
from issuance.console.entry import Entrance


class StaticPages(Protocol):
    """Styles, scripts and pictures."""

    def file(self, path: str, request: Request) -> Response: ...

    def answer(self, request: Request) -> Response:
        """The file that `path`, a part of the request's path, names."""
        ...


class Site(Protocol):
    """What draws the pages: given by whoever starts the console."""

    @property
    def static(self) -> StaticPages: ...

    def render(self, request: Request, template: str, **values: Any) -> Response:
        """A page with its confining headers, in the language that its reader chose."""
        ...


@dataclass(frozen=True, slots=True)
class DeskPage:
    """path: below `/desk`. roles: who finds it in the navigation."""

    path: str
    template: str
    title_zh: str
    title_en: str
    roles: frozenset[Role]


PAGES: Final = (
    DeskPage("approvals", "approvals.html", "待复核", "Approvals", READERS[Reading.APPROVALS]),
    DeskPage("search", "search.html", "查找", "Search", READERS[Reading.HOLDERS]),
    DeskPage("batches", "batches.html", "批次", "Batches", READERS[Reading.HOLDERS]),
    DeskPage("places", "places.html", "机构和终端", "Institutions", READERS[Reading.PLACES]),
    DeskPage("figures", "figures.html", "统计", "Figures", READERS[Reading.FIGURES]),
    DeskPage("rosters", "rosters.html", "导入名册", "Rosters", RULES[OpenImport].roles),
)


def routes(kernel: Kernel, entrance: Entrance, site: Site) -> APIRouter:
    router = APIRouter(include_in_schema=False)

    def reader_of(request: Request) -> Operator | None:
        try:
            actor = entrance.operator(request)
        except SessionEndedError:
            return None
        with kernel.store.read() as tx:
            found = operators.get(tx, actor.id)
        return found if found is not None and found.state is ServiceState.ACTIVE else None

    @router.get("/")
    def entrance_page(request: Request) -> Response:
        reader = reader_of(request)
        if reader is not None:
            return RedirectResponse(f"/desk/{pages_of(reader)[0].path}", 303)
        return site.render(
            request, "sign_in.html", has_dynamic=entrance.profile.admits_dynamic_passwords
        )

    for page in PAGES:
        router.add_api_route(
            f"/desk/{page.path}", _page_endpoint(site, page, reader_of), methods=["GET"]
        )

    @router.get("/favicon.ico")
    async def favicon(request: Request) -> Response:
        return site.static.file("mark.svg", request)

    @router.get("/static/{path:path}")
    async def static_file(request: Request) -> Response:
        return site.static.answer(request)

    return router


def pages_of(operator: Operator) -> list[DeskPage]:
    """What this operator finds in the navigation."""
    return [page for page in PAGES if page.roles & operator.roles]


def _page_endpoint(
    site: Site, page: DeskPage, reader_of: Callable[[Request], Operator | None]
) -> Callable[[Request], Response]:
    def endpoint(request: Request) -> Response:
        reader = reader_of(request)
        if reader is None or page not in pages_of(reader):
            return RedirectResponse("/", 303)
        return site.render(request, page.template, **frame_of(reader, page))

    return endpoint


def frame_of(reader: Operator, page: DeskPage) -> dict[str, Any]:
    """What the frame around each page shows."""
    return {"reader": reader, "pages": pages_of(reader), "page": page}
