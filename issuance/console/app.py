"""The application of the operators' API, in one process beside the service or apart from it."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime

from fastapi import FastAPI
from starlette.concurrency import run_in_threadpool

from card_core.kernel import Kernel
from card_core.sign_in import Profile
from issuance.console import problems, reference
from issuance.console.entry import PREFIX, Entrance
from issuance.console.issuing import Issuing
from issuance.console.pages import routes as pages
from issuance.console.pages.routes import Site
from issuance.console.routes import routes
from issuance.console.uploads import PART_BYTES_MAX, Uploads

# Of what is sent in parts: by the beginning of its path, how many bytes a body may have.
LARGER_BODIES = {f"{PREFIX}/rosters/": PART_BYTES_MAX}
_DESCRIPTION = """\
What a bureau's own programs at windows do: applications, cards made at once, blank cards,
guardians, approvals. A session's token in `Authorization: Bearer`; each change has an
`Idempotency-Key`. Errors are problem documents (RFC 9457).

窗口业务系统接口：申领、即时制卡、空白卡、监护人、复核。"""


def create_console(
    kernel: Kernel,
    *,
    pepper: bytes,
    profile: Profile,
    clock: Callable[[], datetime],
    site: Site | None = None,
) -> FastAPI:
    """clock: the time now, aware, UTC. site: draws the pages; without it there is the API alone."""
    uploads = Uploads(kernel, clock)
    issuing = Issuing(kernel)
    entrance = Entrance(kernel, pepper=pepper, profile=profile)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        await run_in_threadpool(uploads.close)
        await run_in_threadpool(issuing.close)
        await run_in_threadpool(entrance.tickets.close)

    app = FastAPI(
        lifespan=lifespan,
        title="社会保障卡窗口接口 · Operators of a card bureau",
        version="1",
        description=_DESCRIPTION,
        # The framework's own pages load scripts from another host.
        docs_url=None,
        redoc_url=None,
        openapi_url="/openapi.json",
        redirect_slashes=False,
    )
    app.router.routes.extend(routes(kernel, entrance, uploads, issuing, clock).routes)
    if site is not None:
        app.router.routes.extend(pages.routes(kernel, entrance, site).routes)
    problems.install(app)
    reference.install(app)
    return app
