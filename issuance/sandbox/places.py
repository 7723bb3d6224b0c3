"""The places of a sandbox: one hospital, one pharmacy, and a terminal at the hospital.

With the terminal the sandbox uses up a code by itself. Its key is thrown away: nobody else can
send a request in its name.
"""

import enum

from card_core.kernel import Actor, ActorKind, enrolment_codes
from card_core.kernel.acts.enrolment import EnrolTerminal, PrepareEnrolment
from card_core.kernel.acts.institutions import DesignateInstitution
from card_core.kernel.enrolment_codes import EnrolmentCode
from card_core.store import institutions
from card_core.store.institutions import Terminal
from crypto import sm2
from issuance.installation import random_bytes
from issuance.sandbox.people import REGION
from issuance.sandbox.staff import Sandbox

OWN_TERMINAL = b"sandbox0"
_ENROLMENT = Actor(ActorKind.SYSTEM, "enrolment")


class Place(enum.StrEnum):
    """Where an integrator's terminal stands; each allows other business types."""

    HOSPITAL = "hospital"
    PHARMACY = "pharmacy"


_CODES = {Place.HOSPITAL: f"H{REGION}99001", Place.PHARMACY: f"P{REGION}99002"}
_NAMES = {Place.HOSPITAL: "沙箱医院", Place.PHARMACY: "沙箱药店"}


def let_out_enrolment_code(sandbox: Sandbox, serial_number: bytes, place: Place) -> EnrolmentCode:
    """A code with which the terminal of this serial number (8 bytes) brings its key.

    The place is designated first if it isn't there. Raises KernelError, StoreError.
    """
    code = enrolment_codes.make(random_bytes)
    digest = code.digest(sandbox.site.store.cipher, serial_number)
    institution = _designated(sandbox, place)
    sandbox.decide(PrepareEnrolment(serial_number, institution, code.name, digest))
    return code


def own_terminal(sandbox: Sandbox) -> Terminal:
    """The sandbox's terminal at its hospital; enrolled first where it isn't there."""
    found = _terminal(sandbox)
    if found is None:
        code = let_out_enrolment_code(sandbox, OWN_TERMINAL, Place.HOSPITAL)
        digest = code.digest(sandbox.site.store.cipher, OWN_TERMINAL)
        public_key = sm2.PrivateKey.generate().public_key().to_bytes(compressed=True)
        act = EnrolTerminal(OWN_TERMINAL, code.name, digest, public_key)
        sandbox.perform(act, actor=_ENROLMENT)
        found = _terminal(sandbox)
    if found is None:
        raise LookupError("the terminal that was just enrolled is gone")
    return found


def _terminal(sandbox: Sandbox) -> Terminal | None:
    with sandbox.site.store.read() as tx:
        return institutions.terminal_by_serial(tx, OWN_TERMINAL)


def _designated(sandbox: Sandbox, place: Place) -> str:
    """The place's code, after making sure that it is there."""
    code = _CODES[place]
    with sandbox.site.store.read() as tx:
        known = institutions.institution_by_code(tx, code)
    if known is None:
        sandbox.decide(DesignateInstitution(code, _NAMES[place], place.value, REGION))
    return code
