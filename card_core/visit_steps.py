"""From a visit token to what steps 7 and 8 need: the counterpart of opening a code's box.

What is found out here is found out again behind the visit's lock, where it counts
(`card_core.kernel.visit_ledger`). This look comes first so that a token that is worth nothing
costs one read and no transaction that writes.
"""

from datetime import datetime

from card_core.codes import PurposeClass, RefusedError
from card_core.kernel.visit_ledger import reason_of_visit
from card_core.presented import Medium, Presented
from card_core.store import Store, visits
from card_core.verdicts import Reason
from card_core.visits import InvalidVisitTokenError, VisitTokens, step_nonce


class VisitPresenter:
    """Turns steps of visits into what they present. Safe in many threads."""

    def __init__(self, store: Store, tokens: VisitTokens) -> None:
        self._store = store
        self._tokens = tokens

    def present(
        self, token: str, *, institution_id: str, business_type: str, step: str, now: datetime
    ) -> Presented:
        """What a step of a visit presents. step: the institution's own name for it.

        Raises RefusedError (visit_not_here, visit_ended, step_not_in_visit), StoreError,
        TamperedRowError.
        """
        try:
            visit_id = self._tokens.open(token, institution_id)
        except InvalidVisitTokenError:
            raise RefusedError(Reason.VISIT_NOT_HERE) from None
        with self._store.read() as tx:
            visit = visits.get(tx, visit_id)
        reason = reason_of_visit(visit, institution_id, business_type, now)
        if visit is None or reason is not None:
            raise RefusedError(reason or Reason.VISIT_NOT_HERE)
        return Presented(
            medium=Medium.VISIT_TOKEN,
            issuer=visit.issuer,
            minted_at=visit.opened_at.replace(microsecond=0),
            usable_until=visit.ends_at,
            nonce=step_nonce(visit.id, business_type, step),
            ecard_id=visit.ecard_id,
            card_id=visit.card_id,
            purpose_class=PurposeClass.ANY_USE,
            for_whom=visit.for_whom,
            presence=visit.presence,
            visit_id=visit.id,
        )
