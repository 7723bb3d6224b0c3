"""The short way for good rows: the same application as `validate_row` gives, or no answer.

Nearly all rows of a roster have nothing wrong with them, and what stands in their columns of codes
repeats: what was judged once, whole, is known from then on. No check is left out. Whatever is
not plainly good, for a reason or for want of one, is for `normalise_row` and `validate_row`.
"""

from datetime import date
from typing import Final, NamedTuple

from card_core.application import Application, ApplicationKind
from card_core.identity import (
    IdentityNumber,
    IdentityNumberError,
    NumberKind,
    is_at_least,
    is_common_name,
    validate_birth_on,
    validate_mobile,
)
from card_core.identity.age import ADULT_YEARS, GUARDED_UNDER_YEARS
from issuance.roster.columns import Cells
from issuance.roster.normalise import BETWEEN, is_plain
from issuance.roster.problem import CELL_CHARS_MAX
from issuance.roster.validate import RUN_BY_SPREADSHEETS, SEXES

# A roster has some hundreds; beyond these, rows go the long way.
CODES_MAX: Final = 20_000

_Codes = tuple[str, str, str, str, str, str]


class _Meaning(NamedTuple):
    """What the columns of codes of a good row say together."""

    number_kind: NumberKind
    ethnic_code: str | None
    kind: ApplicationKind


class GoodRows:
    """What one file's good rows have taught. today: the day in Asia/Shanghai, for ages."""

    def __init__(self, today: date) -> None:
        self._today = today
        self._meanings: dict[_Codes, _Meaning] = {}

    def learn(self, cells: Cells, application: Application) -> None:
        """A tidy row that was found good, with no warning."""
        if len(self._meanings) < CODES_MAX:
            number = application.number
            meaning = _Meaning(number.kind, application.ethnic_code, application.kind)
            self._meanings[_codes(cells)] = meaning

    def read(self, row: int, cells: Cells) -> Application | None:
        """The row's application; None for a row that has to be looked at closely."""
        joined = BETWEEN.join(cells)
        # All cells together are no longer than one may be, tidy, no formula and no control
        # characters: what `normalise_row` and `drop_unusable` ask.
        if len(joined) > CELL_CHARS_MAX or not is_plain(joined):
            return None
        name, _, number_text, sex, _, birth, phone, address, *_ = cells
        meaning = self._meanings.get(_codes(cells))
        number = _number(number_text)
        if (
            meaning is None
            or number is None
            or number.kind is not meaning.number_kind
            or SEXES.get(sex) is not number.sex
            or birth != number.birth_on.isoformat()
            or not is_common_name(name)
            or validate_mobile(phone) is not None
            or not address
            or address.startswith(RUN_BY_SPREADSHEETS)
            or BETWEEN in address
            or validate_birth_on(number.birth_on, today=self._today) is not None
        ):
            return None
        guardian_name, guardian_number = cells[12], None
        if guardian_name or cells[13]:
            guardian_number = self._guardian_number(guardian_name, cells[13])
            if guardian_number is None:
                return None
        elif not is_at_least(GUARDED_UNDER_YEARS, birth_on=number.birth_on, today=self._today):
            return None
        return Application(
            row,
            number,
            name,
            number.sex,
            number.birth_on,
            meaning.ethnic_code,
            phone,
            address,
            cells[8],
            meaning.kind,
            cells[10],
            cells[11],
            guardian_name or None,
            guardian_number,
        )

    def _guardian_number(self, name: str, number_text: str) -> IdentityNumber | None:
        number = _number(number_text)
        if (
            number is None
            or not is_common_name(name)
            or not is_at_least(ADULT_YEARS, birth_on=number.birth_on, today=self._today)
            or validate_birth_on(number.birth_on, today=self._today) is not None
        ):
            return None
        return number


def _codes(cells: Cells) -> _Codes:
    """Certificate, ethnic group, region, kind of application, bank and branch."""
    return cells[1], cells[4], cells[8], cells[9], cells[10], cells[11]


def _number(text: str) -> IdentityNumber | None:
    """A number that calls for neither a problem nor a warning."""
    try:
        number = IdentityNumber(text)
    except IdentityNumberError:
        return None
    return number if number.is_region_known else None
