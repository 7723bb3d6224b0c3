"""Figures for the people who answer for them: operators whose role reads them."""

import threading
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query
from starlette.requests import Request

from card_core import sign_in
from card_core.errors import SessionEndedError
from card_core.figures import Dimension, Tally, figures
from card_core.kernel import Actor
from card_core.kernel.permissions import Reading
from card_core.kernel.reading import check_may_read
from card_core.store import figures as stored_figures
from scan_api import problems
from scan_api.figures.examples import FIGURES
from scan_api.figures.models import BureauFigures
from scan_api.openapi import OPERATOR_SECURITY, example, json_answer, problem_answers
from scan_api.problems import ProblemError
from scan_api.services import Services

# Counting goes over all cards: what was counted serves everybody for so long.
COUNTED_FOR = timedelta(seconds=60)
_BEARER = "Bearer "
# The values of Dimension, written out where the reference shows them.
_By = Literal["region", "bank", "month"]


@dataclass(frozen=True, slots=True)
class Counted:
    """The tallies of one moment. until: when somebody may count again; aware, UTC."""

    as_of: datetime
    until: datetime
    tallies: list[Tally]


class CountedCards:
    """The tallies for all who ask; one request of a process at a time counts anew, and nobody waits
    for it: the others get what there is, and while there is nothing they are to come again."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._counting = threading.Lock()
        self._last: Counted | None = None

    def get(self) -> Counted:
        """Raises StoreError; ProblemError (not_ready) while the first count is under way."""
        last = self._last
        if last is not None and self._services.clock() < last.until:
            return last
        if not self._counting.acquire(blocking=False):
            if last is None:
                raise ProblemError(problems.NOT_READY)
            return last
        try:
            as_of = self._services.clock()
            with self._services.store.read() as tx:
                tallies = stored_figures.tallies(tx)
            # From the end on: where counting itself takes a minute, it is not begun again at once.
            self._last = Counted(as_of, self._services.clock() + COUNTED_FOR, tallies)
            return self._last
        finally:
            self._counting.release()


def routes(services: Services) -> APIRouter:
    router = APIRouter(prefix="/v1/bureau", tags=["bureau"])
    counted = CountedCards(services)

    def reader_of_figures(request: Request) -> Actor:
        actor = _operator(services, request)
        with services.store.read() as tx:
            check_may_read(tx, actor, Reading.FIGURES)
        return actor

    @router.get(
        "/figures",
        operation_id="getFigures",
        summary="Cards issued, handed over, activated · 统计",
        responses={
            **json_answer("Of one moment · 同一时点", {"figures": example("By region", FIGURES)}),
            **problem_answers(
                problems.OPERATOR_SIGN_IN_NEEDED,
                problems.NOT_ALLOWED,
                problems.INVALID_REQUEST,
                problems.NOT_READY,
            ),
        },
        openapi_extra=OPERATOR_SECURITY,
        dependencies=[Depends(reader_of_figures)],
    )
    def get_figures(
        by: Annotated[list[_By] | None, Query(max_length=len(Dimension))] = None,
    ) -> BureauFigures:
        """Broken down by region, bank and month of issue, as asked. Nothing of a person is in it:
        groups of fewer than 10 cards go together as `other`. Counted anew after a minute; for
        makers, checkers, the system administrator and the auditor.

        按地区、银行、发卡月份细分。不含个人信息，不足 10 张的分组并入 other。每分钟至多统计一次；
        供经办、复核、系统管理员和审计管理员使用。
        """
        found = counted.get()
        return BureauFigures.of(figures(found.tallies, map(Dimension, by or ())), found.as_of)

    return router


def _operator(services: Services, request: Request) -> Actor:
    """Whose session the request names; `check_may_read` looks whether it is an operator's."""
    header = request.headers.get("authorization", "")
    if not header.startswith(_BEARER):
        raise ProblemError(problems.OPERATOR_SIGN_IN_NEEDED)
    try:
        return sign_in.authenticate(services.kernel, header.removeprefix(_BEARER))
    except SessionEndedError:
        raise ProblemError(problems.OPERATOR_SIGN_IN_NEEDED) from None
