"""What the programs that draw a page on their own machine have in common: bodies and failures."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from scan_api import problems
from scan_api.problems import Problem
from scan_api.terminal.errors import RequestRefusedError, TerminalError


class BadAskError(Exception):
    """The page asked for something that it should not have."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        super().__init__(problem.code)


async def read_body(request: Request, bytes_max: int) -> bytes:
    """Raises: BadAskError (body_too_large)."""
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > bytes_max:
            raise BadAskError(problems.BODY_TOO_LARGE)
    return bytes(body)


async def _answer_failure(_: Request, error: Exception) -> Response:
    """The service's own problem document, or in the same shape that there was none."""
    if isinstance(error, RequestRefusedError):
        return JSONResponse(error.problem, error.status)
    if not isinstance(error, TerminalError):
        raise error
    document = {
        "code": error.code,
        "title": error.title_en,
        "title_zh": error.title_zh,
        "detail": error.detail_en,
        "detail_zh": error.detail_zh,
    }
    return JSONResponse(document, 503)


async def _answer_bad_ask(_: Request, error: Exception) -> Response:
    if not isinstance(error, BadAskError):
        raise error
    return JSONResponse(error.problem.document(), error.problem.status)


HANDLERS: Mapping[Any, Any] = MappingProxyType(
    {TerminalError: _answer_failure, BadAskError: _answer_bad_ask}
)
