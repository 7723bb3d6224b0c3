"""For how long an issuer keeps what is personal once it serves nothing any more (保存期限).

The minima are what others may still ask for: who approved what, for six months (网络安全法,
article 21); a claim about a card that ended, for three years (民法典, article 188). A person's own
wish to be erased (个人信息保护法, article 47) is met after six months, when no terminal has a scan
left to hand in and no quarrel about the last ones is open.
"""

from dataclasses import dataclass
from typing import Final

DAYS_MAX: Final = 36_500
HOLDER_DAYS: Final = range(3 * 365, DAYS_MAX + 1)
REFUSED_DAYS: Final = range(30, DAYS_MAX + 1)
APPROVAL_DAYS: Final = range(183, DAYS_MAX + 1)
# How long all of a person's cards have been cancelled before the person may be erased on request.
ON_REQUEST_DAYS: Final = 183


@dataclass(frozen=True, slots=True)
class RetentionPolicy:
    """holder_days: after a person's last card was cancelled, until the person is erased.
    refused_days: of rows of rosters and stocks that came to nothing. approval_days: of what was
    proposed, after it was decided; no longer than holder_days, since it may name a person.

    Raises ValueError with the name of the field that is out of its limits.
    """

    holder_days: int = 3650
    refused_days: int = 365
    approval_days: int = 730

    def __post_init__(self) -> None:
        if self.holder_days not in HOLDER_DAYS:
            raise ValueError("holder_days")
        if self.refused_days not in REFUSED_DAYS:
            raise ValueError("refused_days")
        if self.approval_days not in APPROVAL_DAYS or self.approval_days > self.holder_days:
            raise ValueError("approval_days")
