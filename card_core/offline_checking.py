"""Steps 1 to 6 at a terminal with no network, and again when its record is handed in."""

from dataclasses import replace
from datetime import datetime

from card_core import codes
from card_core.business_types import BusinessType
from card_core.codes import CheckedCode, CodeKind, KeyRing, PurposeClass, RefusedError
from card_core.verdicts import Reason


def check_offline(
    text: str,
    *,
    keys: KeyRing,
    now: datetime,
    business_type: BusinessType,
    terminal: bytes,
    amount_fen: int | None,
) -> CheckedCode:
    """Steps 1 to 6 of a scan that may consume by its issuer's policy; as `codes.check` otherwise.

    Only an offline code signed for any use may: its credential is what the caps are counted for.
    Whether the policy lets it is the caller's to check. Raises RefusedError.
    """
    checked = codes.check(
        text,
        keys=keys,
        now=now,
        business_type=replace(business_type, consumes=False),
        terminal=terminal,
        amount_fen=amount_fen,
    )
    if business_type.consumes:
        if checked.purpose_class is not PurposeClass.ANY_USE:
            raise RefusedError(Reason.PURPOSE_MISMATCH)
        if checked.kind is not CodeKind.OFFLINE:
            raise RefusedError(Reason.OFFLINE_NOT_ALLOWED)
    return checked
