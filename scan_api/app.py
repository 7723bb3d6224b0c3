"""The application: routes, error answers, and the middleware around them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio.to_thread
from fastapi import FastAPI
from starlette.types import Receive, Scope, Send

import scan_api.bundles.routes
import scan_api.card_reads.routes
import scan_api.channels.routes
import scan_api.holders.routes
import scan_api.issuers.routes
import scan_api.offline_scans.routes
import scan_api.pages.routes
import scan_api.receipt_checks.routes
import scan_api.scans.routes
import scan_api.terminals.routes
import scan_api.visits.routes
from card_core.store import database
from scan_api import business_types, error_answers, health, openapi
from scan_api.bundles.answers import CarriedAnswers
from scan_api.holders.password_work import PasswordWork
from scan_api.limits import RequestLimits
from scan_api.overload import Admission, Overload
from scan_api.reference import page
from scan_api.request_log import RequestLines, RequestLog
from scan_api.scans.endpoint import ScanEndpoint
from scan_api.scans.recording import ScanDesk
from scan_api.security_headers import SecurityHeaders
from scan_api.services import Services

_DESCRIPTION = """\
Designated hospitals and pharmacies verify a holder's code here; holders show their codes here.
Times are RFC 3339 in UTC, amounts are in fen, bodies are JSON in UTF-8 and at most 64 KiB; integers
are written without a point (`251`, never `251.0`). A refused code is an answer, not an error;
errors are problem documents (RFC 9457).

定点医药机构在此核验动态码，持卡人在此出示动态码。时间为 RFC 3339（UTC），金额以分计，请求体为
UTF-8 编码的 JSON，最多 64 KiB；整数不带小数点（写作 `251`，不写作 `251.0`）。码被拒绝属于正常答复；
错误以 RFC 9457 的格式给出，中英文对照。"""

_TAGS = (
    {"name": "terminal", "description": "For terminals · 终端"},
    {"name": "enrolment", "description": "Terminals' keys and tokens · 终端密钥与令牌"},
    {"name": "holder", "description": "For holders · 持卡人"},
    {"name": "channel", "description": "For service channels · 服务渠道"},
    {"name": "issuer", "description": "For other issuers · 其他发卡机构"},
    {"name": "service", "description": "For everybody · 公共"},
)


# For what waits, mostly for the database, which as many may ask at a time; other issuers may take
# half of them. Each keeps a quarter of a megabyte for good.
THREADS = database.CONNECTIONS


@asynccontextmanager
async def _running(services: Services) -> AsyncIterator[None]:
    """What lives in the event loop of the server: begun before the first request, and ended behind
    the last one, when every record of a scan that was answered is written."""
    anyio.to_thread.current_default_thread_limiter().total_tokens = THREADS
    identifying = services.identifying
    if identifying is not None:
        await identifying.start()
    try:
        yield
    finally:
        if identifying is not None:
            await identifying.close()
        await asyncio.to_thread(services.writer.stop)


class _Service(FastAPI):
    """The framework's application with the scans' endpoint before all of its layers."""

    scans: ScanEndpoint

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.scans(scope, receive, send)


def create_app(services: Services, admission: Admission | None = None) -> FastAPI:
    """The whole service over `services`, in one process.

    admission: how much it takes on at a time, and the numbers that it counts.
    """
    admission = admission or Admission()
    app = _Service(
        title="社会保障卡核验服务 · Social security card verification",
        version="1",
        description=_DESCRIPTION,
        # The framework's own pages load scripts from another host; scan_api/reference does not.
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        # A slash too many is a wrong address: a redirect would drop the signature's target.
        redirect_slashes=False,
        lifespan=lambda _: _running(services),
        telemetry={"tracing": False, "metrics": False, "logs": False},
    )
    desk = ScanDesk(services)
    answers, password_work = CarriedAnswers(services.store), PasswordWork()
    # Not by `include_router`: what is included is analysed again at the first request.
    for router in (
        scan_api.scans.routes.routes(services, desk),
        scan_api.visits.routes.routes(services),
        scan_api.card_reads.routes.routes(services),
        scan_api.terminals.routes.routes(services),
        scan_api.bundles.routes.routes(services, answers),
        scan_api.offline_scans.routes.routes(services),
        scan_api.holders.routes.routes(services, password_work),
        scan_api.channels.routes.routes(services, password_work),
        business_types.routes(services),
        scan_api.issuers.routes.routes(services, answers),
        scan_api.receipt_checks.routes.routes(services),
        health.routes(services),
        page.routes(app),
        scan_api.pages.routes.routes(services),
    ):
        app.router.routes.extend(router.routes)
    openapi.install(app, _TAGS)
    error_answers.install(app)
    lines = RequestLines(admission.metrics)
    # The last added is the outermost: headers on everything, also on what the others answer.
    # Bodies are read before a place is taken: a slow sender must not hold one.
    app.add_middleware(Overload, admission=admission)
    app.add_middleware(RequestLimits)
    app.add_middleware(RequestLog, lines=lines)
    app.add_middleware(SecurityHeaders)
    # The hottest route goes round all of that, and does the same in line.
    app.scans = ScanEndpoint(super(_Service, app).__call__, desk, admission, lines)
    return app
