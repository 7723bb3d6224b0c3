"""Signing in: passwords, sessions, and who a token belongs to.

A password is hashed with PBKDF2-HMAC-SM3 over HMAC-SM3(pepper, password). The pepper is a key from
the key provider: with the database alone, six digits can't be tried out. The slow hash runs outside
any transaction; what it said is judged inside one (`kernel.acts.sessions`), where failures are
counted and the lock decides. An unknown person costs the same work and gets the same answer.
"""

import base64
import hmac
import itertools
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.pbkdf2 import PBKDF2HMAC

from card_core.errors import (
    SessionEndedError,
    SignInLockedError,
    SignInRefusedError,
    WeakPasswordError,
)
from card_core.kernel import Actor, ActorKind, Kernel
from card_core.kernel.acts.sessions import NOBODY, SESSION_IDLE, SignIn, SignOut
from card_core.store import Reader, credentials, holders, operators, sessions
from card_core.store.credentials import SubjectKind
from card_core.store.holders import Holder
from crypto import sm3

# About 70 ms of one core. What guards six digits is the pepper and the lock, not this number.
ITERATIONS = 100_000
ITERATIONS_MAX = 10_000_000
SALT_SIZE_BYTES = 16
TOKEN_SIZE_BYTES = 32
NAME_MAX = 64
OPERATOR_PASSWORD_MIN = 12
OPERATOR_PASSWORD_UNEXPECTED_MIN = 6
PASSWORD_MAX = 128
TOUCH_EVERY = timedelta(minutes=1)

# What guessing tries first. Of each row, any three neighbours, in either direction.
_ROWS = ("012345678901", "abcdefghijklmnopqrstuvwxyz", "qwertyuiop", "asdfghjkl", "zxcvbnm")
_WORDS = """
    password passw0rd p@ssword p@ssw0rd admin administrator operator welcome letmein iloveyou
    changeme default secret monkey dragon master woaini 5201314 1314520 shebao mima sscard
"""
_WELL_KNOWN = frozenset(_WORDS.split()).union(
    line[start : start + 3]
    for row in _ROWS
    for line in (row, row[::-1])
    for start in range(len(row) - 2)
)

_ALGORITHM = "pbkdf2-hmac-sm3"
_SIGNING_IN = Actor(ActorKind.SYSTEM, "sign_in")


@dataclass(frozen=True, slots=True, repr=False)
class SignedIn:
    """A new session. token: for the person's browser only; what is stored is a keyed digest.

    expires_at: aware, UTC; the session ends then, or after half an hour without use.
    """

    token: str
    actor: Actor
    expires_at: datetime


def hash_password(
    password: str,
    *,
    pepper: bytes,
    random_bytes: Callable[[int], bytes],
    iterations: int = ITERATIONS,
) -> str:
    """What is stored for a password: algorithm, iterations, salt and hash."""
    salt = random_bytes(SALT_SIZE_BYTES)
    derived = _derive(password, pepper, salt, iterations)
    return f"{_ALGORITHM}${iterations}${salt.hex()}${derived.hex()}"


