"""Passwords: what may be one, and how it is kept.

A password is hashed over HMAC-SM3(pepper, password), where the pepper is a key from the key
provider: with the database alone, six digits can't be tried out. What is stored names its
algorithm and costs: `<algorithm>$<costs>$<salt>$<hash>`.
"""

import hmac
import itertools
from collections.abc import Callable

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id
from cryptography.hazmat.primitives.kdf.pbkdf2 import PBKDF2HMAC

from card_core.errors import WeakPasswordError
from card_core.sign_in.profile import Profile
from card_core.store.holders import Holder
from crypto import sm3

# About 70 ms of one core. What guards six digits is the pepper and the lock, not this number.
ITERATIONS = 100_000
ITERATIONS_MAX = 10_000_000
# RFC 9106 with less memory than its second choice, since every worker hashes two at a time.
ARGON2_MEMORY_KIB = 32 * 1024
ARGON2_PASSES = 3
ARGON2_LANES = 1
_ARGON2_COSTS_MAX = (1024 * 1024, 100, 16)
SALT_SIZE_BYTES = 16
HASH_SIZE_BYTES = 32
OPERATOR_PASSWORD_MIN = 12
OPERATOR_PASSWORD_UNEXPECTED_MIN = 6
PASSWORD_MAX = 128

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

_PBKDF2 = "pbkdf2-hmac-sm3"
_ARGON2 = "argon2id"


def hash_password(
    password: str,
    *,
    pepper: bytes,
    random_bytes: Callable[[int], bytes],
    iterations: int = ITERATIONS,
    profile: Profile = Profile.SM,
) -> str:
    """What is stored for a password. iterations: of PBKDF2, in the profile `sm`."""
    salt = random_bytes(SALT_SIZE_BYTES)
    if profile is Profile.SM:
        costs, derived = str(iterations), _derive(password, pepper, salt, iterations)
        return f"{_PBKDF2}${costs}${salt.hex()}${derived.hex()}"
    usual = (ARGON2_MEMORY_KIB, ARGON2_PASSES, ARGON2_LANES)
    costs, derived = ",".join(map(str, usual)), _derive_argon2(password, pepper, salt, usual)
    return f"{_ARGON2}${costs}${salt.hex()}${derived.hex()}"


def matches(password: str, pepper: bytes, stored: str | None, profile: Profile) -> bool:
    """Compare with the stored hash; without one, do the same work and say no."""
    if stored is None:
        hash_password(password, pepper=pepper, random_bytes=bytes, profile=profile)
        return False
    algorithm, costs, salt_hex, expected = stored.split("$")
    salt = bytes.fromhex(salt_hex)
    if algorithm == _PBKDF2 and 1 <= int(costs) <= ITERATIONS_MAX:
        derived = _derive(password, pepper, salt, int(costs))
    elif algorithm == _ARGON2 and profile is Profile.STANDARD:
        parts = [int(one) for one in costs.split(",")]
        if len(parts) != 3 or any(
            not 1 <= one <= most for one, most in zip(parts, _ARGON2_COSTS_MAX, strict=True)
        ):
            return False
        derived = _derive_argon2(password, pepper, salt, (parts[0], parts[1], parts[2]))
    else:
        return False
    return hmac.compare_digest(derived, bytes.fromhex(expected))


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


def _derive(password: str, pepper: bytes, salt: bytes, iterations: int) -> bytes:
    peppered = _pepper(password, pepper)
    return PBKDF2HMAC(hashes.SM3(), HASH_SIZE_BYTES, salt, iterations).derive(peppered)


def _derive_argon2(password: str, pepper: bytes, salt: bytes, costs: tuple[int, int, int]) -> bytes:
    memory_kib, passes, lanes = costs
    argon2 = Argon2id(
        salt=salt,
        length=HASH_SIZE_BYTES,
        iterations=passes,
        lanes=lanes,
        memory_cost=memory_kib,
    )
    return argon2.derive(_pepper(password, pepper))


def _pepper(password: str, pepper: bytes) -> bytes:
    # A lone surrogate, which JSON can carry, is a wrong password and no failure.
    return sm3.hmac(pepper, password.encode("utf-8", "surrogatepass"))
