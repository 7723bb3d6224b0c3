"""From a signed request to a verdict, in the order in which a scan is checked.

Nobody's code is looked at before the terminal, its institution and the business type are known to
fit. Then steps 1 to 6 (card_core.codes.check), then 7 and 8 in one transaction of many scans.
"""

import json
from dataclasses import replace
from datetime import datetime

from card_core import business_types, codes
from card_core.business_types import BusinessType, UnknownBusinessTypeError
from card_core.codes import CheckedCode, RefusedError
from card_core.codes.short_text import is_short_code
from card_core.kernel import Answer
from card_core.kernel.scan_requests import ScanRequest as RecordedScan
from card_core.presented import Medium
from card_core.verdicts import Reason
from crypto import sm3
from scan_api import problems
from scan_api.bodies import check_media_type, parse_body
from scan_api.problems import ProblemError
from scan_api.refusal_limit import RefusalLimit
from scan_api.scans.models import (
    NextAction,
    OfferedBusinessType,
    OpenedVisit,
    ScannedHolder,
    ScanRequest,
    TerminalView,
    Verdict,
)
from scan_api.services import Services
from scan_api.signed_requests import SignedRequest
from scan_api.terminals.authentication import Caller

# What a code that no issuer of ours made is refused as: rubbish, or a guess.
_WORTHLESS = frozenset(
    {
        Reason.MALFORMED,
        Reason.UNKNOWN_KEY,
        Reason.BAD_SIGNATURE,
        Reason.UNKNOWN_SHORT_CODE,
    }
)


def record(
    services: Services, limit: RefusalLimit, signed: SignedRequest, content_type: str
) -> bytes:
    """Return the verdict as JSON, the same bytes for a retry. Raises: ProblemError, KernelError."""
    now = services.clock()
    caller = services.authentication.authenticate(signed, now)
    check_media_type(content_type)
    scan = parse_body(ScanRequest, signed.body)
    business_type = business_type_at(caller, scan.business_type)
    checked, refusal = _check(services, caller, scan, business_type, now)
    if refusal in _WORTHLESS:
        take_refusal(limit, caller, now)
    presented = None if checked is None else services.presenter.present(checked)
    if checked is not None and presented is None:
        refusal = Reason.UNKNOWN_CARD
    if presented is not None and is_short_code(scan.code):
        presented = replace(presented, medium=Medium.SHORT_CODE)
    request = RecordedScan(
        terminal_id=caller.terminal.id,
        institution_id=caller.institution.id,
        request_id=scan.request_id,
        proof=caller.proof,
        business_type=business_type.code,
        shown_digest=sm3.digest(scan.code.encode()),
        presented=presented,
        refusal=refusal,
        amount_fen=scan.amount_fen,
        operator=scan.operator or "",
        department=scan.department or "",
    )
    answer = json.loads(services.writer.submit(request).result())
    return verdict_of(answer).model_dump_json().encode()


def view_terminal(services: Services, signed: SignedRequest) -> TerminalView:
    """Raises: ProblemError, ReplayedRequestError."""
    now = services.clock()
    caller = services.authentication.authenticate(signed, now)
    if caller.proof is not None:
        services.kernel.spend_proof(caller.proof, actor=caller.actor)
    institution = caller.institution
    return TerminalView(
        serial_number=caller.terminal.serial_number.hex(),
        institution_code=institution.code,
        institution_name=institution.name,
        institution_kind=institution.kind,
        server_time=now,
        business_types=[
            OfferedBusinessType(
                code=one.code, name_zh=one.name_zh, name_en=one.name_en, consumes=one.consumes
            )
            for one in business_types.ALL
            if institution.may_scan_for(one)
        ],
    )


def business_type_at(caller: Caller, code: str) -> BusinessType:
    """Raises: ProblemError (unknown_business_type, business_type_not_allowed)."""
    try:
        business_type = business_types.get(code)
    except UnknownBusinessTypeError:
        raise ProblemError(problems.UNKNOWN_BUSINESS_TYPE) from None
    if not caller.institution.may_scan_for(business_type):
        raise ProblemError(problems.BUSINESS_TYPE_NOT_ALLOWED)
    if business_type.consumes:
        caller.require_signature()
    return business_type


def _check(
    services: Services,
    caller: Caller,
    scan: ScanRequest,
    business_type: BusinessType,
    now: datetime,
) -> tuple[CheckedCode | None, Reason | None]:
    """Steps 1 to 6: the code's fields, or the first reason against it.

    A short code is checked as the long one that it stands for.
    """
    text: str | None = scan.code
    if is_short_code(scan.code):
        text = services.short_codes.find_code(scan.code)
    if text is None:
        return None, Reason.UNKNOWN_SHORT_CODE
    try:
        checked = codes.check(
            text,
            keys=services.key_ring(),
            now=now,
            business_type=business_type,
            terminal=caller.terminal.serial_number,
            amount_fen=scan.amount_fen,
        )
    except RefusedError as refused:
        return None, refused.reason
    return checked, None


def take_refusal(limit: RefusalLimit, caller: Caller, now: datetime) -> None:
    """Count a worthless code. Raises: ProblemError (too_many_refusals)."""
    wait_seconds = limit.take(caller.terminal.id, now)
    if wait_seconds:
        raise ProblemError(problems.TOO_MANY_REFUSALS, headers={"Retry-After": str(wait_seconds)})


def verdict_of(answer: Answer) -> Verdict:
    """Made of the kernel's answer and the texts alone, so that a retry gets the same bytes."""
    reason = Reason(answer["reason"])
    action = reason.next_action
    return Verdict(
        scan_id=answer["scan_id"],
        outcome=answer["outcome"],
        reason=reason,
        text_zh=reason.text_zh,
        text_en=reason.text_en,
        next_action=NextAction(
            clerk_zh=action.clerk_zh,
            clerk_en=action.clerk_en,
            holder_zh=action.holder_zh,
            holder_en=action.holder_en,
        ),
        card_state=answer["card_state"],
        scanned_at=answer["scanned_at"],
        presence=answer["presence"],
        for_whom=answer["for_whom"],
        holder=ScannedHolder(**answer["holder"]) if answer["holder"] else None,
        pseudonym=answer["pseudonym"],
        receipt=answer["receipt"],
        clerk_salt=answer["clerk_salt"],
        visit=OpenedVisit(**answer["visit"]) if answer["visit"] else None,
    )
