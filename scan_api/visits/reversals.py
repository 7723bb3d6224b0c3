"""Taking a scan back."""

from card_core.kernel.acts.reversals import ReverseScan
from card_core.store.reversals import ReversalKind
from scan_api.bodies import check_media_type, parse_body
from scan_api.services import Services
from scan_api.signed_requests import SignedRequest
from scan_api.visits.models import ReversalRequest, ReversalView


def reverse(services: Services, signed: SignedRequest, scan_id: str, content_type: str) -> bytes:
    """Return the reversal as JSON, the same bytes for a retry.

    Raises: ProblemError, KernelError.
    """
    caller = services.authentication.authenticate(signed, services.clock())
    proof = caller.require_signature()
    check_media_type(content_type)
    asked = parse_body(ReversalRequest, signed.body)
    act = ReverseScan(
        scan_id=scan_id,
        kind=ReversalKind(asked.kind),
        amount_fen=asked.amount_fen,
        operator=asked.operator or "",
        department=asked.department or "",
    )
    answer = services.kernel.perform(
        act, actor=caller.actor, request_id=asked.request_id, proof=proof
    )
    return ReversalView(**answer).model_dump_json().encode()
