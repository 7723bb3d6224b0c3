"""Errors as problem documents (RFC 9457), in English and Chinese, for the operators' API.

The text of an error of the kernel says by itself what is wrong and what to do; here it gets a
status. What is in no table is a bland 500: its kind goes to the log, its text nowhere.
"""

import logging
from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response

from card_core import application_errors, errors
from card_core.errors import CardCoreError
from crypto import CryptoError
from issuance.errors import IssuanceError
from issuance.roster import RosterFileError

MEDIA_TYPE = "application/problem+json"
_log = logging.getLogger("sscard.console")

_STATUS: Mapping[type[CardCoreError], int] = {
    errors.NotAllowedError: 403,
    errors.SamePersonError: 403,
    errors.FactorMissingError: 403,
    errors.NotFoundError: 404,
    errors.InvalidActError: 422,
    application_errors.ApplicationFaultsError: 422,
    errors.IdempotencyConflictError: 422,
    errors.SignInRefusedError: 401,
    errors.SessionEndedError: 401,
    errors.SignInLockedError: 429,
    errors.StoreBusyError: 503,
    errors.SchemaOutdatedError: 503,
    errors.KernelError: 409,
}


class ConsoleError(Exception):
    """A fault of the caller's that no lower layer knows."""

    def __init__(self, status: int, code: str, message_zh: str, message_en: str) -> None:
        super().__init__(code)
        self.status = status
        self.code = code
        self.message_zh = message_zh
        self.message_en = message_en


def install(app: FastAPI) -> None:
    """Register the handlers."""
    for kind in (
        ConsoleError,
        CardCoreError,
        CryptoError,
        IssuanceError,
        RosterFileError,
        RequestValidationError,
        HTTPException,
        Exception,
    ):
        app.add_exception_handler(kind, lambda _, error: answer_to(error))


def answer_to(error: Exception) -> Response:
    """The problem document of an error."""
    match error:
        case ConsoleError():
            return _told(error.status, error)
        case application_errors.ApplicationFaultsError():
            return _told(422, error, errors=[one._asdict() for one in error.faults])
        case CardCoreError() if (status := _status_of(error)) is not None:
            return _told(status, error)
        case IssuanceError() | RosterFileError():
            return _told(422, error)
    return _answer_to_a_stranger(error)


def _answer_to_a_stranger(error: Exception) -> Response:
    """What the framework refused, and what nobody expected."""
    if isinstance(error, RequestValidationError):
        # Names of fields alone: a value may be a person's.
        fields = sorted({".".join(map(str, one["loc"][1:])) for one in error.errors()})
        zh, en = "部分字段缺失或有误，见 fields", "Some fields are missing or wrong; see `fields`"
        return _document(422, "invalid_request", zh, en, fields=fields[:20])
    if isinstance(error, HTTPException):
        zh, en = "没有这个地址或方法", "No such address or method"
        return _document(error.status_code, "bad_request", zh, en)
    _log.error('{"event": "console_failed", "error": "%s"}', type(error).__name__)
    zh, en = "服务出错，请稍后用同一请求重试", "The service failed; try again"
    return _document(500, "internal_error", zh, en)


def _told(
    status: int,
    error: ConsoleError | CardCoreError | IssuanceError | RosterFileError,
    **more: Any,
) -> Response:
    """An error that says itself what is wrong."""
    return _document(status, error.code, error.message_zh, error.message_en, **more)


def _status_of(error: CardCoreError) -> int | None:
    return next((_STATUS[kind] for kind in type(error).__mro__ if kind in _STATUS), None)


def _document(status: int, code: str, zh: str, en: str, **more: Any) -> Response:
    content = {"type": "about:blank", "status": status, "code": code, "title": code}
    content |= {"detail": en, "detail_zh": zh, **more}
    headers = {"WWW-Authenticate": "Bearer"} if status == 401 else {}
    return JSONResponse(content, status_code=status, media_type=MEDIA_TYPE, headers=headers)
