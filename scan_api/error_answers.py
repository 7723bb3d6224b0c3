"""Errors become answers here: one handler for each root, one table for errors from below."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from email.utils import format_datetime

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match

from card_core import application_errors, errors, holder_errors
from card_core.errors import CardCoreError
from card_core.signing import NoSigningKeyError
from card_core.verdicts import Reason
from crypto import CryptoError, RandomSourceError, SelfTestError
from scan_api import problems
from scan_api.bodies import problem_of
from scan_api.issuers.signatures import SCHEME as PEER_SCHEME
from scan_api.metrics import METHODS
from scan_api.problems import Problem, ProblemError
from scan_api.request_log import note_error
from scan_api.signed_requests import SCHEME

_BY_ERROR: Mapping[type[CardCoreError | CryptoError], Problem] = {
    errors.NotAllowedError: problems.NOT_ALLOWED,
    errors.WrongStateError: problems.WRONG_STATE,
    errors.NotFoundError: problems.NOT_FOUND,
    errors.AlreadyExistsError: problems.ALREADY_EXISTS,
    errors.InvalidActError: problems.INVALID_REQUEST,
    application_errors.ApplicationRefusedError: problems.APPLICATION_REFUSED,
    application_errors.ApplicationFaultsError: problems.INVALID_REQUEST,
    application_errors.FamilyError: problems.FAMILY_REFUSED,
    errors.NotReversibleError: problems.NOT_REVERSIBLE,
    errors.IdempotencyConflictError: problems.IDEMPOTENCY_CONFLICT,
    # Not told apart from a wrong signature: whoever replays has not proved to hold the key.
    errors.ReplayedRequestError: problems.NOT_AUTHENTICATED,
    errors.TooManyShortCodesError: problems.TOO_MANY_SHORT_CODES,
    holder_errors.TooManyExportsError: problems.TOO_MANY_EXPORTS,
    holder_errors.PersonCheckMissingError: problems.PERSON_CHECK_MISSING,
    holder_errors.PersonCheckUnavailableError: problems.PERSON_CHECK_UNAVAILABLE,
    holder_errors.PersonCheckRefusedError: problems.PERSON_CHECK_REFUSED,
    holder_errors.PersonCheckUndecidedError: problems.PERSON_CHECK_UNDECIDED,
    holder_errors.PersonCheckOverError: problems.PERSON_CHECK_OVER,
    holder_errors.PersonCheckLockedError: problems.PERSON_CHECK_LOCKED,
    errors.WeakPasswordError: problems.WEAK_PASSWORD,
    errors.SignInRefusedError: problems.SIGN_IN_REFUSED,
    errors.SignInLockedError: problems.SIGN_IN_LOCKED,
    errors.SessionEndedError: problems.SIGN_IN_NEEDED,
    errors.CardUnusableError: problems.CARD_UNUSABLE,
    errors.StoreBusyError: problems.NOT_READY,
    errors.SchemaOutdatedError: problems.NOT_READY,
    NoSigningKeyError: problems.NOT_READY,
    SelfTestError: problems.SELF_TEST_FAILED,
    RandomSourceError: problems.NOT_READY,
}
_BY_STATUS: Mapping[int, Problem] = {
    404: problems.NOT_FOUND,
    405: problems.METHOD_NOT_ALLOWED,
}
# RFC 9110, 11.6.1: a 401 names a scheme. No browser knows these, so none opens a window of its own.
_HEADERS: Mapping[Problem, Mapping[str, str]] = {
    problems.NOT_AUTHENTICATED: {"WWW-Authenticate": f"{SCHEME}, Bearer"},
    problems.PEER_NOT_AUTHENTICATED: {"WWW-Authenticate": PEER_SCHEME},
    problems.CLOCK_OFF: {"WWW-Authenticate": SCHEME},
    problems.SIGNATURE_NEEDED: {"WWW-Authenticate": SCHEME},
    problems.SIGN_IN_NEEDED: {"WWW-Authenticate": "SSCARD-Session"},
    problems.SIGN_IN_REFUSED: {"WWW-Authenticate": "SSCARD-Session"},
    problems.NOT_READY: {"Retry-After": "1"},
    problems.TOO_MANY_SHORT_CODES: {"Retry-After": "60"},
    problems.TOO_MANY_EXPORTS: {"Retry-After": "86400"},
    problems.REQUEST_RUNNING: {"Retry-After": "1"},
    problems.PERSON_CHECK_UNAVAILABLE: {"Retry-After": "60"},
}


# What a caller may hear about; any other error is a 500 of scan_api/request_log.py.
ANSWERABLE = (ProblemError, CardCoreError, CryptoError, RequestValidationError, HTTPException)


@dataclass(frozen=True, slots=True)
class ErrorAnswer:
    """A problem document on its way out. headers: without Content-Length."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def install(app: FastAPI) -> None:
    """Register the handlers."""
    for kind in ANSWERABLE:
        app.add_exception_handler(kind, _answer)


