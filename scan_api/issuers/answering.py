"""Answering another issuer that asks about our holder's code, in the order of a scan.

1 one well-formed header · 2 the issuer is in the trust list and has this peer key · 3 its signature
over this very request, meant for us · 4 the time within the window. Then steps 1 to 8 as for our
own terminals, on our own database: what the asking issuer found out about the code counts for
nothing.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from starlette.concurrency import run_in_threadpool

from card_core import business_types, codes
from card_core.business_types import BusinessType, UnknownBusinessTypeError
from card_core.codes import CodeKind, KeyPurpose, RefusedError
from card_core.kernel import RequestProof
from card_core.kernel.peers import AskingInstitution
from card_core.kernel.scan_requests import ScanRequest
from card_core.presented import Presented
from card_core.signing import SigningKey
from card_core.verdicts import Reason
from crypto import sm2, sm3
from scan_api import problems
from scan_api.bodies import check_media_type, parse_body
from scan_api.issuers.models import PeerScanRequest
from scan_api.issuers.signatures import (
    Claim,
    PeerSignatureError,
    Question,
    parse_claim,
    sign_answer,
    verify,
)
from scan_api.problems import ProblemError
from scan_api.services import Services
from scan_api.signed_requests import WINDOW_SECONDS, SignedRequest

# Nobody holds the private half: an unknown issuer costs a signature check, too.
_NOBODY = sm2.PrivateKey.generate().public_key()


@dataclass(frozen=True, slots=True)
class SignedAnswer:
    """body: the verdict as JSON. signature: the answer's header."""

    body: bytes
    signature: str


async def answer(services: Services, signed: SignedRequest, content_type: str) -> SignedAnswer:
    """Raises: ProblemError, KernelError, StoreError, NoSigningKeyError."""
    question, request, key = await run_in_threadpool(_prepare, services, signed, content_type)
    body = await services.writer.submit(request)
    return SignedAnswer(body, sign_answer(question, body, key))


def _prepare(
    services: Services, signed: SignedRequest, content_type: str
) -> tuple[Question, ScanRequest, SigningKey]:
    now = services.clock()
    question = authenticate(services, signed, now)
    check_media_type(content_type)
    scan = parse_body(PeerScanRequest, signed.body)
    business_type = _business_type(scan)
    # Before anything is spent: a verdict that can't be signed would reach nobody.
    key = services.peers.signing_keys.current(KeyPurpose.PEER)
    return question, _to_record(services, question, scan, business_type, now), key


def authenticate(services: Services, signed: SignedRequest, now: datetime) -> Question:
    """Points 1 to 4: the question of an issuer that is trusted. Raises ProblemError."""
    try:
        if len(signed.authorization) != 1:
            raise PeerSignatureError
        claim = parse_claim(signed.authorization[0].decode("latin-1"))
        question = Question(
            method=signed.method,
            target=signed.target,
            asking=claim.issuer,
            asked=services.peers.issuer,
            signed_at=claim.signed_at,
            nonce=claim.nonce,
            body=signed.body,
        )
        public_key = _key(services, claim, now)
        verify(public_key or _NOBODY, claim.signature, question.to_be_signed(claim.key_number))
    except PeerSignatureError:
        raise ProblemError(problems.PEER_NOT_AUTHENTICATED) from None
    if public_key is None:
        raise ProblemError(problems.PEER_NOT_AUTHENTICATED)
    server_time = int(now.timestamp())
    if abs(server_time - claim.signed_at) > WINDOW_SECONDS:
        raise ProblemError(problems.CLOCK_OFF, extra={"server_time": server_time})
    return question


def proof_of(question: Question) -> RequestProof:
    """The question's nonce, to be spent."""
    expires_at = datetime.fromtimestamp(question.signed_at, UTC) + timedelta(seconds=WINDOW_SECONDS)
    return RequestProof(question.nonce, expires_at)


def _key(services: Services, claim: Claim, now: datetime) -> sm2.PublicKey | None:
    trusted = services.peers.trusted()
    entry = None if trusted is None else trusted.issuer(claim.issuer)
    key = None if entry is None else entry.key(KeyPurpose.PEER, claim.key_number)
    return key.public_key if key is not None and key.verifies_at(now) else None


def _business_type(scan: PeerScanRequest) -> BusinessType:
    try:
        business_type = business_types.get(scan.business_type)
    except UnknownBusinessTypeError:
        raise ProblemError(problems.UNKNOWN_BUSINESS_TYPE) from None
    if not business_type.is_offered_at(scan.institution_kind):
        raise ProblemError(problems.BUSINESS_TYPE_NOT_ALLOWED)
    return business_type


def _to_record(
    services: Services,
    question: Question,
    scan: PeerScanRequest,
    business_type: BusinessType,
    now: datetime,
) -> ScanRequest:
    at = AskingInstitution(
        issuer=question.asking,
        code=scan.institution_code,
        name=scan.institution_name,
        kind=scan.institution_kind,
        terminal=bytes.fromhex(scan.terminal),
    )
    presented, refusal = _check(services, scan, business_type, at, now)
    return ScanRequest(
        terminal_id=at.terminal_id,
        institution_id=at.institution_id,
        request_id=scan.request_id,
        proof=proof_of(question),
        business_type=business_type.code,
        shown_digest=sm3.digest(scan.code.encode()),
        presented=presented,
        refusal=refusal,
        amount_fen=scan.amount_fen,
        asking=at,
    )


def _check(
    services: Services,
    scan: PeerScanRequest,
    business_type: BusinessType,
    at: AskingInstitution,
    now: datetime,
) -> tuple[Presented | None, Reason | None]:
    """Steps 1 to 6: what the code presents, or the first reason against it. A code of a third
    issuer is not ours to judge."""
    try:
        checked = codes.check(
            scan.code,
            keys=services.key_ring(),
            now=now,
            business_type=business_type,
            terminal=at.terminal,
            amount_fen=scan.amount_fen,
        )
    except RefusedError as refused:
        return None, refused.reason
    if checked.issuer != services.peers.issuer:
        return None, Reason.UNKNOWN_KEY
    if checked.kind is CodeKind.OFFLINE:
        shown = services.presenter.present_offline(checked)
        return (None, shown) if isinstance(shown, Reason) else (shown, None)
    presented = services.presenter.present(checked)
    return presented, None if presented else Reason.UNKNOWN_CARD
