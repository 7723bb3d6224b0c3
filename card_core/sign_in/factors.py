"""How somebody answers the challenge of a sign-in with a second factor.

A `Prover` is what the person at the keyboard brings: it is given the bytes of the challenge once
and returns the proof. An SM2 key signs them, here or in a token that never shows the key; who has
dynamic passwords reads the digits from a phone.
"""

from collections.abc import Callable

from card_core.errors import InvalidActError
from card_core.kernel.second_factor import DIGITS, Proof
from card_core.store.operator_factors import FactorKind

Prover = Callable[[bytes], Proof]


def by_key(sign: Callable[[bytes], bytes]) -> Prover:
    """With an SM2 key. sign: returns 64 bytes, r then s, under the default signer id."""
    return lambda challenge: Proof(FactorKind.SM2, sign(challenge))


def by_digits(digits: str) -> Prover:
    """With a dynamic password of DIGITS digits; spaces don't count. Raises InvalidActError."""
    typed = "".join(digits.split())
    if len(typed) != DIGITS or not (typed.isascii() and typed.isdigit()):
        raise InvalidActError(
            "dynamic_password", f"应为 {DIGITS} 位数字", f"must be {DIGITS} digits"
        )
    proof = Proof(FactorKind.DYNAMIC, typed.encode())
    return lambda _: proof
