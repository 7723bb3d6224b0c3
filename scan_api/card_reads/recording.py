"""From a chip card at a counter to a verdict: docs/chip-cards.md.

As with codes, nothing of the card is looked at before the terminal, its institution and the
business type are known to fit, and steps 7 and 8 are the group recorder's.
"""

from datetime import datetime

from card_core.card_reading import CardRead
from card_core.chip_cards import CardText, CardTextError, CardTextProblem, parse_card_text
from card_core.codes import RefusedError
from card_core.kernel.scan_requests import ScanRequest
from card_core.presented import Presented
from card_core.verdicts import Reason
from crypto import sm3
from scan_api import problems
from scan_api.bodies import check_media_type, parse_body
from scan_api.card_reads.models import CardChallenge, CardReadRequest
from scan_api.problems import ProblemError
from scan_api.refusal_limit import RefusalLimit
from scan_api.scans.recording import business_type_at, take_refusal
from scan_api.services import Services
from scan_api.signed_requests import SignedRequest
from scan_api.terminals.authentication import Caller

# Whoever guesses cryptograms or challenges gets these.
_WORTHLESS = frozenset({Reason.CHALLENGE_INVALID, Reason.CARD_NOT_GENUINE})


def give_challenge(services: Services, signed: SignedRequest) -> CardChallenge:
    """Raises: ProblemError, ReplayedRequestError."""
    now = services.clock()
    caller = services.authentication.authenticate(signed, now)
    if signed.body:
        raise ProblemError(problems.INVALID_REQUEST)
    if caller.proof is not None:
        services.kernel.spend_proof(caller.proof, actor=caller.actor)
    challenge = services.card_reading.challenge(caller.terminal.serial_number, now)
    return CardChallenge(
        challenge_id=challenge.name,
        session_factor=challenge.session_factor.hex(),
        challenge=challenge.value.hex(),
        expires_at=challenge.expires_at,
        server_time=now,
    )


def ask_for_card_read(
    services: Services, limit: RefusalLimit, signed: SignedRequest, content_type: str
) -> ScanRequest:
    """What is to be recorded of a reading. Raises: ProblemError, StoreError."""
    now = services.clock()
    caller = services.authentication.authenticate(signed, now)
    check_media_type(content_type)
    asked = parse_body(CardReadRequest, signed.body)
    business_type = business_type_at(caller, asked.business_type)
    text = _parse_text(asked.card_text)
    presented, refusal = _present(services, caller, asked, text, now)
    if refusal in _WORTHLESS:
        take_refusal(limit, caller, now)
    return ScanRequest(
        terminal_id=caller.terminal.id,
        institution_id=caller.institution.id,
        request_id=asked.request_id,
        proof=caller.proof,
        public_key=caller.key.public_key,
        business_type=business_type.code,
        shown_digest=_shown_digest(asked),
        presented=presented,
        refusal=refusal,
        amount_fen=asked.amount_fen,
        operator=asked.operator or "",
        department=asked.department or "",
    )


def _parse_text(text: str) -> CardText:
    try:
        return parse_card_text(text)
    except CardTextError as error:
        told = [_field_error(one) for one in error.problems]
        raise ProblemError(problems.INVALID_REQUEST, extra={"errors": told}) from None


def _field_error(one: CardTextProblem) -> dict[str, str]:
    return {
        "field": f"card_text.{one.field}" if one.field else "card_text",
        "code": one.problem.code,
        "message_zh": one.problem.message_zh,
        "message_en": one.problem.message_en,
    }


def _present(
    services: Services, caller: Caller, asked: CardReadRequest, text: CardText, now: datetime
) -> tuple[Presented | None, Reason | None]:
    """The card that was there, or the first reason against it."""
    read = CardRead(asked.challenge_id, text, bytes.fromhex(asked.cryptogram))
    try:
        terminal = caller.terminal.serial_number
        return services.card_reading.present(read, terminal=terminal, now=now), None
    except RefusedError as refused:
        return None, refused.reason


def _shown_digest(asked: CardReadRequest) -> bytes:
    """The bar is in no challenge, so that the parts can't be told apart in two ways."""
    shown = f"card|{asked.challenge_id}|{asked.cryptogram}|{asked.card_text}"
    return sm3.digest(shown.encode())
