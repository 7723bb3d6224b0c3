"""The visits that a group's steps are taken in: locked, judged one after the other, written once.

A visit's row is its own account: hours, business types, steps and money. It is read behind its
lock, so that a visit that its holder ends is either seen here or waits for these steps.
"""

from collections.abc import Collection
from datetime import datetime

from card_core import business_types
from card_core.kernel.scan_requests import ScanRequest
from card_core.store import Lock, Transaction, visits
from card_core.store.visits import Visit
from card_core.verdicts import Reason


class VisitLedger:
    """For one transaction. tampered: visits whose row fails its HMAC; nothing relies on them."""

    def __init__(self, tx: Transaction, visit_ids: Collection[str]) -> None:
        self._tx = tx
        tx.lock_all((visits.lock_name(one) for one in visit_ids), Lock.OWN)
        self._visits, self.tampered = visits.get_all(tx, visit_ids)
        self._before = dict(self._visits)
        self._taken: set[tuple[str, bytes]] = set()

    def take(self, request: ScanRequest, now: datetime) -> Reason | None:
        """Count a step in its visit, or say why it can't be taken. No step of a visit: None."""
        if request.presented is None or request.presented.visit_id is None:
            return None
        visit = self._visits.get(request.presented.visit_id)
        reason = reason_of_visit(visit, request.institution_id, request.business_type, now)
        if visit is None or reason is not None:
            return reason
        step = (visit.id, request.presented.nonce)
        if step in self._taken:
            return Reason.ALREADY_USED  # by an earlier one of this group, and counted there
        after = visit.with_step(consumes=_consumes(request), amount_fen=request.amount_fen)
        if after is None:
            return Reason.VISIT_LIMIT_REACHED
        self._visits[visit.id] = after
        self._taken.add(step)
        return None

    def give_back(self, request: ScanRequest) -> None:
        """Undo `take` of a step that turned out to be spent already."""
        presented = request.presented
        if presented is not None and presented.visit_id is not None:
            visit = self._visits[presented.visit_id]
            self._visits[visit.id] = visit.without_step(
                consumes=_consumes(request), amount_fen=request.amount_fen
            )

    def keep(self) -> None:
        """Write each visit that has more steps than before."""
        for visit_id in sorted(self._visits):
            if self._visits[visit_id] != self._before[visit_id]:
                visits.keep_steps(self._tx, self._visits[visit_id])


def reason_of_visit(
    visit: Visit | None, institution_id: str, business_type: str, now: datetime
) -> Reason | None:
    """Why nothing of this business type can be done under a visit; None where it can.

    A visit that is not there and another institution's are one answer.
    """
    if visit is None or visit.institution_id != institution_id:
        return Reason.VISIT_NOT_HERE
    if not visit.is_open(now):
        return Reason.VISIT_ENDED
    if business_type not in visit.business_types:
        return Reason.STEP_NOT_IN_VISIT
    return None


def _consumes(request: ScanRequest) -> bool:
    return business_types.get(request.business_type).consumes