def answer_of(error: Exception) -> ErrorAnswer:
    """Raises the error itself where it is nothing that a caller should hear about."""
    known = _problem_of(error)
    media_type = {"content-type": problems.MEDIA_TYPE}
    headers = {**_HEADERS.get(known.problem, {}), **known.headers, **media_type}
    return ErrorAnswer(known.problem.status, headers, known.problem.to_bytes(known.extra))


async def _answer(request: Request, error: Exception) -> Response:
    note_error(request.scope, error)
    answer = answer_of(error)
    headers = dict(answer.headers)
    if answer.status == problems.METHOD_NOT_ALLOWED.status:
        headers["Allow"] = ", ".join(_offered(request))
    return Response(answer.body, status_code=answer.status, headers=headers)


def _offered(request: Request) -> Iterator[str]:
    """The methods of this address. The framework names those of the first route alone that has it,
    where RFC 9110, 10.2.1, wants all."""
    for method in sorted(METHODS):
        asked = {**request.scope, "method": method}
        if any(route.matches(asked)[0] is Match.FULL for route in request.app.routes):
            yield method


def _problem_of(error: Exception) -> ProblemError:
    """Raises the error itself where it is nothing that a caller should hear about."""
    match error:
        case ProblemError():
            return error
        case CardCoreError() | CryptoError():
            return _of_error_below(error)
        case RequestValidationError():
            return problem_of(error.errors())
        case HTTPException():
            problem = _BY_STATUS.get(error.status_code, problems.BAD_REQUEST)
            return ProblemError(problem, headers=error.headers)
        case _:
            raise error


def _of_error_below(error: CardCoreError | CryptoError) -> ProblemError:
    problem = next((_BY_ERROR[kind] for kind in type(error).__mro__ if kind in _BY_ERROR), None)
    if problem is None:
        raise error
    match error:
        case errors.SignInLockedError() | holder_errors.PersonCheckLockedError():
            retry_after = format_datetime(error.locked_until, usegmt=True)
            return ProblemError(problem, headers={"Retry-After": retry_after})
        case errors.CardUnusableError():
            reason = Reason(error.reason)
            told = {"detail": reason.text_en, "detail_zh": reason.text_zh}
            return ProblemError(problem, extra={"reason": reason.value, **told})
        case application_errors.ApplicationFaultsError():
            return ProblemError(problem, extra={"errors": [one._asdict() for one in error.faults]})
        case application_errors.ApplicationRefusedError() | application_errors.FamilyError():
            told = {"detail": error.message_en, "detail_zh": error.message_zh}
            return ProblemError(problem, extra={"reason": error.code, **told})
        case (
            errors.WrongStateError()
            | errors.InvalidActError()
            | errors.NotReversibleError()
            | errors.AlreadyExistsError()
            | errors.WeakPasswordError()
        ):
            # These say themselves, without personal data, what the catalogue can't know.
            told = {"detail": error.message_en, "detail_zh": error.message_zh}
            return ProblemError(problem, extra=told)
        case _:
            return ProblemError(problem)
