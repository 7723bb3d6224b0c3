"""Verdicts (核验结果): accepted, or refused with one stable reason and what to do next.

The texts are in `verdicts.toml`. They tell clerk and holder how to go on and tell an attacker
nothing: no reason says which part of a code failed, and none names a person.
"""

import enum
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from typing import Literal


class Reason(enum.StrEnum):
    """The stable word for an outcome, in the order in which a scan is checked.

    `MALFORMED` to `AMOUNT_MISMATCH` come from the code alone (steps 1 to 6 of
    docs/code-format.md), the three after them from looking a short code up and from a chip card
    (docs/chip-cards.md), the card reasons from step 7 with `CREDENTIAL_WITHDRAWN`, of a phone that
    was removed; `ALREADY_USED` from step 8, and `SHOW_NEW_CODE` where it can't be known whether
    the code was used before. The visit
    reasons are those of a step of a visit, which shows no code.
    `ISSUER_UNREACHABLE`: the card is another issuer's, who could not be asked for 7 and 8.
    """

    ACCEPTED = "accepted"
    MALFORMED = "malformed"
    UNKNOWN_VERSION = "unknown_version"
    UNKNOWN_KEY = "unknown_key"
    KEY_NOT_ACTIVE = "key_not_active"
    BAD_SIGNATURE = "bad_signature"
    CREDENTIAL_NOT_YET_VALID = "credential_not_yet_valid"
    CREDENTIAL_EXPIRED = "credential_expired"
    NOT_YET_VALID = "not_yet_valid"
    EXPIRED = "expired"
    PURPOSE_MISMATCH = "purpose_mismatch"
    OFFLINE_NOT_ALLOWED = "offline_not_allowed"
    TERMINAL_MISMATCH = "terminal_mismatch"
    AMOUNT_MISMATCH = "amount_mismatch"
    UNKNOWN_SHORT_CODE = "unknown_short_code"
    CHALLENGE_INVALID = "challenge_invalid"
    CARD_NOT_GENUINE = "card_not_genuine"
    UNKNOWN_CARD = "unknown_card"
    CREDENTIAL_WITHDRAWN = "credential_withdrawn"
    CARD_DATA_MISMATCH = "card_data_mismatch"
    CARD_NOT_ACTIVE = "card_not_active"
    CARD_LOST = "card_lost"
    CARD_LOCKED = "card_locked"
    CARD_CANCELLED = "card_cancelled"
    CARD_EXPIRED = "card_expired"
    ALREADY_USED = "already_used"
    SHOW_NEW_CODE = "show_new_code"
    VISIT_NOT_HERE = "visit_not_here"
    VISIT_ENDED = "visit_ended"
    STEP_NOT_IN_VISIT = "step_not_in_visit"
    VISIT_LIMIT_REACHED = "visit_limit_reached"
    ISSUER_UNREACHABLE = "issuer_unreachable"

    @property
    def outcome(self) -> Literal["accepted", "refused"]:
        """`accepted` or `refused`."""
        return "accepted" if self is Reason.ACCEPTED else "refused"

    @property
    def text_zh(self) -> str:
        """One sentence in Chinese that says what was decided."""
        return _TEXTS[self].text_zh

    @property
    def text_en(self) -> str:
        """One sentence in English that says what was decided."""
        return _TEXTS[self].text_en

    @property
    def next_action(self) -> "NextAction":
        """What the clerk and the holder should do now."""
        return _TEXTS[self].next_action


@dataclass(frozen=True, slots=True)
class NextAction:
    """What to do next, for the person at the terminal and for the holder."""

    clerk_zh: str
    clerk_en: str
    holder_zh: str
    holder_en: str


@dataclass(frozen=True, slots=True)
class _Texts:
    text_zh: str
    text_en: str
    next_action: NextAction


def _read_texts() -> Mapping[Reason, _Texts]:
    text = resources.files("card_core").joinpath("verdicts.toml").read_text("utf-8")
    return {
        Reason(word): _Texts(
            text_zh=row["text_zh"],
            text_en=row["text_en"],
            next_action=NextAction(
                row["clerk_zh"], row["clerk_en"], row["holder_zh"], row["holder_en"]
            ),
        )
        for word, row in tomllib.loads(text).items()
    }


_TEXTS = _read_texts()
