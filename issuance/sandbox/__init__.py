"""A sandbox (沙箱): an installation for those who write terminal software, founded as one.

    staff    who works at it, and the check that an installation is one
    people   its holders, made up, with real cards
    places   its hospital and its pharmacy, and enrolment codes for an integrator's terminals
    phone    a holder's phone that shows codes with no network
    codes    codes in each condition, on demand

Everything in it is done for real, by the same acts, keys and checks as anywhere: a lost card's
loss was reported, a used code was scanned. Only the people are made up. On an
installation that was not founded as a sandbox all of it is refused, and nothing turns one into
the other: the issuer's row says what it is, under an HMAC, and no act changes that.
"""

from issuance.sandbox.codes import Kind, SandboxCode, make_codes
from issuance.sandbox.people import find_people
from issuance.sandbox.places import Place, let_out_enrolment_code
from issuance.sandbox.staff import Sandbox, is_sandbox, new_staff, open_sandbox

__all__ = [
    "Kind",
    "Place",
    "Sandbox",
    "SandboxCode",
    "find_people",
    "is_sandbox",
    "let_out_enrolment_code",
    "make_codes",
    "new_staff",
    "open_sandbox",
]