def check_new_password(password: str, holder: Holder) -> None:
    """A holder's new password: six digits, and none that a finder of the card would try first.

    Refused are runs (123456), repeats (111111, 121212, 123123) and digits that stand next to each
    other in the holder's number, phone or guardian's number. Raises WeakPasswordError.
    """
    if not (len(password) == 6 and password.isascii() and password.isdigit()):
        raise WeakPasswordError("密码应为 6 位数字", "The password must be six digits")
    steps = {(int(b) - int(a)) % 10 for a, b in itertools.pairwise(password)}
    if steps in ({1}, {9}):
        raise WeakPasswordError("密码不能是连续数字", "The password must not be a run of digits")
    if password in {password[:size] * (6 // size) for size in (1, 2, 3)}:
        raise WeakPasswordError("密码不能是重复数字", "The password must not repeat itself")
    known = (holder.social_security_number, holder.phone, holder.guardian_number)
    if any(password in digits for digits in known):
        raise WeakPasswordError(
            "密码不能取自证件号码或手机号码", "The password must not be part of a number or phone"
        )


def check_new_operator_password(password: str, name: str) -> None:
    """At least OPERATOR_PASSWORD_MIN characters, not built of few, without the sign-in name, and
    not a well-known word or a run of keys with little else.

    Raises WeakPasswordError.
    """
    if not OPERATOR_PASSWORD_MIN <= len(password) <= PASSWORD_MAX:
        raise WeakPasswordError(
            f"密码应为 {OPERATOR_PASSWORD_MIN} 至 {PASSWORD_MAX} 个字符",
            f"The password must have {OPERATOR_PASSWORD_MIN} to {PASSWORD_MAX} characters",
        )
    if len(set(password)) < OPERATOR_PASSWORD_MIN // 2 or name in password.lower():
        raise WeakPasswordError(
            "密码过于简单，且不能包含登录名",
            "The password is too simple, or contains the sign-in name",
        )
    if _count_unexpected(password.lower()) < OPERATOR_PASSWORD_UNEXPECTED_MIN:
        raise WeakPasswordError(
            "密码主要由常用词或连续字符组成，容易被猜到",
            "The password is little more than well-known words and runs, and easy to guess",
        )


def _count_unexpected(password: str) -> int:
    """How many characters stand in no well-known word, run, row of keys or repetition."""
    expected: set[int] = set()
    for start in range(len(password)):
        for word in _WELL_KNOWN:
            if password.startswith(word, start):
                expected.update(range(start, start + len(word)))
        if password[start : start + 3] == password[start] * 3:
            expected.update(range(start, start + 3))
    return len(password) - len(expected)


def sign_in_holder(kernel: Kernel, number: str, password: str, *, pepper: bytes) -> SignedIn:
    """number: the social security number, as typed.

    Raises SignInRefusedError, SignInLockedError.
    """
    return _sign_in(kernel, SubjectKind.HOLDER, _typed(number).upper(), password, pepper)


def sign_in_operator(kernel: Kernel, name: str, password: str, *, pepper: bytes) -> SignedIn:
    """Raises SignInRefusedError, SignInLockedError."""
    return _sign_in(kernel, SubjectKind.OPERATOR, _typed(name).lower(), password, pepper)


def authenticate(kernel: Kernel, token: str) -> Actor:
    """Return whose session this is, and note that it is in use. Raises SessionEndedError."""
    digest = _token_digest(kernel, token)
    with kernel.store.read() as tx:
        session = sessions.find(tx, digest)
    now = kernel.clock()
    if session is None or now >= min(session.expires_at, session.last_seen_at + SESSION_IDLE):
        raise SessionEndedError
    if now - session.last_seen_at >= TOUCH_EVERY:
        kernel.touch_session(digest)
    return Actor(ActorKind(session.subject_kind.value), session.subject_id)


def sign_out(kernel: Kernel, token: str) -> None:
    """End the session; one that has ended already stays so."""
    try:
        actor = authenticate(kernel, token)
    except SessionEndedError:
        return
    kernel.perform(
        SignOut(_token_digest(kernel, token)), actor=actor, request_id=_request_id(kernel)
    )


def _sign_in(
    kernel: Kernel, kind: SubjectKind, name: str, password: str, pepper: bytes
) -> SignedIn:
    name_index = kernel.store.cipher.blind_index(f"sign_in.{kind.value}", name)
    with kernel.store.read() as tx:
        attempts = credentials.attempts_of(tx, name_index)
        subject_id = _find_subject(tx, kind, name)
        credential = credentials.get(tx, kind, subject_id or NOBODY)
    locked_until = None if attempts is None else attempts.locked_until
    if locked_until is not None and kernel.clock() < locked_until:
        raise SignInLockedError(locked_until)
    stored = None if credential is None else credential.password_hash
    token = base64.urlsafe_b64encode(kernel.random_bytes(TOKEN_SIZE_BYTES)).decode().rstrip("=")
    act = SignIn(
        subject_kind=kind,
        name_index=name_index,
        subject_id=subject_id,
        password_version=0 if credential is None else credential.version,
        matches=_matches(password, pepper, stored),
        token_digest=_token_digest(kernel, token),
    )
    answer = kernel.perform(act, actor=_SIGNING_IN, request_id=_request_id(kernel))
    match answer["outcome"]:
        case "signed_in":
            actor = Actor(ActorKind(kind.value), answer["subject_id"])
            return SignedIn(token, actor, datetime.fromisoformat(answer["expires_at"]))
        case "locked":
            raise SignInLockedError(datetime.fromisoformat(answer["locked_until"]))
    raise SignInRefusedError


def _find_subject(tx: Reader, kind: SubjectKind, name: str) -> str | None:
    if kind is SubjectKind.HOLDER:
        return holders.find_id_by_number(tx, name)
    operator = operators.find_by_name(tx, name)
    return None if operator is None else operator.id


def _typed(name: str) -> str:
    """What can't be anybody's name is nobody's; the rest goes on as it was typed."""
    name = name.strip()
    return name if len(name) <= NAME_MAX and name.isprintable() else ""


def _matches(password: str, pepper: bytes, stored: str | None) -> bool:
    """Compare with the stored hash; without one, do the same work and say no."""
    if stored is None:
        _derive(password, pepper, bytes(SALT_SIZE_BYTES), ITERATIONS)
        return False
    algorithm, iterations, salt, expected = stored.split("$")
    if algorithm != _ALGORITHM or not 1 <= int(iterations) <= ITERATIONS_MAX:
        return False
    derived = _derive(password, pepper, bytes.fromhex(salt), int(iterations))
    return hmac.compare_digest(derived, bytes.fromhex(expected))


def _derive(password: str, pepper: bytes, salt: bytes, iterations: int) -> bytes:
    # A lone surrogate, which JSON can carry, is a wrong password and no failure.
    peppered = sm3.hmac(pepper, password.encode("utf-8", "surrogatepass"))
    return PBKDF2HMAC(hashes.SM3(), 32, salt, iterations).derive(peppered)


def _token_digest(kernel: Kernel, token: str) -> bytes:
    return kernel.store.cipher.blind_index("session", _typed(token))


def _request_id(kernel: Kernel) -> str:
    return kernel.random_bytes(16).hex()
