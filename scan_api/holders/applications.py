"""A holder applies for their own next card, or for a child's; sees how far it is; withdraws it."""

from card_core.application import Application, ApplicationKind
from card_core.applying import MakingMode
from card_core.errors import NotFoundError
from card_core.identity import IdentityNumber, mask_name
from card_core.kernel import Act, Actor
from card_core.kernel.acts.filings import FileApplication, WithdrawFiling, application_of
from card_core.kernel.applicants import as_known
from card_core.kernel.dates import SHANGHAI
from card_core.store import Reader, cards, filings, holders
from card_core.store.filings import Filing
from scan_api.holders.application_models import (
    Applications,
    ApplicationView,
    CardApplication,
    Child,
    FiledApplication,
)
from scan_api.holders.idempotency import HeldKey, perform_once
from scan_api.services import Services


def list_applications(services: Services, holder: Actor) -> Applications:
    """Those that this holder filed, and those for this holder, the newest first."""
    with services.store.read() as tx:
        number = holders.identity_of(tx, holder.id).social_security_number
        found = [_view(tx, one) for one in filings.of_holder(tx, holder.id, number)]
    return Applications(applications=found)


def apply(
    services: Services, holder: Actor, held: HeldKey, request: CardApplication
) -> FiledApplication:
    """Raises: ApplicationFaultsError, ApplicationRefusedError, KernelError."""

    def prepare() -> Act:
        kind = ApplicationKind(request.kind)
        if request.child is not None:
            application = _child(services, holder, request.child)._replace(kind=kind)
        else:
            application = _own(services, holder, kind)
        return FileApplication(application, MakingMode(request.mode))

    answer = perform_once(services.kernel, held, prepare, holder=holder)
    return FiledApplication(application_id=answer["filing_id"], state=answer["state"])


def withdraw(services: Services, holder: Actor, held: HeldKey, application_id: str) -> None:
    """Raises: KernelError."""
    perform_once(services.kernel, held, lambda: WithdrawFiling(application_id), holder=holder)


def _own(services: Services, holder: Actor, kind: ApplicationKind) -> Application:
    with services.store.read() as tx:
        card = cards.live_card_of(tx, holder.id)
        if card is None:
            before = cards.of_holders(tx, [holder.id])
            if not before:
                raise NotFoundError("card")
            card = before[-1]
        return as_known(tx, card, kind)


def _child(services: Services, holder: Actor, child: Child) -> Application:
    """Judged as a roster's row, with the session's holder as guardian."""
    with services.store.read() as tx:
        guardian = holders.identity_of(tx, holder.id)
    fields = {**child.model_dump(), "kind": "新申领"}
    fields |= {"guardian_name": guardian.name, "guardian_number": guardian.social_security_number}
    today = services.clock().astimezone(SHANGHAI).date()
    checked = services.check_application(fields, today)
    number = IdentityNumber(guardian.social_security_number)
    return checked._replace(guardian_name=guardian.name, guardian_number=number)


def _view(tx: Reader, filing: Filing) -> ApplicationView:
    return ApplicationView(
        application_id=filing.id,
        kind=filing.kind,
        mode=filing.mode,
        state=filing.state,
        name=mask_name(application_of(tx, filing.id).name),
        filed_at=filing.filed_at,
        reason=filing.refusal,
    )
