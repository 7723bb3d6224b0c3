"""What stands around every request is plain ASGI, in one order, and adds little."""

import ast
import asyncio
from pathlib import Path

from scan_service import ScanService
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from scan_api.limits import RequestLimits
from scan_api.overload import Overload
from scan_api.request_log import RequestLog
from scan_api.security_headers import SecurityHeaders

SOURCES = Path(__file__).parents[2] / "scan_api"


def test_the_order_is_headers_log_limits_places(service: ScanService) -> None:
    """A refusal has its headers and its line, and no slow body holds a place."""
    classes = [one.cls for one in service.app.user_middleware]
    assert classes == [SecurityHeaders, RequestLog, RequestLimits, Overload]


def test_no_middleware_runs_each_request_in_a_task_group_of_its_own(service: ScanService) -> None:
    """`BaseHTTPMiddleware` costs more than a whole scan, and `@app.middleware("http")` is one."""
    for one in service.app.user_middleware:
        assert not (isinstance(one.cls, type) and issubclass(one.cls, BaseHTTPMiddleware))
    for path in SOURCES.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom):
                assert node.module != "starlette.middleware.base", path
            if isinstance(node, ast.Attribute):
                assert node.attr != "BaseHTTPMiddleware", path
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                assert node.func.attr != "middleware", path


def test_the_middleware_passes_on_what_it_does_not_know(service: ScanService) -> None:
    seen: list[str] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append(scope["type"])

    async def receive() -> Message:
        return {}

    async def send(message: Message) -> None:
        del message

    for one in service.app.user_middleware:
        chain: ASGIApp = one.cls(app, *one.args, **one.kwargs)  # type: ignore[call-arg]
        asyncio.run(chain({"type": "lifespan"}, receive, send))  # type: ignore[arg-type]
    assert seen == ["lifespan"] * len(service.app.user_middleware)
