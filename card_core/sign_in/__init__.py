"""Signing in: passwords, second factors, sessions.

    opened = sign_in_operator(kernel, name, password, by_key(signer.sign), pepper=pepper)
    actor = authenticate(kernel, opened.token)

A holder signs in by number and password; an operator by name, password and a second factor
(GB/T 22239-2019, 8.1.4.1 d). Five failures in a row, of whichever factor, lock a name for fifteen
minutes; a session ends after half an hour without use. The `Profile` of the installation says
which algorithms there are.
"""

from card_core.sign_in.entering import (
    SignedIn,
    authenticate,
    challenge_of,
    ends_at,
    live_session,
    new_token,
    sign_in_holder,
    sign_in_operator,
    sign_out,
)
from card_core.sign_in.factors import Prover, by_digits, by_key
from card_core.sign_in.own_access import change_password, enrol_operator
from card_core.sign_in.passwords import (
    check_new_operator_password,
    check_new_password,
    hash_password,
)
from card_core.sign_in.profile import Profile

__all__ = [
    "Profile",
    "Prover",
    "SignedIn",
    "authenticate",
    "by_digits",
    "by_key",
    "challenge_of",
    "change_password",
    "check_new_operator_password",
    "check_new_password",
    "ends_at",
    "enrol_operator",
    "hash_password",
    "live_session",
    "new_token",
    "sign_in_holder",
    "sign_in_operator",
    "sign_out",
]
