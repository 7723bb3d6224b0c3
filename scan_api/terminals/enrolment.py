"""A terminal's key: brought with an enrolment code, and followed by the next one."""

from datetime import datetime

from card_core.errors import InvalidActError, NotFoundError
from card_core.kernel import Actor, ActorKind
from card_core.kernel.acts.enrolment import FAILURES_MAX, EnrolTerminal, RotateTerminalKey
from card_core.kernel.acts.institutions import check_serial_number
from card_core.kernel.enrolment_codes import EnrolmentCode
from card_core.store import enrolments
from scan_api import problems
from scan_api.bodies import check_media_type, parse_body
from scan_api.services import Services
from scan_api.signed_requests import SignedRequest
from scan_api.terminals import possession
from scan_api.terminals.models import Enrolled, EnrolmentRequest, KeyAccepted, NextKey
from scan_api.terminals.possession import NotPossessedError
from scan_api.terminals.registry import key_name

_ENROLMENT = Actor(ActorKind.SYSTEM, "enrolment")
_REQUEST_ID_BYTES = 16


def enrol(services: Services, body: bytes, content_type: str, peer: str) -> Enrolled:
    """1 the proof of the key · 2 an enrolment of this terminal and code name that is still open ·
    3 the code. Whatever fails is one answer, and writes nothing before the name is right.

    Raises: ProblemError (enrolment_refused, too_many_failures and the body's), StoreError.
    """
    check_media_type(content_type)
    asked = parse_body(EnrolmentRequest, body)
    now = services.clock()
    serial_number, public_key = bytes.fromhex(asked.serial_number), bytes.fromhex(asked.public_key)
    code = EnrolmentCode(asked.enrolment_code)
    signed = possession.enrolment_bytes(serial_number, code.text, public_key)
    if not (
        _possesses(public_key, asked.proof, signed)
        and _is_open(services, serial_number, code, now)
        and _use(services, serial_number, code, public_key)
    ):
        raise services.authentication.refuse(peer, serial_number, now, problems.ENROLMENT_REFUSED)
    services.authentication.registry.refresh()
    return Enrolled(
        serial_number=asked.serial_number,
        key_name=key_name(public_key).hex(),
        token_audience=services.authentication.tokens.audience,
        server_time=now,
    )


def rotate(services: Services, request: SignedRequest, content_type: str) -> KeyAccepted:
    """Take the caller's next key. Raises: ProblemError, KernelError, StoreError."""
    now = services.clock()
    caller = services.authentication.authenticate_any(request, now)
    proof = caller.require_signature()
    check_media_type(content_type)
    asked = parse_body(NextKey, request.body)
    serial_number, public_key = caller.terminal.serial_number, bytes.fromhex(asked.public_key)
    if not _possesses(
        public_key, asked.proof, possession.next_key_bytes(serial_number, public_key)
    ):
        raise InvalidActError(
            "proof", "不是新密钥对该请求的签名", "is not this key's own signature of it"
        )
    answer = services.kernel.perform(
        RotateTerminalKey(public_key, caller.key.public_key),
        actor=caller.actor,
        request_id=_request_id(services),
        proof=proof,
    )
    services.authentication.registry.refresh()
    return KeyAccepted(
        serial_number=serial_number.hex(),
        key_name=key_name(public_key).hex(),
        previous_key_ends_at=answer["previous_key_ends_at"],
        server_time=now,
    )


def _possesses(public_key: bytes, proof: str, signed: bytes) -> bool:
    try:
        possession.check(public_key, proof, signed)
    except NotPossessedError:
        return False
    return True


def _is_open(services: Services, serial_number: bytes, code: EnrolmentCode, now: datetime) -> bool:
    """Asked before anything is written: of what outsiders send, nothing gets further."""
    with services.store.read() as tx:
        found = enrolments.find(tx, serial_number, code.name)
    return found is not None and found.failures < FAILURES_MAX and now < found.ends_at


def _use(services: Services, serial_number: bytes, code: EnrolmentCode, public_key: bytes) -> bool:
    try:
        check_serial_number(serial_number)
        digest = code.digest(services.store.cipher, serial_number)
        act = EnrolTerminal(serial_number, code.name, digest, public_key)
        # A request id of its own: a lost answer is asked for by the same code and key.
        answer = services.kernel.perform(act, actor=_ENROLMENT, request_id=_request_id(services))
    except (InvalidActError, NotFoundError):
        return False
    return bool(answer["outcome"] == "enrolled")


def _request_id(services: Services) -> str:
    return services.kernel.random_bytes(_REQUEST_ID_BYTES).hex()
