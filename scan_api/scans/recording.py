"""From a terminal's request to a verdict, in the order in which a scan is checked.

Nobody's code is looked at before the terminal, its institution and the business type are known to
fit. Then steps 1 to 6 (card_core.codes.check), then 7 and 8: in one transaction of many scans, or
in the fast store (`identifying`) where the code is signed for identifying only.
Until that transaction a QR code needs memory alone, in the event loop itself: handing it to
another thread would cost more than all of it.
"""

from dataclasses import replace
from datetime import datetime
from typing import NamedTuple

from starlette.concurrency import run_in_threadpool

from card_core import business_types, codes
from card_core.business_types import BusinessType, UnknownBusinessTypeError
from card_core.codes import RefusedError
from card_core.codes.short_text import is_short_code
from card_core.kernel.peers import JudgedElsewhere
from card_core.kernel.scan_requests import ScanRequest as AskedScan
from card_core.presented import Medium, Presented
from card_core.verdicts import Reason
from crypto import sm3
from scan_api import problems
from scan_api.bodies import check_media_type, parse_body
from scan_api.issuers.models import PeerScanRequest
from scan_api.problems import ProblemError
from scan_api.refusal_limit import RefusalLimit
from scan_api.scans.models import OfferedBusinessType, ScanRequest, TerminalView
from scan_api.scans.verdict_json import verdict_json
from scan_api.services import Services
from scan_api.signed_requests import SignedRequest
from scan_api.terminals.authentication import Caller

PEER_REQUEST_ID_DIGITS = 32

# What a code that no issuer of ours made is refused as: rubbish, or a guess.
_WORTHLESS = frozenset(
    {
        Reason.MALFORMED,
        Reason.UNKNOWN_KEY,
        Reason.BAD_SIGNATURE,
        Reason.UNKNOWN_SHORT_CODE,
    }
)


class ScanDesk:
    """Where codes are scanned; one a process, in its event loop."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._limit = RefusalLimit()

    async def record(self, request: SignedRequest, content_type: str) -> bytes:
        """Return the verdict as JSON, the same bytes for a retry.

        Raises: ProblemError, CardCoreError, CryptoError.
        """
        services, now = self._services, self._services.clock()
        caller = services.authentication.authenticate(request, now)
        check_media_type(content_type)
        scan = parse_body(ScanRequest, request.body)
        business_type = business_type_at(caller, scan.business_type)
        found = await self._check(caller, scan, business_type, now)
        if found.refusal in _WORTHLESS:
            take_refusal(self._limit, caller, now)
        asked = AskedScan(
            terminal_id=caller.terminal.id,
            institution_id=caller.institution.id,
            request_id=scan.request_id,
            proof=caller.proof,
            public_key=caller.key.public_key,
            business_type=business_type.code,
            shown_digest=sm3.digest(scan.code.encode()),
            presented=found.presented,
            refusal=found.refusal,
            elsewhere=found.elsewhere,
            amount_fen=scan.amount_fen,
            operator=scan.operator or "",
            department=scan.department or "",
        )
        presented, identifying = found.presented, services.identifying
        if identifying is not None and presented is not None and presented.is_spent_fast:
            serving = (caller.terminal, caller.institution)
            return verdict_json(await identifying.record(asked, serving, now), scan.code)
        return verdict_json(await services.writer.submit(asked), scan.code)

    async def _check(
        self, caller: Caller, scan: ScanRequest, business_type: BusinessType, now: datetime
    ) -> "_Finding":
        """Steps 1 to 6: what the code presents, or the first reason against it; for a code of
        another issuer its verdict, 7 and 8 included.

        A short code, shown or printed, is checked as the long one that it stands for.
        """
        if not is_short_code(scan.code):
            return await self._check_long(scan.code, caller, scan, business_type, now)
        try:
            text = await run_in_threadpool(self._find_code, scan.code)
        except RefusedError as refused:
            return _Finding(refusal=refused.reason)
        if text is None:
            return _Finding(refusal=Reason.UNKNOWN_SHORT_CODE)
        found = await self._check_long(text, caller, scan, business_type, now)
        if found.presented is None:
            return found
        return _Finding(presented=found.presented._replace(medium=Medium.SHORT_CODE))

    def _find_code(self, short_text: str) -> str | None:
        """What 28 digits stand for, on a screen or on paper. Raises RefusedError, StoreError."""
        services = self._services
        return services.short_codes.find_code(short_text) or services.printed_codes.find_code(
            short_text
        )

    async def _check_long(
        self,
        text: str,
        caller: Caller,
        scan: ScanRequest,
        business_type: BusinessType,
        now: datetime,
    ) -> "_Finding":
        services = self._services
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
            return _Finding(refusal=refused.reason)
        if checked.issuer != services.peers.issuer:
            question = _question(caller, scan)
            judged = await run_in_threadpool(services.peers.judge, checked.issuer, question)
            return _Finding(elsewhere=replace(judged, checked=checked))
        if checked.kind is codes.CodeKind.OFFLINE:
            shown = await run_in_threadpool(services.presenter.present_offline, checked)
            return _Finding(refusal=shown) if isinstance(shown, Reason) else _Finding(shown)
        presented = services.presenter.present(checked)
        return _Finding(presented, None if presented else Reason.UNKNOWN_CARD)


class _Finding(NamedTuple):
    """What came of a code: one of the three."""

    presented: Presented | None = None
    refusal: Reason | None = None
    elsewhere: JudgedElsewhere | None = None


def _question(caller: Caller, scan: ScanRequest) -> PeerScanRequest:
    """What the code's issuer has to know. A terminal's retry asks it the same thing again."""
    own_id = f"sscard/peer-request/v1 {caller.terminal.id} {scan.request_id}".encode()
    return PeerScanRequest(
        code=scan.code,
        business_type=scan.business_type,
        request_id=sm3.digest(own_id).hex()[:PEER_REQUEST_ID_DIGITS],
        amount_fen=scan.amount_fen,
        institution_code=caller.institution.code,
        institution_name=caller.institution.name,
        institution_kind=caller.institution.kind,
        terminal=caller.terminal.serial_number.hex(),
    )


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


def take_refusal(limit: RefusalLimit, caller: Caller, now: datetime) -> None:
    """Count a worthless code. Raises: ProblemError (too_many_refusals)."""
    wait_seconds = limit.take(caller.terminal.id, now)
    if wait_seconds:
        raise ProblemError(problems.TOO_MANY_REFUSALS, headers={"Retry-After": str(wait_seconds)})
