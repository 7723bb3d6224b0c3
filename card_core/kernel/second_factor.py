"""What an operator proves at sign-in beside the password, and the check of it.

An SM2 key signs a challenge that is made for this one attempt; a dynamic password (RFC 6238, six
digits, 30 seconds) is taken in its own time step and the next, and no step twice. Whether dynamic
passwords are admitted at all is the profile's to say (`sign_in.Profile`).
"""

from dataclasses import dataclass
from datetime import datetime

from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP

from card_core.errors import InvalidActError
from card_core.kernel.act import Scene
from card_core.store import operator_factors
from card_core.store.cipher import same
from card_core.store.operator_factors import Factor, FactorKind
from crypto import sm2

STEP_SECONDS = 30
DIGITS = 6
SECRET_SIZE_BYTES = 20
# A password that was typed as its step ended; a clock that runs ahead gets nothing more.
STEPS_BACK_MAX = 1

_DIGEST_SIZE_BYTES = 32
_CONTEXT = b"sscard operator sign-in, version 1\0"


@dataclass(frozen=True, slots=True, repr=False)
class Proof:
    """kind: SM2 or DYNAMIC. value: the signature (64 bytes, r then s), or the digits in ASCII."""

    kind: FactorKind
    value: bytes


def challenge_bytes(name_index: bytes, attempt: bytes) -> bytes:
    """What an operator's key signs. attempt: the keyed digest of what was drawn for this attempt
    alone, so that a signature serves once; name_index binds it to the name."""
    return _CONTEXT + name_index + attempt


def is_challenge(data: bytes) -> bool:
    """Whether these bytes are a sign-in's: a key that signs for a console signs nothing else."""
    return data.startswith(_CONTEXT) and len(data) == len(_CONTEXT) + 2 * _DIGEST_SIZE_BYTES


def is_proved(scene: Scene, operator_id: str, proof: Proof | None, challenge: bytes) -> bool:
    """Whether the operator's factor, locked here, made this proof; a dynamic password is used up.

    False, too, where the operator has no factor or one of another kind.
    """
    factor = operator_factors.lock(scene.tx, operator_id)
    if factor is None or proof is None or factor.kind is not proof.kind:
        return False
    if factor.kind is FactorKind.SM2:
        return _has_signed(factor, proof, challenge)
    step = _step_of(factor, proof, scene.now)
    if step is None:
        return False
    operator_factors.use_step(scene.tx, operator_id, step)
    return True


def check_new(factor: Factor, proof: Proof, challenge: bytes, now: datetime) -> Factor:
    """A factor that is enrolled must be at hand. Returns it, with its first use noted.

    Raises InvalidActError.
    """
    if factor.kind is FactorKind.SM2 and _has_signed(factor, proof, challenge):
        return factor
    if factor.kind is FactorKind.DYNAMIC:
        step = _step_of(factor, proof, now)
        if step is not None:
            return Factor(factor.kind, secret=factor.secret, last_step=step)
    raise InvalidActError(
        "proof",
        "第二因素未通过验证，请核对密钥或动态口令",
        "the second factor did not prove itself; check the key or the dynamic password",
    )


def dynamic_password(secret: bytes, step: int) -> bytes:
    """The digits of a time step (RFC 6238 with HMAC-SHA-1, which every authenticator has)."""
    # SHA-1 is only the RFC's HMAC here; the 密评 profile admits no dynamic passwords at all.
    totp = TOTP(secret, DIGITS, SHA1(), STEP_SECONDS)  # noqa: S303 - see above
    return totp.generate(step * STEP_SECONDS)


def _has_signed(factor: Factor, proof: Proof, challenge: bytes) -> bool:
    try:
        sm2.PublicKey.from_bytes(factor.public_key or b"").verify(proof.value, challenge)
    except (sm2.InvalidKeyError, sm2.InvalidSignatureError):
        return False
    return True


def _step_of(factor: Factor, proof: Proof, now: datetime) -> int | None:
    """The time step whose password this is, among those that may still be used."""
    current = int(now.timestamp()) // STEP_SECONDS
    used = -1 if factor.last_step is None else factor.last_step
    found = None
    for step in range(current - STEPS_BACK_MAX, current + 1):
        if same(dynamic_password(factor.secret or b"", step), proof.value) and step > used:
            found = step
    return found
