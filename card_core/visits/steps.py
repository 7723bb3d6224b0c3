"""Which scans open a visit, what may be done under it, and what a step spends."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from card_core import business_types
from card_core.business_types import BusinessType
from card_core.presented import NONCE_SIZE_BYTES
from crypto import sm3

PLACE: Final = "hospital"
_CONTEXT: Final = b"sscard/visit-step/v1\0"

_AT_DESKS = ("01201", "01202", "01203", "01204", "01303", "01304", "01305")
# A registration opens an outpatient's visit; an inpatient's has deposits besides, and the treatment
# of a work injury is settled under its own business type.
_OUTPATIENT = frozenset({*_AT_DESKS, "01301", "01302"})
_INPATIENT = frozenset({*_OUTPATIENT, "01104"})

OPENS: Final[Mapping[str, frozenset[str]]] = MappingProxyType(
    {
        "01101": _OUTPATIENT,
        "01102": _INPATIENT | {"01103"},
        "01103": _INPATIENT,
        "91101": frozenset({*_AT_DESKS, "01302", "91102"}),
    }
)
"""The business types that open a visit, and those that its steps may have."""


def opens_visit(business_type: BusinessType, place: str) -> frozenset[str]:
    """The business types of the visit that such a scan opens at a kind of place; empty for none."""
    return OPENS.get(business_type.code, frozenset()) if place == PLACE else frozenset()


def step_nonce(visit_id: str, business_type: str, step: str) -> bytes:
    """The 8 bytes that a step spends: once for a visit, a business type and the step's own name.

    step: what the institution numbers its bills and prescriptions by, 1 to 64 characters.
    """
    named = b"\0".join((visit_id.encode(), business_type.encode(), step.encode()))
    return sm3.digest(_CONTEXT + named)[:NONCE_SIZE_BYTES]


def _check_table() -> None:
    """All business types of a visit are a hospital's. Raises ValueError."""
    for opening, steps in OPENS.items():
        for code in (opening, *steps):
            if business_types.get(code).places != {PLACE}:
                raise ValueError(f"{code} is not of hospitals alone and can't be in a visit")


_check_table()
