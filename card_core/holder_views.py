"""What an accepted scan shows of the holder: one shipped table, by business type and field.

The table is `holder_views.toml`. A name and a number leave the service in full only where the
purpose needs them and the configuration allows it; elsewhere masked, or not at all, and the
institution knows the holder again by a pseudonym of its own (`card_core.pseudonyms`).
"""

import enum
import json
import tomllib
from collections.abc import Callable, Collection, Mapping
from datetime import date
from functools import cached_property
from importlib import resources
from operator import itemgetter
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from card_core import business_types
from card_core.business_types import HolderView
from card_core.identity import is_at_least, mask_card_number, mask_name, mask_number, mask_phone
from crypto import sm3

FIELDS: Final = (
    "name",
    "social_security_number",
    "card_number",
    "sign_number",
    "phone",
    "sex",
    "age_band",
)
AGE_BANDS: Final = ("under_18", "18_to_59", "60_and_over")

Shown = dict[str, str | bool | None]


class Show(enum.StrEnum):
    """How a field is shown; one that is not shown does not stand in the table."""

    FULL = "full"
    MASKED = "masked"


class HolderFacts(NamedTuple):
    """What is known of a holder, in clear. Only what `needs` asks for has to be given.

    An empty text, or no date, is shown as null: a card without an e-card has no sign number.
    """

    name: str = ""
    social_security_number: str = ""
    card_number: str = ""
    sign_number: str = ""
    phone: str = ""
    sex: str = ""
    birth_on: date | None = None


class ViewRow(NamedTuple):
    """One business type's row: the view's word, and how each shown field is shown."""

    view: HolderView
    fields: Mapping[str, Show]


_Render = Callable[[HolderFacts, date], str | None]

_MASKS: Final[Mapping[str, Callable[[str], str]]] = {
    "name": mask_name,
    "social_security_number": mask_number,
    "card_number": mask_card_number,
    "sign_number": mask_number,
    "phone": mask_phone,
}


class HolderViews:
    """The table under a configuration: which business types get the number in full.

    full_numbers_for: business types whose row says full and that are allowed it; None for all of
    them. Others get the number masked. Raises UnknownBusinessTypeError.

    identifying: of the business types that only identify as many as differ in what they show;
    identifying_needs: what `needs` says of them all.
    """

    def __init__(self, full_numbers_for: Collection[str] | None = None) -> None:
        allowed = set(ROWS) if full_numbers_for is None else set(full_numbers_for)
        for code in allowed:
            business_types.get(code)
        self._rows = {code: _restricted(row, code in allowed) for code, row in ROWS.items()}
        self._renderers = {code: _renderers(row) for code, row in self._rows.items()}
        rows = {one.code: self._rows[one.code] for one in business_types.ALL if not one.consumes}
        distinct = [*{_key(row): code for code, row in reversed(rows.items())}.items()]
        self.identifying = tuple(code for _, code in distinct)
        places = {key: place for place, (key, _) in enumerate(distinct)}
        self._places = {code: places[_key(row)] for code, row in rows.items()}
        self.identifying_needs = frozenset().union(*map(self.needs, self.identifying))

    @cached_property
    def name(self) -> bytes:
        """8 bytes that another table does not have."""
        told = {code: [row.view, sorted(row.fields.items())] for code, row in self._rows.items()}
        return sm3.digest(json.dumps(told, sort_keys=True).encode())[:8]

    def row(self, business_type: str) -> ViewRow:
        """Raises KeyError for a business type that is not in the table."""
        return self._rows[business_type]

    def place(self, business_type: str) -> int:
        """Where among `identifying` stands the one that shows the same as this business type.

        Raises KeyError for one that consumes.
        """
        return self._places[business_type]

    def needs(self, business_type: str) -> frozenset[str]:
        """The fields of HolderFacts that `render` reads."""
        shown = self._rows[business_type].fields
        return frozenset("birth_on" if field == "age_band" else field for field in shown)

    def render(self, business_type: str, facts: HolderFacts, today: date) -> Shown:
        """Return what a terminal is shown: `view`, and the fields of its row.

        A yes_no view has `entitled`, which is true: whoever is not entitled is refused before.
        today: the day in Shanghai, for the age band.
        """
        view, renderers = self._renderers[business_type]
        shown: Shown = {"view": view}
        if view == HolderView.YES_NO:
            shown["entitled"] = True
        for field, render in renderers:
            shown[field] = render(facts, today)
        return shown


def _key(row: ViewRow) -> tuple[HolderView, frozenset[tuple[str, Show]]]:
    return row.view, frozenset(row.fields.items())


def age_band(birth_on: date, today: date) -> str:
    """One of AGE_BANDS; the limits are the Civil Code's 18 and, for the elderly, 60 years."""
    if is_at_least(60, birth_on=birth_on, today=today):
        return AGE_BANDS[2]
    return AGE_BANDS[is_at_least(18, birth_on=birth_on, today=today)]


def _restricted(row: ViewRow, number_in_full: bool) -> ViewRow:
    if number_in_full or row.fields.get("social_security_number") is not Show.FULL:
        return row
    fields = {**row.fields, "social_security_number": Show.MASKED}
    return ViewRow(row.view, MappingProxyType(fields))


def _renderers(row: ViewRow) -> tuple[str, tuple[tuple[str, _Render], ...]]:
    return row.view.value, tuple(
        (field, _renderer(field, row.fields[field])) for field in row.fields
    )


def _renderer(field: str, show: Show) -> _Render:
    if field == "age_band":
        return _age_band
    read = itemgetter(HolderFacts._fields.index(field))
    if show is Show.FULL:
        return lambda facts, _: read(facts) or None
    mask = _MASKS[field]
    return lambda facts, _: mask(read(facts)) or None


def _age_band(facts: HolderFacts, today: date) -> str | None:
    return None if facts.birth_on is None else age_band(facts.birth_on, today)


def _read_table() -> Mapping[str, ViewRow]:
    """Raises ValueError where the file contradicts itself or leaves a business type out."""
    text = resources.files("card_core").joinpath("holder_views.toml").read_text("utf-8")
    table: dict[str, ViewRow] = {}
    for entry in tomllib.loads(text)["view"]:
        row = _read_row(entry)
        for code in entry["business_types"]:
            if code in table or business_types.get(code).view is not row.view:
                raise ValueError(f"holder_views.toml: {code} is there twice, or has another view")
            table[code] = row
    missing = {one.code for one in business_types.ALL} - set(table)
    if missing:
        raise ValueError(f"holder_views.toml: no row for {sorted(missing)}")
    return MappingProxyType(table)


def _read_row(entry: Mapping[str, Any]) -> ViewRow:
    view = HolderView(entry["view"])
    fields = {name: Show(entry[name]) for name in FIELDS if name in entry}
    number = fields.get("social_security_number")
    fits = {
        HolderView.FULL: number is Show.FULL and fields.get("name") is Show.FULL,
        HolderView.MASKED: number is not Show.FULL and fields.get("name") is Show.MASKED,
        HolderView.YES_NO: not set(fields) - {"age_band"},
    }
    unmaskable = [
        name for name, show in fields.items() if show is Show.MASKED and name not in _MASKS
    ]
    if not fits[view] or unmaskable or set(entry) - {"business_types", "view", *FIELDS}:
        raise ValueError(f"holder_views.toml: a {view.value} row does not fit its word")
    return ViewRow(view, MappingProxyType(fields))


ROWS: Final = _read_table()
