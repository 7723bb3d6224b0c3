"""The short way for good rows: the same application as `validate_row` gives, or no answer.

Nearly all rows of a roster have nothing wrong with them. Here each check only says so, and none is
left out; whatever is not plainly good, for a reason or for want of one, is for `normalise_row` and
`validate_row`, which find out what it is.
"""

import re
from datetime import date
from functools import lru_cache
from typing import Final, NamedTuple

from card_core.application import Application, ApplicationKind
from card_core.identity import (
    IdentityNumber,
    IdentityNumberError,
    NumberKind,
    Sex,
    is_at_least,
    is_common_name,
    parse_ethnic_group,
    validate_birth_on,
)
from card_core.identity.age import (
    ADULT_YEARS,
    AGE_MAX_YEARS,
    GUARDED_UNDER_YEARS,
    years_before,
)
from card_core.identity.counties import COUNTIES
from card_core.identity.name import COMMON_NAME
from card_core.identity.phone import MOBILE
from issuance.roster.bank import BANKS
from issuance.roster.columns import ADDRESS, NAME, PHONE, TITLES, Cells
from issuance.roster.normalise import BETWEEN, PLAIN
from issuance.roster.problem import CELL_CHARS_MAX
from issuance.roster.validate import (
    CERTIFICATES,
    KINDS,
    SEXES,
    is_branch,
)

# What one look over all of a row says: nothing to tidy, no formula and no control character, as
# `normalise_row` and `drop_unusable` ask; a common name, a mobile number, and an address that no
# spreadsheet runs.
_FORMS: Final = {
    NAME: COMMON_NAME,
    PHONE: MOBILE,
    ADDRESS: f"(?!-)[{PLAIN}]+",
}
_is_good_form = re.compile(
    BETWEEN.join(_FORMS.get(title, f"[{PLAIN}]*") for title in TITLES)
).fullmatch


def read_good_row(row: int, cells: Cells, *, today: date) -> Application | None:
    """The row's application; None for a row that has to be looked at closely.

    cells: in the order of `columns.TITLES`, as they stand in the file.
    """
    joined = BETWEEN.join(cells)
    # All cells together are no longer than one may be.
    if len(joined) > CELL_CHARS_MAX or not _is_good_form(joined):
        return None
    (
        name,
        certificate,
        number_text,
        sex,
        ethnic_group,
        birth,
        phone,
        address,
        region,
        kind_text,
        bank,
        branch,
        guardian_name,
        guardian_number_text,
    ) = cells
    number = _number(number_text)
    coded = _read_codes(certificate, sex, ethnic_group, region, kind_text, bank, branch)
    if (
        number is None
        or coded is None
        or number.kind not in coded.number_kinds
        or coded.sex is not number.sex
        or birth != number.birth_on.isoformat()
        or not years_before(today, AGE_MAX_YEARS + 1) < number.birth_on <= today
    ):
        return None
    guardian_number = None
    if guardian_name or guardian_number_text:
        guardian_number = _guardian_number(guardian_name, guardian_number_text, today)
        if guardian_number is None:
            return None
    elif number.birth_on > years_before(today, GUARDED_UNDER_YEARS):
        return None
    return Application(
        row,
        number,
        name,
        number.sex,
        number.birth_on,
        coded.ethnic_code,
        phone,
        address,
        region,
        coded.kind,
        bank,
        branch,
        guardian_name or None,
        guardian_number,
    )


class _Codes(NamedTuple):
    """What a row's words from tables stand for."""

    number_kinds: frozenset[NumberKind]
    sex: Sex
    ethnic_code: str
    kind: ApplicationKind


@lru_cache(maxsize=4096)
def _read_codes(  # noqa: PLR0917 - the cells, as the roster has them
    certificate: str,
    sex: str,
    ethnic_group: str,
    region: str,
    kind: str,
    bank: str,
    branch: str,
) -> _Codes | None:
    """The row's words from tables; they are the same in a great many rows, so they are kept."""
    number_kinds, read_sex = CERTIFICATES.get(certificate), SEXES.get(sex)
    ethnic_code, read_kind = parse_ethnic_group(ethnic_group), KINDS.get(kind)
    if (
        number_kinds is None
        or read_sex is None
        or ethnic_code is None
        or read_kind is None
        or region not in COUNTIES
        or bank not in BANKS
        or not is_branch(branch)
    ):
        return None
    return _Codes(number_kinds, read_sex, ethnic_code, read_kind)


def _guardian_number(name: str, number_text: str, today: date) -> IdentityNumber | None:
    number = _number(number_text)
    if (
        number is None
        or not is_common_name(name)
        or not is_at_least(ADULT_YEARS, birth_on=number.birth_on, today=today)
        or validate_birth_on(number.birth_on, today=today) is not None
    ):
        return None
    return number


def _number(text: str) -> IdentityNumber | None:
    """A number that calls for neither a problem nor a warning."""
    try:
        number = IdentityNumber(text)
    except IdentityNumberError:
        return None
    return number if number.is_region_known else None
