"""One application as somebody types it: tidied and judged as a roster's row, by the same code."""

from collections.abc import Mapping
from datetime import date
from typing import Final

from card_core.application import Application
from card_core.application_errors import ApplicationFaultsError, Fault
from issuance.roster import columns
from issuance.roster.check import check_rows
from issuance.roster.read import RosterRow

# By the words of the interfaces, the titles of a roster.
FIELDS: Final[Mapping[str, str]] = {
    "name": columns.NAME,
    "certificate": columns.CERTIFICATE,
    "number": columns.NUMBER,
    "sex": columns.SEX,
    "ethnic_group": columns.ETHNIC_GROUP,
    "birth_on": columns.BIRTH,
    "phone": columns.PHONE,
    "address": columns.ADDRESS,
    "region": columns.REGION,
    "kind": columns.KIND,
    "bank": columns.BANK,
    "branch": columns.BRANCH,
    "guardian_name": columns.GUARDIAN_NAME,
    "guardian_number": columns.GUARDIAN_NUMBER,
}
_WORDS: Final = {title: word for word, title in FIELDS.items()}


def check_application(fields: Mapping[str, str], today: date) -> Application:
    """The application that these are. fields: by FIELDS, what is missing counts as empty.

    today: the day in Asia/Shanghai. Raises ApplicationFaultsError with all that is wrong.
    """
    by_title = {FIELDS[word]: text for word, text in fields.items()}
    cells = tuple(by_title.get(title, "") for title in columns.TITLES)
    (checked,) = check_rows([RosterRow(1, cells, False)], today=today)
    if checked.application is None:
        raise ApplicationFaultsError(
            [
                Fault(
                    _WORDS[one.field],
                    one.problem.code,
                    one.problem.message_zh,
                    one.problem.message_en,
                )
                for one in checked.problems
            ]
        )
    return checked.application
