"""What a holder sees of their visits, and ends."""

from contextlib import suppress

from card_core.errors import WrongStateError
from card_core.kernel import Actor
from card_core.kernel.acts.visits import EndVisit
from card_core.states import VisitState
from card_core.store import institutions, visits
from card_core.store.visits import Visit
from scan_api.holders.idempotency import HeldKey, perform_once
from scan_api.services import Services
from scan_api.visits.models import HolderVisit, HolderVisits

VISITS_SHOWN_MAX = 50


def view_visits(services: Services, holder: Actor) -> HolderVisits:
    """The latest visits; one whose hours are over has ended, whatever its row says."""
    now = services.clock()
    with services.store.read() as tx:
        found = visits.of_holder(tx, holder.id, limit=VISITS_SHOWN_MAX)
        ids = {visit.institution_id for visit in found}
        named = {one: institutions.get_institution(tx, one) for one in ids}
    names = {one: institution.name if institution else "" for one, institution in named.items()}
    return HolderVisits(
        visits=[
            _view(visit, names[visit.institution_id], is_open=visit.is_open(now)) for visit in found
        ]
    )


def end_visit(services: Services, holder: Actor, held: HeldKey, visit_id: str) -> None:
    """When this returns, no step of the visit is taken. Raises: KernelError.

    Ending a visit that has ended is no error: what the holder wants is so.
    """
    with suppress(WrongStateError):
        perform_once(services.kernel, held, lambda: EndVisit(visit_id), holder=holder)


def _view(visit: Visit, institution_name: str, *, is_open: bool) -> HolderVisit:
    return HolderVisit(
        visit_id=visit.id,
        institution_name=institution_name,
        state=VisitState.OPEN if is_open else VisitState.ENDED,
        opened_at=visit.opened_at,
        ends_at=visit.ends_at,
        business_types=sorted(visit.business_types),
        steps=visit.steps,
        consuming=visit.consuming,
        consuming_max=visit.consuming_max,
        amount_fen=visit.amount_fen,
        amount_max_fen=visit.amount_max_fen,
    )
