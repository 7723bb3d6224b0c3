"""A step of a visit: a scan in which a token stands for the code."""

from card_core.codes import RefusedError
from card_core.errors import NotAllowedError
from card_core.kernel.scan_requests import ScanRequest
from card_core.presented import Presented
from card_core.verdicts import Reason
from card_core.visit_steps import VisitPresenter
from crypto import sm3
from scan_api.bodies import check_media_type, parse_body
from scan_api.refusal_limit import RefusalLimit
from scan_api.scans.recording import business_type_at, take_refusal
from scan_api.services import Services
from scan_api.signed_requests import SignedRequest
from scan_api.visits.models import StepRequest


def ask_for_step(
    services: Services, limit: RefusalLimit, signed: SignedRequest, content_type: str
) -> ScanRequest:
    """What is to be recorded of a step. Raises: ProblemError, StoreError."""
    now = services.clock()
    caller = services.authentication.authenticate(signed, now)
    check_media_type(content_type)
    step = parse_body(StepRequest, signed.body)
    business_type = business_type_at(caller, step.business_type)
    presented, refusal = _present(services, step, caller.institution.id)
    if refusal is Reason.VISIT_NOT_HERE:
        take_refusal(limit, caller, now)
    return ScanRequest(
        terminal_id=caller.terminal.id,
        institution_id=caller.institution.id,
        request_id=step.request_id,
        proof=caller.proof,
        public_key=caller.key.public_key,
        business_type=business_type.code,
        shown_digest=sm3.digest(f"{step.visit_token} {step.step}".encode()),
        presented=presented,
        refusal=refusal,
        amount_fen=step.amount_fen,
        operator=step.operator or "",
        department=step.department or "",
    )


def _present(
    services: Services, step: StepRequest, institution_id: str
) -> tuple[Presented | None, Reason | None]:
    """What the step presents, or the reason against it."""
    if services.kernel.grants is None:
        raise NotAllowedError
    presenter = VisitPresenter(services.store, services.kernel.grants.visit_tokens)
    try:
        presented = presenter.present(
            step.visit_token,
            institution_id=institution_id,
            business_type=step.business_type,
            step=step.step,
            now=services.clock(),
        )
    except RefusedError as refused:
        return None, refused.reason
    return presented, None
