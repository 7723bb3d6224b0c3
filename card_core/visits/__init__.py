"""Visits (就诊): one code at registration, and no new one at each desk of the same hospital.

An accepted scan that opens a visit gives the institution a token. A step under it is a scan
like any other (the card's state is looked at, the step is spent once, the holder sees it), within
hours, business types, a number of steps and an amount that were fixed when the visit was opened.
A pharmacy never has one, and the holder ends it whenever they like.
"""

from card_core.visits.policy import AMOUNT_FEN_MAX, HOURS_MAX, VisitPolicy
from card_core.visits.steps import OPENS, opens_visit, step_nonce
from card_core.visits.token import TOKEN_TEXT_MAX, InvalidVisitTokenError, VisitTokens

__all__ = [
    "AMOUNT_FEN_MAX",
    "HOURS_MAX",
    "OPENS",
    "TOKEN_TEXT_MAX",
    "InvalidVisitTokenError",
    "VisitPolicy",
    "VisitTokens",
    "opens_visit",
    "step_nonce",
]
