"""What a terminal asks for with one scan, behind all checks that need no transaction."""

from dataclasses import dataclass

from card_core import business_types, codes
from card_core.business_types import Purpose
from card_core.errors import InvalidActError
from card_core.kernel import limits
from card_core.kernel.actors import Actor, ActorKind, RequestProof
from card_core.kernel.content import canonical_bytes
from card_core.kernel.peers import AskingInstitution, JudgedElsewhere
from card_core.presented import NONCE_SIZE_BYTES, Presented
from card_core.verdicts import Reason

DIGEST_SIZE_BYTES = 32

_BUSINESS_TYPES = frozenset(one.code for one in business_types.ALL)


@dataclass(frozen=True, slots=True, repr=False)
class ScanRequest:
    """One scan by an authenticated terminal; exactly one of `presented`, `refusal` and `elsewhere`
    is given.

    request_id: unique for each request of the terminal. proof: of a signed request, spent first.
    public_key: by which the terminal proved itself, or bought its token; it may end while the scan
    waits for its turn. None where nothing of a terminal's was proved here.
    shown_digest: SM3 of what was shown, as it was sent. A retry is known by what the terminal sent,
    never by what the check said: meanwhile the code may have expired.
    presented: what steps 1 to 6 found. refusal: their reason against it.
    elsewhere: what another issuer said of its holder's code. asking: where another issuer's
    terminal scans; then `terminal_id` and `institution_id` are its own.
    operator, department: the institution's own words for who scans where, empty if none.
    Raises InvalidActError for fields out of their limits.
    """

    terminal_id: str
    institution_id: str
    request_id: str
    business_type: str
    shown_digest: bytes
    presented: Presented | None = None
    refusal: Reason | None = None
    proof: RequestProof | None = None
    public_key: bytes | None = None
    amount_fen: int | None = None
    operator: str = ""
    department: str = ""
    elsewhere: JudgedElsewhere | None = None
    asking: AskingInstitution | None = None

    def __post_init__(self) -> None:
        limits.check_request_id(self.request_id)
        limits.check_one_of("business_type", self.business_type, _BUSINESS_TYPES)
        limits.check_size("shown_digest", self.shown_digest, DIGEST_SIZE_BYTES)
        found = (self.presented, self.refusal, self.elsewhere)
        if found.count(None) != len(found) - 1 or self.refusal is Reason.ACCEPTED:
            raise InvalidActError(
                "presented",
                "与 refusal、elsewhere 三选一",
                "give one of this, refusal and elsewhere",
            )
        if self.presented is not None:
            limits.check_size("nonce", self.presented.nonce, NONCE_SIZE_BYTES)
            if self.presented.visit_id is not None:
                self._check_visit_step()
        if self.amount_fen is not None:
            limits.check_range("amount_fen", self.amount_fen, 0, codes.AMOUNT_FEN_MAX)
        for field, value in (("operator", self.operator), ("department", self.department)):
            if value:
                limits.check_text(field, value, characters_max=limits.REMARK_MAX)

    def _check_visit_step(self) -> None:
        """Money that moves without the holder is named, or a visit's limit would not see it."""
        business_type = business_types.get(self.business_type)
        if (
            business_type.consumes
            and business_type.purpose is not Purpose.DISPENSE
            and not self.amount_fen
        ):
            raise InvalidActError(
                "amount_fen",
                "凭就诊凭据办理收费业务时必填",
                "is needed where money moves under a visit",
            )

    @property
    def actor(self) -> Actor:
        """Who asked: the terminal, or the issuer at whose place it stands."""
        if self.asking is not None:
            return Actor(ActorKind.ISSUER, str(self.asking.issuer))
        return Actor(ActorKind.TERMINAL, self.terminal_id)

    def content(self) -> bytes:
        """What has to be the same when the request id comes again."""
        return canonical_bytes(
            [
                "record_scan",
                self.terminal_id,
                self.business_type,
                self.shown_digest.hex(),
                self.amount_fen,
                self.operator,
                self.department,
            ]
        )
